"""M2 (Kingma et al. 2014): a semi-supervised bound that averages over the class of an unlabelled image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from ..data import Split
from ..models import Output
from ..models.m2 import M2Output
from .base import Batch, Objective, register
from .terms import M2Terms, m2


@register("m2")
@dataclass(frozen=True)
class SemiSupervised(Objective):
    """The M2 objective with few labels, see terms.m2."""

    takes_label: ClassVar[bool] = False
    recordable: ClassVar[bool] = False
    labels: int = 0  # number of labelled training images, equally many of each class
    alpha: float = 0.0  # weight of the labels' cross-entropy

    def dataset(self, split: Split, seed: int) -> FewLabels:
        return FewLabels(split, self.labels, seed)

    def terms(self, out: Output, batch: Batch) -> M2Terms:
        if not isinstance(out, M2Output):
            raise ValueError("the objective m2 trains models of the family m2 only")
        return m2(out, batch.x, batch.y, alpha=self.alpha)


class FewLabels:
    """A split with few labels; y is -1 without one. Each batch gets half as many labelled images in addition."""

    def __init__(self, split: Split, labels: int, seed: int):
        self.split = split
        order = np.random.default_rng(seed).permutation(len(split))
        classes = np.unique(split.labels)
        per_class = labels // len(classes)
        self.labelled = np.concatenate([order[split.labels[order] == k][:per_class] for k in classes])

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices: np.ndarray) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(indices)
        chosen = rng.choice(self.labelled, len(indices) // 2)
        x, y = self.split.batch(np.concatenate([indices, chosen]))
        y[: len(indices)] = -1
        return x, y
