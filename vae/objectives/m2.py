"""M2 (Kingma et al. 2014): a bound that averages over the class where an image has no label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from ..data import Split
from ..models.m2 import M2Output
from .base import Batch, Objective, register
from .terms import M2Terms, m2


@register("m2")
@dataclass(frozen=True)
class SemiSupervised(Objective):
    takes_label: ClassVar[bool] = False
    recordable: ClassVar[bool] = False
    labels: int = 0  # how many training images have a label, equally many of each class
    alpha: float = 0.0  # weight of the labels' cross-entropy

    def dataset(self, split: Split, seed: int) -> FewLabels:
        return FewLabels(split, self.labels, seed)

    def terms(self, out: M2Output, batch: Batch) -> M2Terms:
        return m2(out, batch.x, batch.y, alpha=self.alpha)


class FewLabels:
    """A split of which most images are without a label (-1). To each batch half as many images are
    added of those that have theirs."""

    def __init__(self, split: Split, labels: int, seed: int):
        self.split = split
        order = np.random.default_rng(seed).permutation(len(split))
        classes = np.unique(split.labels)
        each = labels // len(classes)
        self.labelled = np.concatenate([order[split.labels[order] == k][:each] for k in classes])

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices: np.ndarray) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(indices)
        chosen = rng.choice(self.labelled, len(indices) // 2)
        x, y = self.split.batch(np.concatenate([indices, chosen]))
        y[: len(indices)] = -1
        return x, y
