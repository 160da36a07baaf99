"""Inpainting: samples from the posterior given the visible pixels of an image."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from vae.latent import inpainting
from vae.models import FAMILIES

from ..shell import cached, settings, state
from ..shell.glossary import explain
from ..widgets import exports
from ..widgets.image_input import image_input
from ..widgets.picture_grid import picture_grid

NEEDS = "a posterior that can be sampled"
PARTICLES = {1: 64, 3: 24}  # by number of channels; fewer for colour images, which take longer
SHOWN = 16
PROGRESS = "Sampling from p(z | visible pixels)"
HIDDEN = {  # label: whether (y, x) is hidden, with y downwards and both from 0 to 1
    "lower half": lambda y, x: y >= 0.5,
    "upper half": lambda y, x: y < 0.5,
    "left half": lambda y, x: x < 0.5,
    "right half": lambda y, x: x >= 0.5,
    "a band": lambda y, x: (y >= 0.4) & (y < 0.65),
    "all but a window": lambda y, x: (abs(y - 0.5) > 0.15) | (abs(x - 0.5) > 0.15),
    "three pixels of four": lambda y, x: ((64 * y).astype(int) % 2 == 1) | ((64 * x).astype(int) % 2 == 1),
    "everything": lambda y, x: y >= 0,
}
SETTINGS = {"fill_hidden": ("choice", *HIDDEN), "fill_image": ("int", 0, 9999)}


def models() -> list[str]:
    cards = cached.zoo_scan()[0]
    names = [name for name, card in cards.items() if not FAMILIES[card.family].deterministic]
    return sorted(names, key=lambda name: name != "mnist-vae-16d")


def show() -> None:
    model = state.model()
    settings.take("fill_hidden")
    left, right = st.columns([1, 2], gap="large")
    given = left.container()
    hidden = left.pills(
        "Hidden", HIDDEN, default="lower half", required=True, key="fill_hidden", persist_state="session", wrap=True
    )
    with left.popover("Choose an image"):
        picked = image_input("fill_image", start_row=7)
    x = picked.x
    visible = _visible(hidden, model.image_shape[1:])
    y = int(picked.y[0]) if model.num_classes else None
    try:
        filled = _filled(x, visible, y)
    except ValueError as error:
        st.warning(f"{str(error)[0].upper()}{str(error)[1:]}.")
        return
    ys = None if y is None else torch.full((len(filled.z),), y)
    decoded = state.decode(filled.z, ys)
    masked = torch.where(visible, x, torch.tensor(0.5))

    titles = ["original", "visible", "mean of the samples", "encoder alone"]
    with given:
        encoder = _by_encoder(x * visible, y)
        picture_grid(
            torch.cat([x, masked, decoded.mean(0, keepdim=True), encoder]), titles, key="fill_given", columns=2,
            size=150, captions=titles, name="the original, its visible pixels and two estimates",
        )  # fmt: skip
    with right:
        st.markdown(
            f"**{SHOWN} samples from p(z | visible pixels).** All match what is visible and differ where pixels are "
            "hidden."
        )
        picture_grid(
            decoded[:SHOWN], [f"sample {i + 1}" for i in range(SHOWN)], key="fill_draws", size=96,
            on_pick=lambda i: state.set_z(filled.z[i], y=y), name="inpainted samples",
        )  # fmt: skip
        _show_classes(decoded)
        st.caption(
            explain(
                "Select a sample to use its z on other pages. The encoder alone gives one answer and reads hidden "
                f"pixels as black. Annealed HMC: {len(filled.z)} particles, {filled.temperature_steps} temperature "
                f"steps, {100 * filled.accepted:.0f} % accepted, seed {state.seed()}. {_evidence(filled)}"
            )
        )
        exports.download_sheet(decoded, 8, "inpainted", "fill_png")


def _evidence(filled: inpainting.Filled) -> str:
    """Return the sentence on log p of the visible pixels; "" for grey pixels, whose likelihood is no probability."""
    if not state.info().binary or not state.finite(filled.log_evidence):
        return ""
    return f"Estimated log p(visible pixels): {filled.log_evidence:.1f} nats."


def _visible(hidden: str, size: tuple[int, int]) -> torch.Tensor:
    """Return the mask of visible pixels, (H, W) bool."""
    y, x = np.mgrid[: size[0], : size[1]] / np.array(size)[:, None, None]
    if hidden == "three pixels of four":  # alternates pixel by pixel at every size
        y, x = np.mgrid[: size[0], : size[1]] / 64
    return torch.from_numpy(~HIDDEN[hidden](y, x))


def _filled(x: torch.Tensor, visible: torch.Tensor, y: int | None) -> inpainting.Filled:
    """Sample codes from the posterior given the visible pixels. The session caches the result for reruns."""
    key = (state.card().name, state.seed(), y, visible.numpy().tobytes(), x.numpy().tobytes())
    kept = st.session_state.get("filled")
    if kept and kept[0] == key:
        return kept[1]
    bar = st.progress(0.0, PROGRESS)
    filled = inpainting.fill_in(
        state.model(), x[0], visible, y, PARTICLES[x.shape[1]], torch.Generator().manual_seed(state.seed()),
        lambda power: bar.progress(power, PROGRESS),
    )  # fmt: skip
    bar.empty()
    st.session_state.filled = (key, filled)
    return filled


def _by_encoder(x: torch.Tensor, y: int | None) -> torch.Tensor:
    with torch.no_grad():
        return state.model().reconstruct(x, None if y is None else torch.tensor([y]))


def _show_classes(decoded: torch.Tensor) -> None:
    """Show which classes a classifier assigns to the samples, if one for the data's classes is shipped."""
    info = state.info()
    if info.grid is not None or not state.finite(decoded):
        return
    classifier = cached.classifier(info.name)
    if classifier is None:
        return
    with torch.no_grad():
        counts = np.bincount(classifier(decoded)[0].argmax(1).numpy(), minlength=len(info.classes))
    likely = np.argsort(-counts, kind="stable")[:5]
    st.markdown(
        "A classifier labels the samples: "
        + ", ".join(f"**{info.classes[k]}** in {100 * counts[k] / counts.sum():.0f} %" for k in likely if counts[k])
        + " of cases."
    )
