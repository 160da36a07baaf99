"""What a training leaves: its model, the command line that repeats it, and the code that ran."""

from __future__ import annotations

import threading
from contextlib import suppress
from weakref import WeakKeyDictionary

import streamlit as st

from vae import live
from vae.jobs import JobError
from vae.project import ProjectError

from ..shell import cached, own, state
from ..shell.navigation import open_page
from ..widgets import source

PAGES = ("sliders", "sample", "interpolate", "map", "inside")  # where a model can be explored
OBJECTIVES = {  # of a family: (file, class in vae/objectives, function in vae/objectives/terms.py)
    "tc_vae": ("beta_tcvae", "BetaTCVAE", "beta_tcvae"), "vqvae": ("vq_vae", "VectorQuantised", "vq_vae"),
}  # fmt: skip
BETA_VAE = ("beta_vae", "BetaVAE", "elbo")  # of all others
_adopted: WeakKeyDictionary[live.Training, str] = WeakKeyDictionary()  # the names of their models
_lock = threading.Lock()


def show_model(training: live.Training | None) -> None:
    """Show where the model of a training that has ended can be explored."""
    try:
        name = _model(training) if training is not None else ""
    except (ProjectError, OSError) as error:
        st.warning(f"The model cannot be kept: {error}.")
        return
    if name not in cached.zoo_scan()[0]:  # there is none yet, or the visitor has deleted it
        return
    st.markdown("**Explore your model**")
    with st.container(horizontal=True, gap="small", key="train_explore"):
        for page in PAGES:
            st.button(page.capitalize(), key=f"train_open_{page}", on_click=_open, args=(name, page))


def _model(training: live.Training) -> str:
    """Return the name of a training's model among the visitor's own, which it joins once; "" while it has none.

    Raises ProjectError and OSError.
    """
    with _lock:
        if training not in _adopted:
            with suppress(JobError):  # it goes on, or has left no model
                _adopted[training] = own.adopt(training.result())
        return _adopted.get(training, "")


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
