"""Uses: applications of VAEs, each demonstrated on trained models."""

import streamlit as st

from pages.components.shell import link, settings
from pages.components.shell.model_picker import model_picker
from pages.components.uses import anomalies, augmentation, denoising, fairness, filling, labels, memory

PLACE = 80  # order in the navigation
GROUP = "Understand"

USES = {  # the value in links: (label, section)
    "denoising": ("Denoise", denoising),
    "filling": ("Inpaint", filling),
    "anomalies": ("Detect outliers", anomalies),
    "labels": ("Few labels", labels),
    "augmentation": ("Augment data", augmentation),
    "memory": ("Memorisation", memory),
    "fairness": ("Fairness", fairness),
}
SETTINGS = {"use": ("choice", *USES)}
PARTS = {
    "denoised": "denoise_pictures", "given": "fill_given", "inpainted": "fill_draws",
    "outliers": "anomaly_examples", "scores": "anomaly_scores", "roc": "anomaly_roc",
    "styles": "labels_styles", "accuracy": "labels_accuracy", "augmented": "augment_pictures",
    "distances": "memory_chart", "pairs": "memory_0", "lost": "fair_pictures",
}  # fmt: skip

st.title("Uses")
st.markdown("**Pick a task** and see a VAE help, or fail.")
settings.take("use", labels={use: label for use, (label, _) in USES.items()})
use = st.session_state.setdefault("use", "denoising")
section = USES[use][1]
supported = section.models()
model_picker(serves=lambda card: card.name in supported, instead=next(iter(supported), ""), needs=section.NEEDS)
# required, because a second click on the selected option would otherwise deselect it
st.segmented_control(
    "Task", USES, required=True, key="use", format_func=lambda use: USES[use][0], label_visibility="collapsed",
    persist_state="session", wrap=False,  # one row, which scrolls on a phone and keeps the picture high
)  # fmt: skip
link.set_page_parameter("use", use)
section.show()
