"""The colours of classes: Petroff's ten accessible ones (Petroff 2021)."""

from __future__ import annotations

import numpy as np

PETROFF = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip


def class_colours(n: int) -> list[str]:
    """Return n colours: Petroff's for up to ten classes, else Viridis in the classes' order."""
    if n <= len(PETROFF):
        return list(PETROFF[:n])
    from plotly.colors import sample_colorscale  # here, because a page shows its first picture before Plotly is loaded

    return sample_colorscale("Viridis", np.linspace(0, 1, n))
