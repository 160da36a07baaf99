"""Directions in a latent space that need no labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class PrincipalDirections(NamedTuple):
    """The directions of K largest variance of codes, orthonormal, the largest first."""

    origin: np.ndarray  # (D,), the mean code
    axes: np.ndarray  # (K, D)
    explained: np.ndarray  # (K,), each direction's share of the variance

    def place(self, codes: np.ndarray) -> np.ndarray:
        """Return the coordinates (N, K) of codes (N, D)."""
        return (codes - self.origin) @ self.axes.T

    def inverse(self, coordinates: np.ndarray) -> np.ndarray:
        """Return the codes (N, D) at coordinates (N, K)."""
        return self.origin + coordinates @ self.axes


def principal_directions(codes: np.ndarray, k: int) -> PrincipalDirections:
    """Return the first k principal directions of codes (N, D); fewer where the codes span fewer.

    The largest component of each direction is positive. Raises ValueError for codes that are all equal.
    """
    origin = codes.mean(0)
    _, lengths, axes = np.linalg.svd(codes - origin, full_matrices=False)
    variances = lengths**2
    if not variances[0] > 0:
        raise ValueError("all codes are equal, so no direction explains them")
    kept = min(k, int((variances > 1e-9 * variances[0]).sum()))
    axes = axes[:kept]
    signs = np.sign(axes[np.arange(kept), np.abs(axes).argmax(1)])
    return PrincipalDirections(origin, axes * signs[:, None], variances[:kept] / variances.sum())
