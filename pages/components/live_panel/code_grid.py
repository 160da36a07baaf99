"""A grid of codes to edit: choose places on the picture, then a vector for them, or sample them again.

It takes the sliders' part for a VQ-VAE, whose code is a grid of indices of vectors.
"""

from __future__ import annotations

import streamlit as st
import torch

from vae import browser

from ..bridge import messages
from ..shell import pictures, state
from ..shell.parse import MAX_COUNT, parse_indices, parse_int, parse_object
from ..widgets.picture_grid import picture_grid

_component = st.components.v2.component(
    "code_grid",
    html="<div class='frame'><canvas role='img'></canvas><div class='places' role='group'></div></div>",
    css=browser.source("widgets/code_grid/code_grid.css"),
    js=browser.source("widgets/code_grid/code_grid.js"),
)
KEY = "code_grid"
OFFERED = 32  # vectors to choose from, the likeliest first
DRAWN = 8  # samples of the chosen places


def code_grid() -> None:
    """Show the picture under its grid of places, vectors to put there, and new samples of them; write the
    state."""
    model, z = state.model(), state.z()
    rows, columns = model.grid
    half = list(range(rows // 2 * columns, model.latent_dim))
    places = st.session_state.get(_places_key(), half)  # the page does not open empty
    left, right = st.columns([2, 3], gap="large")
    with left:
        decoded = state.decode(z[None])
        picture = pictures.to_image(state.as_pictures(decoded)[0])
        _component(
            key=KEY,
            data={
                "picture": pictures.data_uri(picture), "rows": rows, "columns": columns,
                "numbers": [int(v) for v in z], "places": places, "crisp": state.info().crisp,
                "echo": st.session_state.get(KEY + "_number", 0),
            },
            on_chosen_change=_choose,
        )  # fmt: skip
        if not state.finite(decoded):
            st.warning(state.not_finite_message("at this point"))
        buttons = st.container(horizontal=True)
        buttons.button("All places", on_click=_set_places, args=(list(range(model.latent_dim)),))
        buttons.button("Lower half", on_click=_set_places, args=(half,))
        buttons.button("None", on_click=_set_places, args=([],))
        st.caption(
            f"{rows} x {columns} places, each the number of one of {model.codebook_size} vectors. "
            f"Chosen: {len(places)}."
        )
    with right:
        if not places:
            st.info("Choose a place on the picture: with the mouse, a finger, or Tab, arrows and Space.")
            return
        _draws(places)
        _vectors(places)


def _vectors(places: list[int]) -> None:
    """Show the likeliest vectors at the first chosen place; a click puts one at every chosen place."""
    model, z = state.model(), state.z()
    first = min(places)
    with torch.no_grad():
        p = model.prior.network(z[None].long())[0, first].softmax(0)  # (K,)
    likely = p.argsort(descending=True, stable=True)[:OFFERED]
    candidates = z.repeat(len(likely), 1)
    candidates[:, places] = likely[:, None].float()
    current = (likely == int(z[first])).nonzero()
    st.markdown(f"**Put a vector** at {_said(places)}")
    picture_grid(
        state.decode(candidates), [f"vector {k}, probability {p[k]:.3f}" for k in likely.tolist()],
        key=f"{KEY}_vectors", on_pick=lambda index: state.set_z(candidates[index], start=False),
        columns=8, size=84, selected=int(current[0]) if len(current) else None,
        captions=[f"{100 * p[k]:.0f} %" for k in likely.tolist()], name="vectors to put there",
    )  # fmt: skip
    st.caption(
        f"The {len(likely)} likeliest of {model.codebook_size} vectors, with what the prior gives each at "
        "the first chosen place, knowing the places before it."
    )


def _draws(places: list[int]) -> None:
    """Show new samples of the chosen places from the prior, with the other places kept."""
    model, z = state.model(), state.z()
    keep = torch.ones(model.latent_dim, dtype=torch.bool)
    keep[places] = False
    generator = torch.Generator().manual_seed(state.seed())
    zs = model.prior.sample_codes(DRAWN, generator=generator, start=z, keep=keep)
    st.markdown(f"**Draw anew** what stands at {_said(places)}")
    picture_grid(
        state.decode(zs), [f"draw {i + 1}, seed {state.seed()}" for i in range(DRAWN)],
        key=f"{KEY}_draws", on_pick=lambda index: state.set_z(zs[index], start=False), columns=8,
        size=84, name="new draws",
    )  # fmt: skip
    st.button("Other draws", on_click=lambda: state.set_seed((state.seed() + 1) % (state.MAX_SEED + 1)))
    st.caption(
        f"p(z) row by row, seed {state.seed()}: a place that is drawn knows those before it, not those "
        "that were kept after it."
    )


def _said(places: list[int]) -> str:
    rows, columns = state.model().grid
    if len(places) == 1:
        return f"row {places[0] // columns + 1}, column {places[0] % columns + 1}"
    return f"{len(places)} places"


def _places_key() -> str:
    return f"{KEY}_places_{state.card().name}"  # the grid is a different one for each model


def _set_places(places: list[int]) -> None:
    st.session_state[_places_key()] = places


def _choose() -> None:
    """Keep the places that were chosen in the browser, and the number under which it sent them."""
    payload = parse_object(messages.sent(KEY, "chosen"))
    if payload is None:
        return
    number = parse_int(payload.get("number"), 0, MAX_COUNT)
    if number is not None:
        st.session_state[KEY + "_number"] = number
    places = parse_indices(payload.get("places"), state.model().latent_dim)
    if places is not None:
        _set_places(places.tolist())
