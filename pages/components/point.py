"""What pages say of the current point: its picture, its neighbours, its export."""

from __future__ import annotations

import streamlit as st

from vae import latent

from . import cached, pictures, state
from .picture_grid import picture_grid


def current_picture(caption: str = "the current point, decoded") -> None:
    model = state.model()
    x_hat = state.decode(state.z()[None])
    scale = 12 if model.image_shape[1] < 64 else 5
    image = pictures.to_image(pictures.to_uint8(x_hat)[0], scale)
    st.image(image, caption=caption, width="stretch", alt=caption, output_format="PNG")


def nearest_real(key: str, k: int = 8, columns: int = 4) -> None:
    """Held-out images whose codes lie nearest to the current point, in latent space."""
    name = state.card().name
    found = cached.model_map(name)
    if found is None:
        st.caption(f"No encoded data for this model yet: `python -m vae map {name}` makes it.")
        return
    info = cached.info(state.card().data)
    indices, distances = latent.nearest(state.features(state.z()[None]), cached.features(name), k)
    rows = found.rows[indices[0]]
    x, labels = cached.gallery(info.name).batch(rows)
    names = [
        f"{info.classes[int(label)]}, held-out image {row}, distance {distance:.2f}"
        for label, row, distance in zip(labels, rows, distances[0])
    ]

    def pick(index: int) -> None:
        state.set_z(code_of_row(int(rows[index])), y=int(labels[index]))

    st.caption("The nearest held-out images, by distance in latent space (not on a map).")
    picture_grid(
        x, names, key=key, on_pick=pick, columns=columns, size=72,
        captions=[f"{d:.2f}" for d in distances[0]], name="nearest held-out images",
    )  # fmt: skip


def code_of_row(row: int):
    """The code (D,) of a held-out image, encoded with its own class."""
    x, labels = cached.gallery(state.card().data).batch([row])
    return state.encode(x, labels if state.model().num_classes else None)[0]
