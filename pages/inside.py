"""Inside: the forward pass of one image through a VAE, with all intermediate values."""

import streamlit as st

from pages.components.bridge import first_picture
from pages.components.inside.panel import WHITE, inside_panel, is_supported, missing_network
from pages.components.shell import cached, link, settings, state
from pages.components.shell.model_picker import model_picker, switch_model_button
from pages.components.widgets.image_input import image_input

PLACE = 70  # order in the navigation
GROUP = "Understand"
SOURCES = ("Draw", "Choose or upload")
SETTINGS = {"inside_source": ("choice", *SOURCES), "inside_image": ("int", 0, 9999)}

st.title("Inside")
st.markdown(
    "**Draw**, and watch the picture become a distribution, a point, and a picture again. Touch a step to see "
    "its symbol and its function in Python."
)
model_picker()
model, missing = state.traits(), missing_network(state.traits())
if missing or not is_supported(model):
    reason = cached.network(state.card().name)["not_portable"].get(missing, "it cannot be exported")
    st.info(
        f"This page runs the model in your browser, which cannot run its network `{missing}`: {reason}."
        if missing
        else "This model's posterior is not one Gaussian per dimension, which is what this page takes apart: choose "
        "a VAE, a beta-VAE or a conditional one."
    )
    switch_model_button([name for name in (link.DEFAULT_MODEL,) if name in cached.zoo_scan()[0]])
    st.page_link("pages/sliders.py", label="This model on Sliders")
    link.end_page()

can_draw = state.info().preparation.light_on_dark  # like a line on the panel
settings.take("inside_source", f"inside_source_{can_draw}")
source = st.segmented_control(
    "Image", SOURCES, default=SOURCES[not can_draw], required=True, key=f"inside_source_{can_draw}",
    label_visibility="collapsed"
)  # fmt: skip
picked = None
# Keep this container on every run: an element that appears or vanishes above the panel makes Streamlit remount it.
with st.container():
    if source != "Draw":
        picked = image_input("inside_image")
inside_panel(picked)
data = state.info()
st.caption(
    f"Your browser computes every number with the weights of {state.card().title}, as the functions of `vae/` do; "
    "what you draw stays on your device. Averages are over "
    f"{state.card().figures.get('test_images', 0):,} test images of {data.title}: one image is not the model. "
    "Rings: p(z) at one and two standard deviations; under bars the grey band is one. "
    f"White in the error picture is {WHITE:g} nats a pixel and more"
    + ("." if model.is_cross_entropy else ", counted from the pixel with the least error.")
)

first_picture.wait()
# The rest reads the models' configurations with torch, which a server's first visit loads while the browser shows the
# picture.
from pages.components.inside.betas import models_by_beta, show_betas
from pages.components.widgets import charts

models = models_by_beta(state.card())
if len(models) > 2:
    st.subheader("What beta buys, and when a code collapses")
    st.caption("The same image through models that differ in beta alone, reconstructed at the posterior mean.")
    show_betas(models, key="inside_betas")
    with_rate = [c for c in models if "kl" in c.figures]
    no_kl_recon = [c.figures["recon"] for c in models if "kl" not in c.figures]
    st.plotly_chart(
        charts.rate_distortion(
            [c.figures["kl"] for c in with_rate], [c.figures["recon"] for c in with_rate],
            [f"beta {cached.beta(c):g}: {c.figures['active_units']} active" for c in with_rate],
            no_kl_recon[0] if no_kl_recon else None,
        ),
        key="inside_rate", config=charts.CONFIG, alt="distortion against rate for models of different beta",
    )  # fmt: skip
    steps = ", ".join(f"beta {cached.beta(c):g}: {c.recipe['steps']:,} steps" for c in models)
    st.caption(
        f"Every point is a trained model of {data.title} with the same networks ({steps}), measured on test images: "
        f"what a code costs against what "
        "the picture loses. Without a KL there is no rate to speak of, only a distortion: the dashed line. Active "
        "units are a statistic of the data set, the dimensions whose posterior means vary by more than 0.01: a "
        "collapse cannot be seen in one image."
    )
    st.page_link("pages/compare.py", label="Their strips and bars side by side, on Compare")
