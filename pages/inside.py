"""Inside: see one image go through a VAE, with the real numbers of the real model."""

import streamlit as st

from pages.components import cached, state
from pages.components.image_input import image_input
from pages.components.inside import inside_panel, serves
from pages.components.model_picker import model_picker

st.title("Inside")
st.markdown(
    "**Draw**, and watch the picture become a distribution, a point, and a picture again. Touch a step to see "
    "its symbol and the code that ran."
)
model_picker()
model = state.model()
if not serves(model):
    st.info(
        "This model's posterior is not one Gaussian per dimension, which is what this page takes apart: choose "
        "a VAE, a beta-VAE or a conditional one."
    )
    st.page_link("pages/sliders.py", label="This model on Sliders")
    state.end_page()

sources = ["Draw", "Choose or upload"]
colour = model.image_shape[0] == 3  # a white line is none of a colour model's pictures
source = st.segmented_control(
    "Image", sources, default=sources[colour], required=True, key=f"inside_source_{colour}", label_visibility="collapsed"
)  # fmt: skip
picked = None
with st.container():  # always there: what comes and goes before the panel would build it anew
    if source != "Draw":
        picked = image_input("inside_image")
inside_panel(picked)
data = cached.info(state.card().data)
st.caption(
    f"Every number is computed by the functions of `vae/` on {state.card().title}. Averages are over "
    f"{state.card().figures.get('test_images', 0):,} test images of {data.title}: one image is not the model. "
    "Dashed: p(z) at one and two standard deviations, or, under the bars, its one standard deviation. "
    "White in the error picture is 4 nats a pixel and more."
)
