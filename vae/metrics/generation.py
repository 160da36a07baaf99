"""Distances between sets of images, in a classifier's features: how good samples are, and how varied."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .checking import checked_codes

NEIGHBOURS = 3  # of the radii, as Kynkaanniemi et al. 2019 recommend
BLOCK = 1000  # rows of a matrix of distances at a time


class PrecisionRecall(NamedTuple):
    """How much of the data samples cover, and how many of them lie on it."""

    precision: float  # share of generated images among real ones: quality
    recall: float  # share of real images among generated ones: variety


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the squared Frechet distance of two Gaussians with the means and covariances of features a (N, F) and
    b (M, F), as the FID is (Heusel et al. 2017).

    It is biased upwards for few images. Raises ValueError for features that are not finite, for different F and for
    fewer than two rows.
    """
    a, b = _pair(a, b)
    difference = a.mean(0) - b.mean(0)
    of_a, of_b = (np.atleast_2d(np.cov(part, rowvar=False)) for part in (a, b))
    # the trace of sqrt(A B) is that of sqrt(sqrt(A) B sqrt(A)), which is symmetric
    root = _square_root(of_a)
    eigenvalues = np.linalg.eigvalsh(root @ of_b @ root).clip(min=0)
    return float(difference @ difference + np.trace(of_a) + np.trace(of_b) - 2 * np.sqrt(eigenvalues).sum())


def precision_recall(real: np.ndarray, generated: np.ndarray, neighbours: int = NEIGHBOURS) -> PrecisionRecall:
    """Return precision and recall of generated features (M, F) given real ones (N, F) (Kynkaanniemi et al. 2019).

    A point lies among a set if it is within the distance of some point of the set to that point's k-th nearest
    neighbour. Raises ValueError as frechet_distance does, and for too few rows for the k-th neighbour.
    """
    real, generated = _pair(real, generated)
    if min(len(real), len(generated)) <= neighbours:
        raise ValueError(f"{neighbours} neighbours need more than {neighbours} images")
    a, b = torch.from_numpy(real), torch.from_numpy(generated)
    return PrecisionRecall(_share_among(b, a, neighbours), _share_among(a, b, neighbours))


def _share_among(points: Tensor, others: Tensor, neighbours: int) -> float:
    """Return the share of points (M, F) that lie among others (N, F)."""
    # the nearest of a point's own set is the point itself
    radii = torch.cat([torch.cdist(part, others).kthvalue(neighbours + 1).values for part in others.split(BLOCK)])
    inside = [(torch.cdist(part, others) <= radii).any(1) for part in points.split(BLOCK)]
    return float(torch.cat(inside).double().mean())


def _square_root(matrix: np.ndarray) -> np.ndarray:
    """Return the symmetric square root of a positive semi-definite matrix."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(eigenvalues.clip(min=0))) @ vectors.T


def _pair(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = checked_codes(a, images=2), checked_codes(b, images=2)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"both sets must have the same features, not {a.shape[1]} and {b.shape[1]}")
    return a, b
