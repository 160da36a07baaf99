"""An editor for the code of a VQ-VAE, a grid of codebook indices. It replaces the sliders.

The visitor selects positions on the picture, then sets a vector at them or samples them again.
"""

from __future__ import annotations

import streamlit as st
import torch

from vae.data import pictures

from ..bridge import messages
from ..bridge.component import widget
from ..shell import state
from ..shell.glossary import explain
from ..shell.parse import MAX_COUNT, parse_indices, parse_int, parse_object
from ..widgets.picture_grid import picture_grid
from .panel import sample_next

_component = widget("code_grid")
KEY = "code_grid"
MAX_VECTORS = 32  # shown, the most likely first
N_SAMPLES = 8  # of the selected positions


def code_grid() -> None:
    """Show the picture with its grid of positions, vectors to set at the selected ones, and new samples of them."""
    model, z = state.model(), state.z()
    rows, columns = model.grid
    half = list(range(rows // 2 * columns, model.latent_dim))
    positions = st.session_state.get(_positions_key(), half)  # never empty at first
    left, right = st.columns([2, 3], gap="large")
    with left:
        decoded = state.decode(z[None])
        picture = pictures.to_image(state.as_pictures(decoded)[0])
        _component(
            key=KEY,
            data={
                "picture": pictures.data_uri(picture), "rows": rows, "columns": columns,
                "numbers": [int(v) for v in z], "places": positions, "crisp": state.info().crisp,
                "echo": st.session_state.get(KEY + "_number", 0),
            },
            on_chosen_change=_keep_positions,
        )  # fmt: skip
        if not state.finite(decoded):
            st.warning(state.not_finite_message("at this z"))
        buttons = st.container(horizontal=True)
        buttons.button("Select all", on_click=_set_positions, args=(list(range(model.latent_dim)),))
        buttons.button("Lower half", on_click=_set_positions, args=(half,))
        buttons.button("Select none", on_click=_set_positions, args=([],))
        buttons.button("Sample z", on_click=sample_next, help="sample the whole code from the prior")
        buttons.button("Most likely code", on_click=lambda: state.set_z(state.model().prior.mean))
        st.caption(
            explain(
                f"The latent code has {rows} × {columns} positions. Each holds the index of one of "
                f"{model.codebook_size} codebook vectors, so there are no sliders. Selected: {len(positions)}."
            )
        )
    with right:
        if not positions:
            st.info("Select a position on the image: click, tap, or use Tab, the arrow keys and Space.")
            return
        _show_samples(positions)
        _show_vectors(positions)


def _show_vectors(positions: list[int]) -> None:
    """Show the most likely vectors at the first selected position. A click sets one at every selected position."""
    model, z = state.model(), state.z()
    first = min(positions)
    with torch.no_grad():
        p = model.prior.network(z[None].long())[0, first].softmax(0)  # (K,)
    likely = p.argsort(descending=True, stable=True)[:MAX_VECTORS]
    candidates = z.repeat(len(likely), 1)
    candidates[:, positions] = likely[:, None].float()
    current = (likely == int(z[first])).nonzero()
    st.markdown(f"**Set the vector** at {_describe(positions)}")
    picture_grid(
        state.decode(candidates), [f"vector {k}, probability {p[k]:.3f}" for k in likely.tolist()],
        key=f"{KEY}_vectors", on_pick=lambda index: state.set_z(candidates[index], start=False),
        columns=8, size=84, selected=int(current[0]) if len(current) else None,
        captions=[f"{100 * p[k]:.0f} %" for k in likely.tolist()], name="codebook vectors",
    )  # fmt: skip
    st.caption(
        explain(
            f"The {len(likely)} most likely of {model.codebook_size} vectors. Below each: its probability under the "
            "prior at the first selected position, given the positions before it."
        )
    )


def _show_samples(positions: list[int]) -> None:
    """Show new samples of the selected positions from the prior, given all other positions."""
    model, z = state.model(), state.z()
    keep = torch.ones(model.latent_dim, dtype=torch.bool)
    keep[positions] = False
    generator = torch.Generator().manual_seed(state.seed())
    zs = model.prior.sample_codes(N_SAMPLES, generator=generator, start=z, keep=keep)
    st.markdown(f"**Sample again** at {_describe(positions)}")
    picture_grid(
        state.decode(zs), [f"sample {i + 1}, seed {state.seed()}" for i in range(N_SAMPLES)],
        key=f"{KEY}_draws", on_pick=lambda index: state.set_z(zs[index], start=False), columns=8,
        size=84, name="new samples",
    )  # fmt: skip
    st.button("Sample again", on_click=state.next_seed)
    st.caption(
        f"Sampled from p(z) row by row, seed {state.seed()}. Each position depends on the positions before it, and "
        "not on those after it."
    )


def _describe(positions: list[int]) -> str:
    rows, columns = state.model().grid
    if len(positions) == 1:
        return f"row {positions[0] // columns + 1}, column {positions[0] % columns + 1}"
    return f"{len(positions)} positions"


def _positions_key() -> str:
    return f"{KEY}_places_{state.card().name}"  # one for each model, because their grids differ


def _set_positions(positions: list[int]) -> None:
    st.session_state[_positions_key()] = positions


def _keep_positions() -> None:
    """Keep the positions selected in the browser and the number of its message."""
    payload = parse_object(messages.sent(KEY, "chosen"))
    if payload is None:
        return
    number = parse_int(payload.get("number"), 0, MAX_COUNT)
    if number is not None:
        st.session_state[KEY + "_number"] = number
    positions = parse_indices(payload.get("places"), state.model().latent_dim)
    if positions is not None:
        _set_positions(positions.tolist())
