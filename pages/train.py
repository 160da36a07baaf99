"""Train: a model learns while you watch and change beta."""

import streamlit as st

from pages.components.shell.glossary import explain
from pages.components.shell.navigation import ensure_entry_point
from pages.components.shell.title import show_title
from pages.components.train import visitor
from pages.components.train.choices import choose
from pages.components.train.outcome import show_model, show_recipe
from pages.components.train.panel import training_panel

PLACE = 55  # order in the navigation
GROUP = "Explore"
PARTS = {
    "training": "train_panel .layout", "plane": "train_panel .stage", "recon": "train_panel section.recon",
    "kl": "train_panel section.kl", "bars": "train_panel section.bars", "pictures": "train_panel section.pictures",
}  # fmt: skip

ensure_entry_point()
show_title("Train")
st.markdown("**Start a training** and watch the latent space form. Change beta while the model learns.")
training = visitor.training()
picture, choices = st.columns([4, 1], gap="medium")
with choices:
    show_model(training)
    choice = choose(locked=visitor.is_live(training))
with picture:
    training_panel(choice)
st.caption(
    explain(
        "Each point is the code of a validation image, coloured by its class. The images behind are decoded from a "
        "grid of codes. With more than two latent dimensions, you see the plane of the first two principal "
        "components. The loss is the reconstruction error plus beta times the KL."
    )
)
if training is not None:
    show_recipe(training)
visitor.warm_up()
