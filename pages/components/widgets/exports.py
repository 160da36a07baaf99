"""Download buttons for pictures, animations and codes. Each file names the model and its licence."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vae.data import pictures

from ..shell import state


def download(
    label: str, make: Callable[[], bytes], file_name: str, mime: str, key: str, primary: bool = False
) -> None:
    """Show a download button that makes its file when it is pressed, not on every rerun."""
    st.download_button(
        label, make, file_name, mime, key=key, on_click="ignore",
        type="primary" if primary else "secondary",
    )  # fmt: skip


def escape_cell(text: str) -> str:
    """Escape a text for CSV, so that a spreadsheet does not run it as a formula."""
    return f"'{text}" if text[:1] in "=+-@" else text


def credit() -> str:
    """Return the current model and its licence, for the files made from it."""
    return state.card().credit


def png(image: Image.Image, credit: str) -> bytes:
    """Encode an image as PNG, with the credit as its Copyright."""
    fields = PngInfo()
    fields.add_itxt("Copyright", credit)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=fields)
    return buffer.getvalue()


def gif(
    pixels: np.ndarray, credit: str, milliseconds: int = 120, scale: int = 8, there_and_back: bool = True
) -> bytes:
    """Encode pictures (N, H, W, C) uint8 as a looping GIF with the credit as its comment.

    there_and_back appends them in reverse order.
    """
    frames = [pictures.to_image(picture, scale) for picture in pixels]
    if there_and_back:
        frames += frames[-2:0:-1]
    buffer = io.BytesIO()
    options = {"save_all": True, "append_images": frames[1:], "duration": milliseconds, "loop": 0, "comment": credit}
    frames[0].save(buffer, "GIF", **options)
    return buffer.getvalue()


def download_sheet(images, columns: int, title: str, key: str) -> None:
    """Offer images (N, C, H, W) in [0, 1], tiled row by row, as a PNG named after the current model."""
    # now, because the session is not available when the file is made
    pixels, made_with = state.as_pictures(images), credit()
    download(
        f"{title.capitalize()} (PNG)",
        lambda: png(pictures.to_image(pictures.tile(pixels, columns, gap=1), 2), made_with),
        f"{state.card().name}-{title.replace(' ', '-')}.png", "image/png", key,
    )  # fmt: skip


def download_picture(key: str) -> None:
    """Offer the current image as a PNG of the model's image size."""
    pixels, made_with = state.as_pictures(state.decode(state.z()[None]))[0], credit()
    download(
        "Image (PNG)", lambda: png(pictures.to_image(pixels), made_with),
        f"{state.card().name}.png", "image/png", key,
    )  # fmt: skip


def download_z(key: str) -> None:
    """Offer the current latent code as one row of CSV, with the model and its licence in the last columns."""
    values, card = st.session_state.z, state.card()
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*(f"z{d}" for d in range(len(values))), "model", "licence"])
    writer.writerow([*(f"{v:g}" for v in values), escape_cell(card.name), escape_cell(card.licence)])
    download("Latent code (CSV)", buffer.getvalue().encode, f"{card.name}-z.csv", "text/csv", key)
