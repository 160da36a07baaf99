"""What kind of thing x is, and how a page shows it as a picture."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Modality(Protocol):
    """A kind of data. picture: x (N, ...) in [0, 1], tensor or array -> (N, H, W, 1 or 3) uint8."""

    name: str

    def picture(self, x) -> np.ndarray: ...


class Images:
    """x is itself a picture: (N, C, H, W), one or three channels."""

    name = "images"

    def picture(self, x) -> np.ndarray:
        """(N, C, H, W) in [0, 1], tensor or array -> (N, H, W, C) uint8."""
        values = np.nan_to_num(np.asarray(x, np.float32), nan=0.5)  # grey, as gaps are: black would be a picture
        return np.rint(values.clip(0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)


IMAGES = Images()
