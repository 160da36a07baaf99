"""Input of one image from the gallery, a file or the camera, prepared for the current model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from vae import uploads
from vae.data.formats import ACCEPTED, SUFFIXES

from ..shell import cached, pictures, settings, state
from .picture_grid import picture_grid

if TYPE_CHECKING:
    from torch import Tensor

GALLERY_SIZE = 12  # pictures shown at once


class Picked(NamedTuple):
    x: Tensor  # (1, C, H, W)
    y: Tensor | None  # (1,) for conditional models
    caption: str  # its origin, and its class if known


def image_input(key: str, start_row: int = 0) -> Picked:
    """Show widgets to choose an image and return it, at first the gallery image start_row.

    key: also of the setting by which a link or a lesson chooses a gallery image; the page registers it.
    If a file cannot be used, an error is shown and the last usable image is returned.
    """
    info = state.info()
    row_key = f"{key}_row_{info.name}"
    if settings.take(key, row_key, among=range(len(cached.gallery(info.name)))):
        st.session_state[f"{key}_source"] = "Gallery"
    source = st.segmented_control(
        "Source", ["Gallery", "Upload", "Camera"], default="Gallery", required=True,
        key=f"{key}_source", label_visibility="collapsed",
    )  # fmt: skip
    st.session_state.setdefault(row_key, start_row)
    if source == "Gallery":
        _gallery(key, info, row_key)
    else:
        file = (
            st.file_uploader(
                f"{ACCEPTED}, up to {uploads.MAX_BYTES // 2**20} MB", key=f"{key}_file", type=list(SUFFIXES),
            )
            if source == "Upload"
            else st.camera_input("Take a picture", key=f"{key}_camera")
        )  # fmt: skip
        if file is not None:
            picked = _uploaded(f"{key}_{file.file_id}_{info.name}", info, file.getvalue())
            if picked is not None:
                return picked
    row = st.session_state[row_key]
    x, labels = cached.gallery(info.name).batch([row])
    y = labels if state.traits().num_classes else None
    return Picked(x, y, f"held-out image {row}: {info.classes[int(labels[0])]}")


def _gallery(key: str, info, row_key: str) -> None:
    split = cached.gallery(info.name)
    page_key = f"{key}_page"
    page = st.session_state.setdefault(page_key, 0)
    rows = (np.arange(GALLERY_SIZE) + page * GALLERY_SIZE) % len(split)
    if page == 0 and st.session_state[row_key] not in rows:
        rows[0] = st.session_state[row_key]
    x, labels = split.batch(rows)
    names = [f"{info.classes[int(label)]}, held-out image {row}" for row, label in zip(rows, labels, strict=False)]
    selected = np.flatnonzero(rows == st.session_state[row_key])

    def pick(index: int) -> None:
        st.session_state[row_key] = int(rows[index])

    picture_grid(
        x, names, key=f"{key}_gallery", on_pick=pick, columns=6, size=56,
        selected=int(selected[0]) if selected.size else None, name="held-out images",
    )  # fmt: skip
    st.button("Other images", key=f"{key}_more", on_click=_next_page, args=(page_key,))


def _next_page(page_key: str) -> None:
    st.session_state[page_key] += 1


def _uploaded(key: str, info, content: bytes) -> Picked | None:
    """Prepare an uploaded image with the visitor's settings. Returns None if it cannot be read.

    key must be unique to the file, so that the settings of another file start at that file's defaults.
    """
    try:
        image = uploads.read_image(content)
    except uploads.UploadError as error:
        st.error(str(error))
        return None
    guess = info.prepare(image)
    left, right = st.columns([2, 1])
    with left:
        invert = st.toggle("Invert (swap light and dark)", value=guess.inverted, key=f"{key}_invert")
        plain = st.toggle("Plain resize", key=f"{key}_plain")
    x = info.prepare(image, invert, plain).x
    shown = pictures.to_image(state.as_pictures(x)[0], scale=4 if info.crisp else 2)
    right.image(shown, caption="what the model sees", alt="the upload as the model sees it")
    y = None
    model = state.model()
    if model.num_classes:
        import torch

        label = st.selectbox(
            "Class", range(model.num_classes), index=int(model.most_likely_class(x)[0]),
            format_func=lambda value: info.classes[value], key=f"{key}_class",
            help="the class that explains the image best, unless you choose another",
        )  # fmt: skip
        y = torch.tensor([label])
    return Picked(x, y, "your image")
