"""The modality of x, and how a page shows x as an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


class Modality(Protocol):
    """A kind of data. picture(x) converts x (N, ...) in [0, 1], tensor or array, to (N, H, W, 1 or 3) uint8."""

    name: str

    def picture(self, x: Tensor | np.ndarray) -> np.ndarray: ...


class Images:
    """The modality of images: x (N, C, H, W), one or three channels."""

    name = "images"

    def picture(self, x: Tensor | np.ndarray) -> np.ndarray:
        """Convert x (N, C, H, W) in [0, 1], tensor or array, to (N, H, W, C) uint8."""
        values = np.nan_to_num(np.asarray(x, np.float32), nan=0.5)  # grey marks a missing value; black could be data
        return np.rint(values.clip(0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)


IMAGES = Images()
