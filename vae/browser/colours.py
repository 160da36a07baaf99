"""Colours of classes and of values, which every host shows alike."""

from __future__ import annotations

import numpy as np

PETROFF = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
# Colour scales for values from 0 to 1, linear between equidistant colours
VIRIDIS = (
    "#440154", "#482878", "#3e4989", "#31688e", "#26828e",
    "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
)  # fmt: skip
CIVIDIS = (
    "#00224e", "#123570", "#3b496c", "#575d6d", "#707173",
    "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838",
)  # fmt: skip

RDBU = (
    "#67001f", "#b2182b", "#d6604d", "#f4a582", "#fddbc7", "#f7f7f7",
    "#d1e5f0", "#92c5de", "#4393c3", "#2166ac", "#053061",
)  # fmt: skip
RAMP_COLOURS = 32


def class_colours(n: int) -> list[str]:
    """Return n colours: Petroff's accessible ones (Petroff 2021) for up to ten classes, else Viridis in the classes'
    order."""
    return list(PETROFF[:n]) if n <= len(PETROFF) else on_scale(VIRIDIS, np.linspace(0, 1, n))


def on_scale(scale: tuple[str, ...], values: np.ndarray) -> list[str]:
    """Return the colours of values (N,) from 0 to 1 on a scale, as "#rrggbb"."""
    anchors = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in scale])
    position = np.linspace(0, 1, len(scale))
    channels = np.stack([np.interp(values, position, anchors[:, c]) for c in range(3)], axis=1)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in channels.round().astype(int)]


def ramps() -> dict[str, list[str]]:
    """Return the colours of a map's values, lowest first: of magnitudes, and of signed values."""
    values = np.linspace(0, 1, RAMP_COLOURS)
    return {"magnitude": on_scale(CIVIDIS, values), "signed": on_scale(RDBU, values)}
