"""Sample: a grid of samples from the prior. Picking one makes it the current latent code."""

import streamlit as st

from pages.components.bridge import first_picture
from pages.components.shell import settings, state
from pages.components.shell.glossary import explain
from pages.components.shell.model_picker import class_picker, model_picker
from pages.components.widgets import exports
from pages.components.widgets.point import show_current_picture, show_nearest_test_images
from vae.data import pictures

PLACE = 20  # order in the navigation
GROUP = "Explore"
COUNTS = (16, 36, 64, 100)
TEMPERATURES = (0.0, 2.0)
SETTINGS = {
    "sample_count": ("choice", *COUNTS), "sample_temperature": ("float", *TEMPERATURES), "sample_level": ("text",),
}  # fmt: skip
PARTS = {"samples": "sample_grid", "picture": "sample_point", "nearest": "sample_nearest"}

st.title("Sample")
model = state.traits()
sample = "Sample from the prior" if model.has_elbo else "Sample codes"
st.markdown(explain(f"**{sample}**, then pick an image to explore it on every page."))
model_picker()

left, right = st.columns([3, 2], gap="large")
controls = right.container(horizontal=True, vertical_alignment="bottom")
controls.button("Sample again", type="primary", on_click=state.next_seed)
st.session_state["sample_seed"] = state.seed()
controls.number_input(
    "Seed", 0, state.MAX_SEED, step=1, key="sample_seed", width=170,
    on_change=lambda: state.set_seed(st.session_state["sample_seed"]),
)  # fmt: skip
settings.take("sample_count")
count = controls.select_slider("Samples", COUNTS, 36, key="sample_count", persist_state="session", width=170)
settings.take("sample_temperature")
temperature = controls.slider(
    "Temperature", *TEMPERATURES, 1.0, 0.05, key="sample_temperature", persist_state="session", width=170,
    help=f"{model.temperature_name}: 1 leaves the distribution as it is, 0 gives its most likely codes only",
)  # fmt: skip
level = None
with right:
    class_picker()
    if model.levels:
        levels = ["every level", *model.levels]
        settings.take("sample_level", among=levels)
        level = st.segmented_control(
            "Sampled levels", levels, default="every level", required=True, key="sample_level",
            persist_state="session", help="the other level keeps its values in the current z",
        )  # fmt: skip
    show_current_picture("sample_point")

first_picture.wait()
# The rest computes with torch, which the first visit of a server loads while the browser shows the picture.
import torch

from pages.components.widgets.picture_grid import picture_grid

# a local generator, because all sessions share torch's global seed
zs = state.model().sample(count, temperature, torch.Generator().manual_seed(state.seed()))
if level in model.levels:
    kept, dims = state.z().repeat(count, 1), list(model.levels[level])
    kept[:, dims] = zs[:, dims]
    zs = kept
images = state.decode(zs)

with left:
    picture_grid(
        images,
        [f"sample {i + 1} of {count}, seed {state.seed()}" for i in range(count)],
        key="sample_grid",
        on_pick=lambda index: state.set_z(zs[index]),
        columns=round(count**0.5),
        size=160,
        name="samples",
    )
    source = f"p(z) = {model.prior_name}"
    if not model.has_elbo:
        source = f"{model.prior_name}, because an autoencoder has no prior"
    temperature_text = f"temperature {temperature:g}"
    if model.discrete and temperature == 0:
        temperature_text = "the most likely vector at each position, so all samples are the same"
    only = f"; only the {level} is sampled, and the rest of z stays as it is" if level in model.levels else ""
    st.caption(f"z ~ {source}; {temperature_text}; seed {state.seed()}{only}.")
    # now, because the session is not available when the file is made
    pixels, credit = state.as_pictures(images), exports.credit()
    exports.download(
        "Grid (PNG)",
        lambda: exports.png(pictures.to_image(pictures.tile(pixels, round(count**0.5), gap=1), 2), credit),
        f"{state.card().name}-seed{state.seed()}.png", "image/png", key="sample_download",
    )  # fmt: skip
with right:
    show_nearest_test_images("sample_nearest")
    exports.download_picture("sample_picture")
