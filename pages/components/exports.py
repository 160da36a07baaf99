"""What a page lets its viewer take along."""

from __future__ import annotations

import io

import numpy as np
import streamlit as st

from . import pictures, state


def gif(images, milliseconds: int = 120, scale: int = 8, there_and_back: bool = True) -> bytes:
    """(N, C, H, W) in [0, 1] -> an endless animation, back again from the last picture."""
    frames = [pictures.to_image(pixels, scale) for pixels in pictures.to_uint8(images)]
    if there_and_back:
        frames += frames[-2:0:-1]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0
    )
    return buffer.getvalue()


def download_picture(key: str) -> None:
    """The current point's picture as a PNG of the model's own size."""
    x_hat = state.decode(state.z()[None])
    content = pictures.png(pictures.to_image(pictures.to_uint8(x_hat)[0]))
    st.download_button(
        "Picture (PNG)", content, f"{state.card().name}.png", "image/png", key=key,
        on_click="ignore",
    )  # fmt: skip


def download_z(key: str) -> None:
    """The current point as a line of CSV."""
    values = np.asarray(st.session_state.z)
    header = ",".join(f"z{d}" for d in range(len(values)))
    st.download_button(
        "Code (CSV)", f"{header}\n" + ",".join(f"{v:g}" for v in values) + "\n",
        f"{state.card().name}-z.csv", "text/csv", key=key, on_click="ignore",
    )  # fmt: skip
