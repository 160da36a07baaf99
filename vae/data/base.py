"""What a data set is: a description, and splits that render images by index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Split:
    """N images with their labels, in a fixed order.

    render: indices (B,) -> uint8 (B, C, H, W); images may be kept or drawn on demand.
    """

    render: Callable[[np.ndarray], np.ndarray]
    labels: np.ndarray  # (N,) int64, indices into DatasetInfo.classes
    factors: np.ndarray | None = None  # (N, K) int64, where the truth is known

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices) -> tuple[Tensor, Tensor]:
        """indices (B,) -> x (B, C, H, W) float in [0, 1], y (B,) int64."""
        indices = np.asarray(indices)
        x = torch.from_numpy(self.render(indices)).float() / 255
        return x, torch.from_numpy(self.labels[indices])


@dataclass(frozen=True)
class DatasetInfo:
    """A data set's description. load("train" or "test", download=True) returns a Split, or
    raises OSError where its files are missing, damaged or not to be downloaded."""

    name: str
    title: str
    image_shape: tuple[int, int, int]  # (C, H, W)
    classes: tuple[str, ...]
    licence: str
    source: str
    load: Callable[..., Split]
    white_on_black: bool = False  # strangers' dark-on-light drawings are inverted
    factor_names: tuple[str, ...] = ()
    factor_sizes: tuple[int, ...] = ()


def check_split(split: str) -> None:
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: expected 'train' or 'test'")
