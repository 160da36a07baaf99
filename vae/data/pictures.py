"""Convert arrays of pixels to images, files and data URIs."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .modality import IMAGES, Modality

if TYPE_CHECKING:
    from torch import Tensor


def to_uint8(x: Tensor | np.ndarray, modality: Modality = IMAGES) -> np.ndarray:
    """Convert x (N, ...) in [0, 1], tensor or array, to pictures (N, H, W, 1 or 3) uint8."""
    return modality.picture(x)


def non_finite(x: Tensor | np.ndarray) -> list[int]:
    """Return the indices of the items of x (N, ...) that contain NaN or infinity."""
    finite = np.isfinite(np.asarray(x, np.float32)).reshape(len(x), -1).all(1)
    return np.flatnonzero(~finite).tolist()


def to_image(pixels: np.ndarray, scale: int = 1) -> Image.Image:
    """Convert pixels (H, W, 1 or 3) uint8 to an image, each pixel scale x scale."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def sheet(x: Tensor | np.ndarray, columns: int, gap: int = 0, modality: Modality = IMAGES) -> np.ndarray:
    """Tile x (N, ...) in [0, 1] into one picture (rows*H, columns*W, 1 or 3) uint8, row by row; gaps are mid-grey."""
    return tile(to_uint8(x, modality), columns, gap)


def tile(pixels: np.ndarray, columns: int, gap: int = 0) -> np.ndarray:
    """Tile pictures (N, H, W, C) uint8 into one (rows*H, columns*W, C), row by row; gaps are mid-grey."""
    n, height, width, channels = pixels.shape
    rows = -(-n // columns)
    pixels = np.pad(pixels, ((0, rows * columns - n), (0, gap), (0, gap), (0, 0)), constant_values=128)
    grid = pixels.reshape(rows, columns, height + gap, width + gap, channels)
    grid = grid.transpose(0, 2, 1, 3, 4).reshape(rows * (height + gap), columns * (width + gap), channels)
    return grid[: grid.shape[0] - gap, : grid.shape[1] - gap]


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(image: Image.Image) -> str:
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()
