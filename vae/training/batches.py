"""Which images each step sees: functions of the recipe's seed and the step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from ..data import Split

MAX_ROUNDS = 1000  # of looking for partners inside the split


class Batches(Sampler):
    """Batch b of the endless shuffled stream, b = start..stop-1: a function of seed and b."""

    def __init__(self, n: int, batch_size: int, seed: int, start: int, stop: int):
        self.n, self.batch_size, self.seed = n, min(batch_size, n), seed
        self.start, self.stop = start, stop
        self.drop_last = True

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self):
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
    """A split as a torch Dataset that is asked for a whole batch at a time."""

    def __init__(self, split: Split):
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index):
        return self.__getitems__([index])

    def __getitems__(self, indices):
        return self.split.batch(indices)


class Pairs(WholeBatches):
    """Pairs of images: the second half of a batch holds the first half's partners, which differ from
    them in k factors. No partner comes from outside the split; ValueError where there is none."""

    def __init__(self, split: Split, k: int):
        super().__init__(split)
        self.k = k
        self.row_of = np.full(len(split.grid), -1)  # of an image's number; -1 outside the split
        self.row_of[split.grid.numbers(split.factors)] = np.arange(len(split))

    def __getitems__(self, indices):
        # the batch seeds its own partners: they are a function of seed and step, as it is
        rng = np.random.default_rng(indices)
        first = np.asarray(indices)[: len(indices) // 2]
        factors = self.split.factors[first]
        partners = self.split.grid.partners(factors, self.k, rng)
        for _ in range(MAX_ROUNDS):
            outside = self._rows(partners) < 0
            if not outside.any():
                break
            partners[outside] = self.split.grid.partners(factors[outside], self.k, rng)
        else:
            raise ValueError(f"an image has no partners in this split that differ from it in {self.k} factors")
        return self.split.batch(np.concatenate([first, self._rows(partners)]))

    def _rows(self, factors: np.ndarray) -> np.ndarray:
        return self.row_of[self.split.grid.numbers(factors)]


class FewLabels(WholeBatches):
    """As WholeBatches, but most images are without a label (-1), and to each batch half as many
    images are added of those that have theirs."""

    def __init__(self, split: Split, labels: int, seed: int):
        super().__init__(split)
        order = np.random.default_rng(seed).permutation(len(split))
        classes = np.unique(split.labels)
        each = labels // len(classes)
        self.labelled = np.concatenate([order[split.labels[order] == k][:each] for k in classes])

    def __getitems__(self, indices):
        rng = np.random.default_rng(indices)
        chosen = rng.choice(self.labelled, len(indices) // 2)
        x, y = self.split.batch(np.concatenate([indices, chosen]))
        y[: len(indices)] = -1
        return x, y


class OnDevice:
    """A split whose images stay on a device, as bytes: a batch costs no rendering and no transfer."""

    CHUNK = 4096

    def __init__(self, split: Split, device: torch.device):
        self.split, self.device = split, device
        parts = [
            torch.from_numpy(split.render(np.arange(first, min(first + self.CHUNK, len(split))))).to(device)
            for first in range(0, len(split), self.CHUNK)
        ]
        self.images = torch.cat(parts)  # (N, C, H, W) uint8
        self.labels_there = torch.from_numpy(split.labels).to(device)

    @staticmethod
    def fits(split: Split, device: torch.device) -> bool:
        """Return whether the images take less than half of the device's free memory, twice over
        while they are put together."""
        free, _ = torch.cuda.mem_get_info(device)
        return 2 * len(split) * split.render(np.arange(1)).nbytes < free / 2

    def __getattr__(self, name: str):
        return getattr(self.split, name)

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices) -> tuple[Tensor, Tensor]:
        """indices (B,) -> x (B, C, H, W) float in [0, 1], y (B,) int64, both on the device."""
        rows = torch.as_tensor(np.asarray(indices), device=self.device)
        return self.images[rows].float() / 255, self.labels_there[rows]
