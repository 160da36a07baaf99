"""What the live panel is measured against: a stock slider over the same model, no setting tuned."""

import numpy as np
import streamlit as st
import torch

import vae


@st.cache_resource
def model(name):
    return vae.load(name)


the_model = model(st.query_params.get("model", "mnist-vae-2d"))
d = int(np.argmax(the_model.card.figures["kl_per_dim"]))  # a dimension that shows
z = torch.zeros(1, the_model.latent_dim)
z[0, d] = st.slider(f"z{d}", -3.0, 3.0, -3.0, 0.2)
picture = the_model.decode(z)[0, 0].numpy()
st.image((picture * 255).astype(np.uint8), width=400)
