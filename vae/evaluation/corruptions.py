"""Corruptions of images, as in MNIST-C (Mu & Gilmer 2019)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..models.dvae import add_noise

NOISE = 0.25  # standard deviation, on images in [0, 1]
BLUR = 1.5  # standard deviation of the Gaussian, in pixels
PATCH = 0.36  # side of the square that is cut out, as a share of the image's height
SHIFT = 0.18  # as a share of the image's width


def noisy(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Add Gaussian noise to every pixel of x (B, C, H, W) in [0, 1]."""
    return add_noise(x, NOISE, generator)


def blurred(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Blur x (B, C, H, W) with a Gaussian filter, padded with black."""
    reach = int(3 * BLUR + 0.5)
    offsets = torch.arange(-reach, reach + 1)
    row = torch.exp(-0.5 * (offsets / BLUR) ** 2)
    kernel = torch.outer(row, row) / row.sum() ** 2
    weight = kernel.expand(x.shape[1], 1, -1, -1)
    return functional.conv2d(x, weight, padding=reach, groups=x.shape[1]).clamp(0, 1)


def cut(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Cut a black square out of the middle of each of x (B, C, H, W), at a random position."""
    b, _, height, width = x.shape
    side = round(PATCH * height)
    first = height // 4 + torch.randint(height // 2 - side // 2, (2, b), generator=generator) - side // 4
    rows, columns = torch.arange(height), torch.arange(width)
    inside_row = (rows >= first[0, :, None]) & (rows < first[0, :, None] + side)  # (B, H)
    inside_column = (columns >= first[1, :, None]) & (columns < first[1, :, None] + side)  # (B, W)
    hole = inside_row[:, None, :, None] & inside_column[:, None, None, :]
    return x.masked_fill(hole, 0.0)


def off_centre(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Shift x (B, C, H, W) to the right and pad it with black."""
    by = round(SHIFT * x.shape[3])
    return functional.pad(x, (by, 0))[..., : x.shape[3]]


def inverted(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Swap light and dark in x (B, C, H, W) in [0, 1]."""
    return 1 - x


CORRUPTIONS = {f.__name__: f for f in (noisy, blurred, cut, off_centre, inverted)}
