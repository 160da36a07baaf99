"""Batches of training images: functions of the recipe's seed and the step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from ..data import Split


class Batches(Sampler):
    """A sampler of batches b = start..stop-1 of an endless shuffled stream; batch b is a function of seed and b."""

    def __init__(self, n: int, batch_size: int, seed: int, start: int, stop: int):
        self.n, self.batch_size, self.seed = n, min(batch_size, n), seed
        self.start, self.stop = start, stop
        self.drop_last = True

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[np.ndarray]:
        per_epoch = self.n // self.batch_size
        epoch = None
        for b in range(self.start, self.stop):
            if b // per_epoch != epoch:
                epoch = b // per_epoch
                generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
                order = torch.randperm(self.n, generator=generator).numpy()
            first = b % per_epoch * self.batch_size
            yield order[first : first + self.batch_size]


class WholeBatches(Dataset):
    """An adapter that turns an objective's data set into a torch Dataset which returns whole batches."""

    def __init__(self, images: Any):
        self.images = images  # an object with len() and batch(indices)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int] | np.ndarray) -> tuple[Tensor, Tensor]:
        return self.images.batch(indices)


class OnDevice:
    """A split with its images cached on a device as bytes, so that a batch needs no rendering and no transfer."""

    CHUNK = 4096

    def __init__(self, split: Split, device: torch.device):
        self.split, self.device = split, device
        parts = [
            torch.from_numpy(split.render(np.arange(first, min(first + self.CHUNK, len(split))))).to(device)
            for first in range(0, len(split), self.CHUNK)
        ]
        self.images = torch.cat(parts)  # (N, C, H, W) uint8
        self.labels_on_device = torch.from_numpy(split.labels).to(device)

    @staticmethod
    def fits(split: Split, device: torch.device) -> bool:
        """Return whether the images fit into half of the device's free memory; concatenation needs them twice."""
        free, _ = torch.cuda.mem_get_info(device)
        return 2 * len(split) * split.render(np.arange(1)).nbytes < free / 2

    def __getattr__(self, name: str) -> Any:
        return getattr(self.split, name)

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices: Sequence[int] | np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the images at indices (B,): x (B, C, H, W) float in [0, 1], y (B,) int64, both on the device."""
        rows = torch.as_tensor(np.asarray(indices), device=self.device)
        return self.images[rows].float() / 255, self.labels_on_device[rows]
