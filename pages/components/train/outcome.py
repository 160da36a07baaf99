"""What a training leaves: its model, the command line that repeats it, and the code that ran."""

from __future__ import annotations

import streamlit as st

from vae import live

from ..shell import cached, own_panel, state
from ..shell.navigation import open_page
from ..widgets import source
from . import visitor

PAGES = ("sliders", "sample", "interpolate", "map", "inside")  # where a model can be explored
OBJECTIVES = {  # of a family: (file, class in vae/objectives, function in vae/objectives/terms.py)
    "tc_vae": ("beta_tcvae", "BetaTCVAE", "beta_tcvae"), "vqvae": ("vq_vae", "VectorQuantised", "vq_vae"),
}  # fmt: skip
BETA_VAE = ("beta_vae", "BetaVAE", "elbo")  # of all others


def show_model(training: live.Training | None) -> None:
    """Show where the model of a training that has ended can be explored, and make it the current one once."""
    outcome = visitor.outcome(training, again=True)
    if outcome is None:
        return
    if outcome.problem:
        st.warning(f"The model cannot be kept: {outcome.problem}.")
        return
    if outcome.name not in cached.zoo_scan()[0]:  # the visitor has deleted it
        return
    if not outcome.chosen:
        outcome.chosen = True
        state.set_model(outcome.name)
    st.markdown("**Explore your model**")
    with st.container(horizontal=True, gap="small", key="train_explore"):
        for page in PAGES:
            st.button(page.capitalize(), key=f"train_open_{page}", on_click=_open, args=(outcome.name, page))
    own_panel.show_kept(cached.card(outcome.name))


def show_recipe(training: live.Training) -> None:
    """Show how a training can be repeated, and the code that ran."""
    with st.expander("Repeat this training"):
        st.caption("This command line trains the same weights, bit for bit.")
        st.code(training.command(), language="bash", wrap_lines=True)
    with st.expander("The code that ran"):
        for part in _sources(training.plan):
            st.caption(f"`{part.name}`")
            st.code(part.text, language="python")


def _open(name: str, page: str) -> None:
    state.set_model(name)
    open_page(page)


def _sources(plan: live.Plan) -> list[source.Source]:
    """Return the functions of vae/ that a training has run, one step's from the outside in."""
    file, cls, terms = OBJECTIVES.get(plan.family, BETA_VAE)
    family = live.FAMILIES[plan.family].model
    networks = [source.method(family, name) for name in ("encode", "decode_logits")]
    return [
        source.function("training.loop", "train.take_step"), source.function(f"objectives.{file}", f"{cls}.terms"),
        source.function("objectives.terms", terms), *filter(None, networks),
    ]  # fmt: skip
