"""Uses: applications of VAEs, each demonstrated on trained models."""

import streamlit as st

from pages.components.shell import cached, link, settings, state
from pages.components.shell.model_picker import model_picker, switch_model_button
from pages.components.uses import anomalies, augmentation, denoising, filling, labels, memory

PLACE = 80  # order in the navigation
GROUP = "Understand"

USES = {
    "anomalies": ("Find what is foreign", anomalies),
    "denoising": ("Denoise", denoising),
    "filling": ("Fill in", filling),
    "labels": ("Learn from few labels", labels),
    "augmentation": ("Make more data", augmentation),
    "memory": ("Is it memory?", memory),
}
SETTINGS = {"use": ("choice", *USES)}

st.title("Uses")
st.markdown("**What a VAE is good for,** and where it fails: every picture and figure is a trained model's own.")
model_picker()


def on_section_change() -> None:
    """Switch to a model that the section supports: the visitor's own if possible, else the first."""
    supported = USES[st.session_state.use][1].models()
    current = state.card().name
    own, _ = st.session_state.pop("use_own", (current, current))
    new_model = own if own in supported or not supported else supported[0]
    if new_model != current:
        state.set_model(new_model)
    if new_model != own:
        st.session_state.use_own = (own, new_model)


if settings.take("use"):
    st.session_state.pop("use_own", None)  # the link chose the model
# required, because a second click on the selected option would otherwise deselect it
st.segmented_control(
    "What for", USES, default=None if "use" in st.session_state else "anomalies", required=True, key="use",
    format_func=lambda use: USES[use][0], label_visibility="collapsed", on_change=on_section_change,
    persist_state="session",
)  # fmt: skip
use, section = st.session_state.use, USES[st.session_state.use][1]
link.set_page_parameter("use", use)
supported = section.models()
own, replacement = st.session_state.get("use_own", ("", ""))
if replacement and state.card().name != replacement:  # the visitor has picked another model
    del st.session_state.use_own
    replacement = ""
if state.card().name in supported:
    if replacement:
        st.caption(f"Shown on another model: this was not measured on {cached.zoo_scan()[0][own].title}.")
    section.show()
else:
    st.info(f"{section.NEEDS} The model above is none of these.")
    switch_model_button(supported)
