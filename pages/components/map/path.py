"""The path drawn on the map, and the pictures along it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from vae import latent
from vae.data import pictures

from ..shell import cached, state
from ..widgets import exports
from ..widgets.collection import Collection, Layout
from ..widgets.picture_grid import picture_grid
from ..widgets.point import go_to_position

FRAMES = 16


def current_path(collection: Collection, layout: Layout) -> np.ndarray:
    """Return the path drawn on this layout, positions (S, 2); (0, 2) if there is none."""
    kept, positions = st.session_state.get("map_path", (None, None))
    return positions if kept == (collection.id, layout.key) else np.empty((0, 2))


def path_handler(collection: Collection, layout: Layout) -> Callable[[np.ndarray], None]:
    """Return a callback that keeps a drawn path and makes its end the current z."""

    def on_path(positions: np.ndarray) -> None:
        st.session_state.map_path = ((collection.id, layout.key), positions)
        go_to_position(layout, collection, positions[-1])

    return on_path


def show_path(collection: Collection, layout: Layout) -> None:
    """Show decoded images at equal steps along the path; nothing if there is no path."""
    positions = current_path(collection, layout)
    if not len(positions):
        return
    st.divider()
    heading = st.columns([3, 2], vertical_alignment="bottom")
    heading[0].header("Along your path")
    stops = latent.along(positions, FRAMES)
    zs = layout.inverse_transform(stops, collection)
    ys = layout.classes_at(stops, collection)
    frames = state.decode(zs, ys)
    name = state.card().name
    # now, because the session is not available when a file is made
    pixels, scale, credit = state.as_pictures(frames), 8 if state.info().crisp else 4, exports.credit()
    with heading[1].container(horizontal=True, horizontal_alignment="right"):
        exports.download(
            "Animation (GIF)",
            lambda: exports.gif(pixels, credit, scale=scale),
            f"{name}-path.gif", "image/gif", key="map_path_gif", primary=True,
        )  # fmt: skip
        exports.download(
            "Images (PNG)",
            lambda: exports.png(pictures.to_image(pictures.tile(pixels, FRAMES, gap=1), 2), credit),
            f"{name}-path.png", "image/png", key="map_path_png",
        )  # fmt: skip
        st.button("Clear", key="map_path_clear", on_click=_forget)
    support, support_note = None, ""
    if cached.model_map(name) is not None:
        support = latent.support(state.features(zs), cached.features(name), cached.local_distances(name))
        support_note = (
            " The value below each is its support: the share of test images whose codes lie in regions as sparse or "
            "sparser."
        )
    picture_grid(
        frames, [f"step {i + 1} of {FRAMES}" for i in range(FRAMES)], key="map_path_frames",
        on_pick=lambda index: go_to_position(layout, collection, stops[index]), columns=FRAMES // 2, size=150,
        captions=None if support is None else [f"{v:.2f}" for v in support], name="images along the path",
    )  # fmt: skip
    st.caption(
        f"{FRAMES} positions at equal steps along the path, decoded. The map is {layout.title}." + support_note
        + " Choose a step to use its code."
    )  # fmt: skip


def _forget() -> None:
    st.session_state.pop("map_path", None)
