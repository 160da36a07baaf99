"""Ada-GVAE (Locatello et al. 2020): pairs of images that differ in few factors share the rest of their codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.distributions import Distribution

from ..data import Split
from ..models import Output
from .base import Batch, Objective, Weight, register
from .terms import ELBO, ada_gvae, elbo

MAX_ROUNDS = 1000  # of sampling partners until all lie in the split


@register("ada_gvae")
@dataclass(frozen=True)
class AdaGVAE(Objective):
    """The Ada-GVAE objective: the ELBO with an averaged posterior for pairs."""

    beta: Weight = 1.0  # of the KL
    pair_factors: int = 1  # number of factors in which the two images of a pair differ

    def dataset(self, split: Split, seed: int) -> Pairs:
        return Pairs(split, self.pair_factors)

    def refine(self, posterior: Distribution) -> Distribution:
        return ada_gvae(posterior)

    def terms(self, out: Output, batch: Batch) -> ELBO:
        return elbo(out, batch.x, beta=batch.weights["beta"])


class Pairs:
    """A data set of pairs: the second half of a batch holds the partners of the first, which differ in k factors.

    All partners come from the split; batch raises ValueError where an image has none. The constructor raises
    ValueError for a split without known factors.
    """

    def __init__(self, split: Split, k: int):
        if split.grid is None or split.factors is None:
            raise ValueError("pairs need a data set with ground-truth factors")
        self.split, self.k, self.grid, self.factors = split, k, split.grid, split.factors
        self.row_of = np.full(len(self.grid), -1)  # image number -> row of the split, -1 outside it
        self.row_of[self.grid.numbers(self.factors)] = np.arange(len(split))

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices: np.ndarray) -> tuple[Tensor, Tensor]:
        # seeded by the batch, so that partners too are a function of seed and step
        rng = np.random.default_rng(indices)
        first = np.asarray(indices)[: len(indices) // 2]
        factors = self.factors[first]
        partners = self.grid.partners(factors, self.k, rng)
        for _ in range(MAX_ROUNDS):
            outside = self._rows(partners) < 0
            if not outside.any():
                break
            partners[outside] = self.grid.partners(factors[outside], self.k, rng)
        else:
            raise ValueError(f"an image has no partners in this split that differ in {self.k} factors")
        return self.split.batch(np.concatenate([first, self._rows(partners)]))

    def _rows(self, factors: np.ndarray) -> np.ndarray:
        return self.row_of[self.grid.numbers(factors)]
