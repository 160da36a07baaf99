"""Uses: what VAEs are used for, each a small working piece on real models."""

import streamlit as st

from pages.components.shell import cached, link, state
from pages.components.shell.model_picker import model_picker, switch_model_button
from pages.components.uses import anomalies, augmentation, denoising, filling, labels, memory

PLACE = 80  # in the navigation

USES = {
    "anomalies": ("Find what is foreign", anomalies),
    "denoising": ("Denoise", denoising),
    "filling": ("Fill in", filling),
    "labels": ("Learn from few labels", labels),
    "augmentation": ("Make more data", augmentation),
    "memory": ("Is it memory?", memory),
}

st.title("Uses")
st.markdown("**What a VAE is good for,** and where it fails: every picture and figure is a trained model's own.")
model_picker()


def change() -> None:
    """A section's models are those that it was measured on; the visitor's own model comes back where it is one."""
    fitting = USES[st.session_state.use][1].models()
    here = state.card().name
    own, _ = st.session_state.pop("use_own", (here, here))
    wanted = own if own in fitting or not fitting else fitting[0]
    if wanted != here:
        state.set_model(wanted)
    if wanted != own:
        st.session_state.use_own = (own, wanted)


wished = link.pop_page_parameter("use")
if wished in USES:
    st.session_state.use = wished
    st.session_state.pop("use_own", None)  # a link's model is chosen
# pressing the chosen one again would leave none
st.segmented_control(
    "What for", USES, default=None if "use" in st.session_state else "anomalies", required=True, key="use",
    format_func=lambda use: USES[use][0], label_visibility="collapsed", on_change=change, persist_state="session",
)  # fmt: skip
use, section = st.session_state.use, USES[st.session_state.use][1]
link.set_page_parameter("use", use)
fitting = section.models()
own, instead = st.session_state.get("use_own", ("", ""))
if instead and state.card().name != instead:  # another was chosen by hand since
    del st.session_state.use_own
    instead = ""
if state.card().name in fitting:
    if instead:
        st.caption(f"Shown on another model: this was not measured on {cached.zoo_scan()[0][own].title}.")
    section.show()
else:
    st.info(f"{section.NEEDS} The model above is none of these.")
    switch_model_button(fitting)
