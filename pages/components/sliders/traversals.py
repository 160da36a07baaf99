"""Traversals from the current z: along single dimensions, or along directions that need no labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from vae import latent
from vae.encoded import STRIP_SHARE

from ..shell import cached, settings, state
from ..shell.glossary import explain
from ..widgets.picture_grid import picture_grid

ROWS = {"dimensions": "Dimensions", "principal": "Principal", "local": "Largest change"}
SETTINGS = {"sliders_rows": ("choice", *ROWS)}
STEPS = 9  # images in a row
MAX_DIRECTIONS = 8  # rows


class Rows(NamedTuple):
    """Rows of a grid of traversals."""

    codes: np.ndarray  # (R, STEPS, D)
    names: list[str]  # of what a row changes
    notes: list[str]  # what is known about each, "" for nothing
    values: np.ndarray  # (R, STEPS), the dimension's value or the place on the direction
    about: str


def traversals() -> None:
    """Show the section of traversals. Picking an image makes its code the current one."""
    card = state.card()
    st.header("Traversals")
    kind = "dimensions"
    if state.traits().values is None and cached.model_map(card.name) is not None:
        settings.take("sliders_rows", among=ROWS, labels=ROWS)
        kind = st.segmented_control(
            "Each row changes", ROWS, format_func=ROWS.__getitem__, default=kind, required=True, key="sliders_rows",
            persist_state="session",
        )  # fmt: skip
    try:
        rows = {"dimensions": _dimensions, "principal": _principal, "local": _local}[kind](card.name)
    except ValueError as error:
        st.caption(f"There are no such directions: {error}.")
        return
    st.caption(explain(f"{rows.about} Pick an image to use its z."))
    codes = rows.codes.reshape(-1, rows.codes.shape[-1])
    picture_grid(
        state.decode(codes),
        [f"{name} = {value:.2f}" for name, row in zip(rows.names, rows.values, strict=True) for value in row],
        key="sliders_strips",
        on_pick=lambda index: state.set_z(state.keep_locked(codes[index])),
        columns=STEPS,
        size=84,
        row_labels=[f"{name}\n{note}" if note else name for name, note in zip(rows.names, rows.notes, strict=True)],
        name="traversals",
    )


def _dimensions(name: str) -> Rows:
    order, listed = cached.dimension_order(name), cached.listed_dimensions(name)
    kl = state.card().figures.get("kl_per_dim")
    inactive = len(order) - len(listed)
    shown, counted = order, ""
    if inactive > 1:
        why = f"their mean KL is below {cached.MIN_LISTED_KL:g} nats" if kl else "they carry almost no information"
        counted = f" {inactive} of {len(order)} dimensions are hidden: {why}."
        if not st.toggle(f"Show all {len(order)}", key="sliders_all_strips", persist_state="session"):
            shown = listed
    values = np.linspace(*cached.strip_ranges(name)[shown].T, STEPS, axis=1)  # (R, STEPS)
    codes = np.tile(np.array(st.session_state.z, np.float32), (len(shown), STEPS, 1))
    for row, d in enumerate(shown):
        codes[row, :, d] = values[row]
    return Rows(
        codes, [state.dim_name(d) for d in shown], [f"{kl[d]:.2f} nats" if kl else "" for d in shown], values,
        f"Each row changes one dimension of this z, over the middle {100 * STRIP_SHARE:.0f} % of the encoded data."
        + counted,
    )  # fmt: skip


def _principal(name: str) -> Rows:
    directions = cached.principal_directions(name)
    axes, z = directions.axes[:MAX_DIRECTIONS], np.array(st.session_state.z)
    middle = (directions.place(z[None])[0])[: len(axes)]  # (R,), where z is
    values = np.linspace(*_extent(name, axes, directions.origin), STEPS, axis=1)
    return Rows(
        _moved(z, axes, values - middle[:, None]),
        [f"direction {k + 1}" for k in range(len(axes))],
        [f"{100 * share:.2g} %" for share in directions.explained[: len(axes)]], values,
        "Each row moves this z along one principal direction of the codes, over the middle "
        f"{100 * STRIP_SHARE:.0f} % of the encoded data. The percentage is the share of the codes' variance.",
    )  # fmt: skip


def _local(name: str) -> Rows:
    z, samples = np.array(st.session_state.z), cached.posterior_samples(name)
    found = latent.local_directions(lambda zs: state.decode(zs).numpy(), z, step=0.01 * float(samples.std()))
    if not found.change.any():
        raise ValueError("the decoder ignores z")
    axes = found.axes[:MAX_DIRECTIONS]
    low, high = _extent(name, axes, np.zeros_like(z))
    values = (high - low)[:, None] / 2 * np.linspace(-1, 1, STEPS)
    return Rows(
        _moved(z, axes, values),
        [f"direction {k + 1}" for k in range(len(axes))],
        [f"{100 * share:.2g} %" for share in found.shares[: len(axes)]], values,
        "Each row moves this z along one of the directions that change the image most, at this z: the singular "
        "vectors of the decoder's Jacobian. The percentage is the share of the squared change. The middle image is "
        "this z, and elsewhere other directions change the image most.",
    )  # fmt: skip


def _extent(name: str, axes: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Return the ends (2, K) of the middle of the encoded data along axes (K, D), measured from origin (D,)."""
    tail = (1 - STRIP_SHARE) / 2
    return np.quantile((cached.posterior_samples(name) - origin) @ axes.T, [tail, 1 - tail], axis=0)


def _moved(z: np.ndarray, axes: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return codes (K, S, D): z (D,) moved by lengths (K, S) along axes (K, D), except in locked dimensions."""
    codes = (z + lengths[:, :, None] * axes[:, None]).astype(np.float32)
    locked = sorted(state.locked())
    codes[:, :, locked] = z[locked]
    return codes
