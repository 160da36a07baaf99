"""Widgets about the current latent code: its picture and its nearest images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

import vae

from ..bridge import first_picture, messages
from ..bridge.component import widget
from ..shell import cached, state
from .picture_grid import picture_grid

if TYPE_CHECKING:
    from .collection import Collection, Layout

_picture = widget("point_picture")


def show_current_picture(key: str, caption: str = "the current z, decoded") -> None:
    """Show the picture of the current code, which the browser decodes where it can."""
    channels, height, width = state.traits().image_shape
    _picture(
        key=key,
        data={
            "weights": messages.model_id(state.card().name), "files": messages.model_files(state.card().name),
            "z": list(st.session_state.z), "y": st.session_state.y,
            "height": height, "width": width, "channels": channels, "caption": caption,
            "pixels": messages.pixels_for_browser(), "no_number": state.not_finite_message("at the current z"),
            "painted": first_picture.address(),
        },
    )  # fmt: skip


def show_nearest_test_images(key: str, k: int = 8, columns: int = 4) -> None:
    """Show the k test images whose codes are nearest to the current one in latent space."""
    name = state.card().name
    encoded = cached.model_map(name)
    if encoded is None:
        st.caption(f"This model has no encoded data yet. To encode it, run `python -m vae map {name}`.")
        return
    info = state.info()
    indices, distances = vae.latent.nearest(state.features(state.z()[None]), cached.features(name), k)
    rows = encoded.rows[indices[0]]
    x, labels = cached.gallery(info.name).batch(rows)
    names = [
        f"{info.classes[int(label)]}, test image {row}, distance {distance:.2f}"
        for label, row, distance in zip(labels, rows, distances[0], strict=False)
    ]

    def pick(index: int) -> None:
        state.set_z(encoded.codes[indices[0, index]], y=int(labels[index]))

    st.caption("The nearest test images, by distance in latent space.")
    picture_grid(
        x, names, key=key, on_pick=pick, columns=columns, size=72,
        captions=[f"{d:.2f}" for d in distances[0]], name="nearest test images",
    )  # fmt: skip


def show_nearest_images(
    collection: Collection, layout: Layout, position: np.ndarray, key: str, k: int = 8
) -> np.ndarray:
    """Show the k images nearest to the current code, in latent space or on the map, and return their indices (k,).

    position (2,): the current code's position on the map.
    """
    space = st.segmented_control(
        "Nearest images", ["in latent space", "on this map"], default="in latent space", required=True,
        key=f"{key}_where",
    )  # fmt: skip
    in_space, distances = vae.latent.nearest(state.features(state.z()[None]), collection.features, k)
    on_map, map_distances = vae.latent.nearest(position[None], layout.xy, k)
    indices, measured = (in_space[0], distances[0]) if space == "in latent space" else (on_map[0], map_distances[0])
    picture_grid(
        collection.images(indices),
        [f"{collection.classes[collection.labels[i]]}, {collection.name(i)}, distance {d:.2f}" for i,
            d in zip(indices, measured, strict=False)],
        key=key, on_pick=lambda index: go_to(collection, int(indices[index])), columns=4, size=72,
        captions=[f"{d:.2f}" for d in measured], name=f"nearest images {space}",
    )  # fmt: skip
    both = len(set(in_space[0]) & set(on_map[0]))
    n = len(indices)
    st.caption(f"{both} of the {n} nearest in latent space are among the {n} nearest on this map.")
    return indices


def go_to(collection: Collection, index: int) -> None:
    """Make the code of an image of a collection the current one."""
    state.set_z(collection.encoded.codes[index], y=int(collection.ys[index]))
    st.session_state.map_row = (collection.id, index)


def go_to_position(layout: Layout, collection: Collection, position: np.ndarray) -> None:
    """Make the code at a position (2,) of a map the current one."""
    ys = layout.classes_at(position[None], collection)
    state.set_z(layout.inverse_transform(position[None], collection)[0], y=None if ys is None else int(ys[0]))
