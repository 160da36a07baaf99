"""Download buttons for pictures, animations and codes."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import streamlit as st

from ..shell import pictures, state


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


def gif(pixels: np.ndarray, milliseconds: int = 120, scale: int = 8, there_and_back: bool = True) -> bytes:
    """Encode pictures (N, H, W, C) uint8 as a looping GIF; there_and_back appends them in reverse order."""
    frames = [pictures.to_image(picture, scale) for picture in pixels]
    if there_and_back:
        frames += frames[-2:0:-1]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0)
    return buffer.getvalue()


def download_sheet(images, columns: int, title: str, key: str) -> None:
    """Offer images (N, C, H, W) in [0, 1], tiled row by row, as a PNG named after the current model."""
    pixels = state.as_pictures(images)  # now, because the session is not available when the file is made
    download(
        f"{title.capitalize()} (PNG)",
        lambda: pictures.png(pictures.to_image(pictures.tile(pixels, columns, gap=1), 2)),
        f"{state.card().name}-{title.replace(' ', '-')}.png", "image/png", key,
    )  # fmt: skip


def download_picture(key: str) -> None:
    """Offer the current point's picture as a PNG of the model's image size."""
    pixels = state.as_pictures(state.decode(state.z()[None]))[0]
    download(
        "Picture (PNG)", lambda: pictures.png(pictures.to_image(pixels)),
        f"{state.card().name}.png", "image/png", key,
    )  # fmt: skip


def download_z(key: str) -> None:
    """Offer the current point as one row of CSV."""
    values = np.asarray(st.session_state.z)
    header = ",".join(f"z{d}" for d in range(len(values)))
    text = f"{header}\n" + ",".join(f"{v:g}" for v in values) + "\n"
    download("Code (CSV)", text.encode, f"{state.card().name}-z.csv", "text/csv", key)
