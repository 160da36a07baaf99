"""What is trained, and how: the choices beside the panel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from vae import live
from vae.data import DATASETS, DatasetInfo
from vae.live.settings import seconds as allowed

from ..shell import settings
from ..shell.state import MAX_SEED
from . import example, own_images

DIMS = (2, 3, 4, 6, 8, 10, 12, 16, 24, 32, 48, 64)
LIKELIHOODS = {
    "bernoulli": "Bernoulli", "continuous_bernoulli": "Continuous Bernoulli", "gaussian": "Gaussian",
    "gaussian_learned": "Gaussian, learned variance", "gaussian_optimal": "Gaussian, optimal variance",
}  # fmt: skip
NETWORKS = ("small", "medium")
IMAGES = {0: "All", 1000: "1,000", 200: "200"}
SECONDS = (30, 60, 120, 300)
SETTINGS = {
    "train_data": ("text",), "train_family": ("text",), "train_dims": ("choice", *DIMS),
    "train_beta": ("float", 0, 64), "train_likelihood": ("choice", *LIKELIHOODS),
    "train_size": ("choice", *NETWORKS), "train_seed": ("int", 0, 2147483647),
    "train_seconds": ("choice", *SECONDS), "train_images": ("choice", *IMAGES),
}  # fmt: skip


KEPT = "train_choices"  # in the session: {key: value} of all choices


@dataclass(frozen=True)
class Choice:
    """What the next training would be."""

    plan: live.Plan
    info: DatasetInfo  # the data set
    refusal: str  # a sentence on why it cannot start; "" if it can

    def at(self, beta: float) -> live.Plan:
        return replace(self.plan, beta=beta)


def choose(locked: bool) -> Choice:
    """Show the choices. locked: whether a training is going on, which keeps its own."""
    sets = _data_sets()
    data = _select("Images", "train_data", tuple(sets), lambda name: sets[name].title, locked, example.PLAN.data)
    own_images.upload(locked)
    images = _select("Training images", "train_images", tuple(IMAGES), IMAGES.__getitem__, locked)
    families = tuple(live.FAMILIES)
    family = _select("Model", "train_family", families, lambda key: live.FAMILIES[key].title, locked, "vae")
    dims = _select("Latent dimensions", "train_dims", DIMS, str, locked or family == "vqvae")
    likelihood = _select("Likelihood", "train_likelihood", tuple(LIKELIHOODS), LIKELIHOODS.__getitem__, locked)
    size = _select("Networks", "train_size", NETWORKS, str.capitalize, locked)
    times = tuple(seconds for seconds in SECONDS if seconds <= allowed()) or SECONDS[:1]
    seconds = _select("Training time", "train_seconds", times, _duration, locked, times[len(times) > 1])
    settings.take("train_seed")
    _restore("train_seed", 0)
    seed = st.session_state[KEPT]["train_seed"] = st.number_input(
        "Seed", 0, MAX_SEED, key="train_seed", disabled=locked
    )
    plan = live.Plan(
        data, family, latent_dim=dims, likelihood=likelihood, size=size, seed=seed, seconds=seconds, images=images
    )  # fmt: skip
    refusal = plan.check(sets[data]) if allowed() else "This server does not allow training."
    return Choice(plan, sets[data], refusal)


def _data_sets() -> dict[str, DatasetInfo]:
    """Return {name: data set} of what the visitor may train on: his own, that of the example, and all others."""
    return {**own_images.data_sets(), example.PLAN.data: DATASETS[example.PLAN.data], **DATASETS}


def _select(label: str, key: str, options: tuple, shown, locked: bool, default=None):
    settings.take(key, among=options)
    _restore(key, options[0] if default is None else default, options)
    st.session_state[KEPT][key] = st.selectbox(label, options, format_func=shown, key=key, disabled=locked)
    return st.session_state[KEPT][key]


def _restore(key: str, default, options: tuple = ()) -> None:
    """Give a choice the value that it had when the visitor left the page, which Streamlit has dropped, or the default
    where that is no option any more."""
    value = st.session_state.get(key, st.session_state.setdefault(KEPT, {}).get(key, default))
    st.session_state[key] = value if not options or value in options else default


def _duration(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 60 else f"{seconds // 60} minute{'s' * (seconds > 60)}"
