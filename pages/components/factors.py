"""The true factors of the current point, for data that is drawn from factors."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from vae import latent
from vae.data.base import FactorGrid

from . import cached, state


def grid() -> FactorGrid | None:
    """What the current model's data is drawn from; None where the truth is not known."""
    return cached.info(state.card().data).grid


def current() -> tuple[np.ndarray, bool]:
    """(factor values (K,), whether the current point is the code of exactly that image).

    A point that came from elsewhere has no factors: those of the held-out image whose code lies
    nearest stand in.
    """
    kept = st.session_state.get("factors")
    if kept is not None and kept[0] == (st.session_state.model, state.version()):
        return np.array(kept[1]), True
    found = cached.model_map(state.card().name)
    row, distance = 0, np.inf
    if found is not None:
        nearest, distances = latent.nearest(state.z().numpy()[None], found.codes, 1)
        row, distance = int(found.rows[nearest[0, 0]]), distances[0, 0]
    # the session rounds z, so that an image's own code is this far away
    return cached.gallery(state.card().data).factors[row].copy(), bool(distance < 1e-3)


def images(factors: np.ndarray) -> torch.Tensor:
    """Factor values (B, K) -> images (B, C, H, W) in [0, 1], drawn now."""
    return torch.from_numpy(grid().render(factors)).float() / 255


def set_factors(factors: np.ndarray) -> None:
    """Draw the image with these factor values (K,) and make its code the current point."""
    state.set_z(state.encode(images(factors[None]))[0])
    st.session_state.factors = ((st.session_state.model, state.version()), tuple(factors.tolist()))
