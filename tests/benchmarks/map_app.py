"""The app that map.py measures: 70,000 points, on the app's own map or (?scattergl=1) on Plotly's."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

import vae
from pages.components.map.scatter import scatter
from pages.components.shell import link
from pages.components.widgets import collection
from vae.browser.colours import PETROFF
from vae.data import DATASETS
from vae.encoded import EncodedImages

NAME, DRAWS = "mnist-vae-2d", 7


@st.cache_resource
def points() -> collection.Collection:
    """Seven draws from the posterior of each of 10,000 test images."""
    model, split = vae.load(NAME), DATASETS["mnist"].load("test")
    x, labels = split.batch(range(len(split)))
    posterior = model.encode(x)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(DRAWS, *posterior.mean.shape, generator=generator)
    codes = (posterior.mean + posterior.stddev * noise).flatten(0, 1).numpy()
    rows = np.tile(np.arange(len(split)), DRAWS)
    kinds = np.tile(labels.numpy(), DRAWS)
    return collection.Collection(
        id="benchmark", sheet="benchmark", title="draws",
        encoded=EncodedImages(rows, codes, codes, np.zeros(len(codes), np.float32), codes, codes, codes),
        features=codes, labels=kinds, classes=DATASETS["mnist"].classes, ys=kinds, map_details={},
        images=lambda i: split.batch(rows[i])[0], names=None,
    )  # fmt: skip


st.set_page_config(layout="wide")
link.begin_run()
shown = points()
if "scattergl" in st.query_params:
    figure = go.Figure(
        go.Scattergl(
            x=shown.encoded.codes[:, 0], y=shown.encoded.codes[:, 1], mode="markers", text=shown.labels,
            marker={"size": 4, "color": [PETROFF[label] for label in shown.labels]},
        )
    )  # fmt: skip
    figure.update_layout(height=620, dragmode="pan")
    st.plotly_chart(figure, config={"scrollZoom": True})
else:
    layout = collection.make_layout(shown, "dims", "Latent plane", (0, 1))
    nothing = np.empty(0, int)
    scatter(
        shown, layout, "class", lambda *_: None, lambda _: None, lambda _: None,
        current=shown.encoded.codes[0], neighbours=nothing, selected=nothing, path=np.empty((0, 2)), marks=[],
    )  # fmt: skip
st.title("Map")
