"""Input of one image from the gallery, a file or the camera, prepared for the current model."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from vae import uploads
from vae.data import DatasetInfo
from vae.data.formats import ACCEPTED, SUFFIXES

from ..shell import cached, pictures, settings, state
from .picture_grid import picture_grid

if TYPE_CHECKING:
    from torch import Tensor

GALLERY_SIZE = 12  # pictures shown at once


class Picked(NamedTuple):
    """An image as the current model sees it. x and y need torch, the fields do not."""

    pixels: np.ndarray  # (C, H, W) uint8
    label: int | None  # the class, for conditional models
    caption: str  # its origin, and its class if known

    @property
    def x(self) -> Tensor:
        """Return the image (1, C, H, W) in [0, 1]."""
        import torch

        return torch.from_numpy(self.pixels)[None].float() / 255

    @property
    def y(self) -> Tensor | None:
        """Return the class (1,), for conditional models."""
        import torch

        return None if self.label is None else torch.tensor([self.label])


def preparation(info: DatasetInfo) -> dict:
    """Return what the browser must know to prepare a drawing for the models of a data set."""
    return asdict(info.preparation)


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
    row, split = st.session_state[row_key], cached.gallery(info.name)
    label = int(split.labels[row])
    caption = f"held-out image {row}: {info.classes[label]}"
    return Picked(split.render(np.array([row]))[0], label if state.traits().num_classes else None, caption)


def _gallery(key: str, info, row_key: str) -> None:
    split = cached.gallery(info.name)
    page_key = f"{key}_page"
    page = st.session_state.setdefault(page_key, 0)
    rows = (np.arange(GALLERY_SIZE) + page * GALLERY_SIZE) % len(split)
    if page == 0 and st.session_state[row_key] not in rows:
        rows[0] = st.session_state[row_key]
    x = split.render(rows) / np.float32(255)
    names = [f"{info.classes[split.labels[row]]}, held-out image {row}" for row in rows]
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
    label = None
    model = state.model()
    if model.num_classes:
        label = st.selectbox(
            "Class", range(model.num_classes), index=int(model.most_likely_class(x)[0]),
            format_func=lambda value: info.classes[value], key=f"{key}_class",
            help="the class that explains the image best, unless you choose another",
        )  # fmt: skip
    return Picked((255 * x[0]).round().byte().numpy(), label, "your image")
