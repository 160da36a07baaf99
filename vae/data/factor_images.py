"""Images of known factors that do not form a grid: the nearest image stands for a combination that has none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base import Factors, Split


@dataclass(frozen=True)
class FactorImages(Factors):
    """The images of one split by their factors, with the methods of a FactorGrid that a page needs.

    split: its factors are indices of `values`.
    """

    split: Split

    def render(self, factors: np.ndarray) -> np.ndarray:
        """Return the images (B, C, H, W) uint8 whose factors are nearest to these (B, K)."""
        return self.split.render(np.array([self._nearest(wanted, self._factors) for wanted in factors]))

    def nearest(self, factors: np.ndarray, k: int) -> np.ndarray:
        """Return the factors (K,) of the image nearest to these (K,), among those with this or the nearest value of
        factor k."""
        return self._factors[self._with(factors, k, int(factors[k]))]

    def sweep(self, factors: np.ndarray, k: int) -> np.ndarray:
        """Return the factors (V, K) of V images: for each value of factor k that an image has, the one whose other
        factors are nearest to these (K,)."""
        return self._factors[[self._with(factors, k, value) for value in np.unique(self._factors[:, k])]]

    @property
    def _factors(self) -> np.ndarray:
        assert self.split.factors is not None
        return self.split.factors

    def _with(self, factors: np.ndarray, k: int, value: int) -> int:
        """Return the row nearest to factors (K,) among those whose value of factor k is the nearest to `value`."""
        off = np.abs(self._factors[:, k] - value)
        rows = np.flatnonzero(off == off.min())
        return int(rows[self._nearest(factors, self._factors[rows])])

    def _nearest(self, wanted: np.ndarray, factors: np.ndarray) -> int:
        """Return the row of factors (N, K) in which the fewest differ from those wanted (K,), and by the least."""
        off = np.abs(factors - wanted)
        steps = (off / np.array(self.sizes)).sum(1)  # less than K in all
        return int(np.argmin((off > 0).sum(1) + steps / (1 + len(self.sizes))))
