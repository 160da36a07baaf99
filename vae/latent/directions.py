"""Directions in a latent space that need no labels."""

from __future__ import annotations

from collections.abc import Callable
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
    return PrincipalDirections(origin, _signed(axes[:kept]), variances[:kept] / variances.sum())


class LocalDirections(NamedTuple):
    """The directions at one code along which the decoded image changes most, orthonormal, the largest change first."""

    axes: np.ndarray  # (K, D), right singular vectors of the decoder's Jacobian
    change: np.ndarray  # (K,), its singular values: Euclidean length of the image's change per unit of z

    @property
    def shares(self) -> np.ndarray:
        """The part (K,) of the squared change that each direction accounts for; 0 where nothing changes."""
        squared = self.change**2
        return squared / squared.sum() if squared.sum() > 0 else squared


def local_directions(
    decode: Callable[[np.ndarray], np.ndarray], z: np.ndarray, step: float = 0.01
) -> LocalDirections:
    """Return all D directions at z (D,), ordered by how much they change the decoded image.

    They are the eigenvectors of the metric that the decoder pulls back from images, the Jacobian's transpose times the
    Jacobian (Arvanitidis et al. 2018). decode: codes (B, D) -> images (B, ...). The Jacobian is computed by central
    differences of +-step in z, so that a decoder needs no gradients. The largest component of each direction is
    positive. Raises ValueError where the images near z are not finite.
    """
    moves = step * np.eye(len(z), dtype=np.float32)
    images = np.asarray(decode(np.concatenate([z + moves, z - moves]).astype(np.float32)), np.float64)
    if not np.isfinite(images).all():
        raise ValueError("the decoded images are not finite")
    ahead, behind = images.reshape(2, len(z), -1)
    jacobian = (ahead - behind) / (2 * step)  # (D, pixels), transposed
    axes, change, _ = np.linalg.svd(jacobian, full_matrices=False)
    return LocalDirections(_signed(axes.T), change)


def _signed(axes: np.ndarray) -> np.ndarray:
    """Return directions (K, D) whose largest component is positive: an SVD leaves their signs open."""
    return axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
