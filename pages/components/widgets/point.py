"""What pages say of the current point: its picture, its neighbours, its export."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from vae import latent

from ..shell import cached, pictures, state
from .collection import Collection, Layout
from .picture_grid import picture_grid


def current_picture(caption: str = "the current point, decoded") -> None:
    x_hat = state.decode(state.z()[None])
    if not state.finite(x_hat):
        st.warning(state.not_finite_message("at the current point"))
        return
    image = pictures.to_image(state.as_pictures(x_hat)[0], scale=12 if state.info().crisp else 5)
    st.image(image, caption=caption, width="stretch", alt=caption, output_format="PNG")


def nearest_real(key: str, k: int = 8, columns: int = 4) -> None:
    """Held-out images whose codes lie nearest to the current point, in latent space."""
    name = state.card().name
    found = cached.model_map(name)
    if found is None:
        st.caption(f"No encoded data for this model yet: `python -m vae map {name}` makes it.")
        return
    info = state.info()
    indices, distances = latent.nearest(state.features(state.z()[None]), cached.features(name), k)
    rows = found.rows[indices[0]]
    x, labels = cached.gallery(info.name).batch(rows)
    names = [
        f"{info.classes[int(label)]}, held-out image {row}, distance {distance:.2f}"
        for label, row, distance in zip(labels, rows, distances[0], strict=False)
    ]

    def pick(index: int) -> None:
        state.set_z(torch.from_numpy(found.codes[indices[0, index]]), y=int(labels[index]))

    st.caption("The nearest held-out images, by distance in latent space (not on a map).")
    picture_grid(
        x, names, key=key, on_pick=pick, columns=columns, size=72,
        captions=[f"{d:.2f}" for d in distances[0]], name="nearest held-out images",
    )  # fmt: skip


def near_here(collection: Collection, layout: Layout, place: np.ndarray, key: str, k: int = 8) -> np.ndarray:
    """The images nearest to the current point, in latent space or, from its place (2,), on the map
    shown -> their indices."""
    where = st.segmented_control(
        "Near here", ["in latent space", "on this map"], default="in latent space", required=True, key=f"{key}_where"
    )  # fmt: skip
    in_space, distances = latent.nearest(state.features(state.z()[None]), collection.features, k)
    on_map, map_distances = latent.nearest(place[None], layout.xy, k)
    indices, measured = (in_space[0], distances[0]) if where == "in latent space" else (on_map[0], map_distances[0])
    picture_grid(
        collection.images(indices),
        [f"{collection.classes[collection.labels[i]]}, {collection.name(i)}, distance {d:.2f}" for i,
            d in zip(indices, measured, strict=False)],
        key=key, on_pick=lambda place: go_to(collection, int(indices[place])), columns=4, size=72,
        captions=[f"{d:.2f}" for d in measured], name=f"nearest images {where}",
    )  # fmt: skip
    both = len(set(in_space[0]) & set(on_map[0]))
    n = len(indices)
    st.caption(f"{both} of the {n} nearest in latent space are among the {n} nearest on this map.")
    return indices


def go_to(collection: Collection, index: int) -> None:
    """Make the code of an image of a collection the current point."""
    state.set_z(torch.from_numpy(collection.codes[index]), y=int(collection.ys[index]))
    st.session_state.map_row = (collection.id, index)


def go_to_place(layout: Layout, collection: Collection, place: np.ndarray) -> None:
    """Make what a map shows at a place (2,) the current point."""
    ys = layout.classes(place[None], collection)
    state.set_z(layout.imagine(place[None], collection)[0], y=None if ys is None else int(ys[0]))
