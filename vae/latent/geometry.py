"""Geometry of a latent space: traversals, grids, lines, directions, support.

Pure functions of codes. A code z has shape (D,), codes have shape (N, D).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal


class Plane(NamedTuple):
    """A linear map: an orthogonal projection of codes onto a plane, and its inverse on that plane."""

    origin: np.ndarray  # (D,)
    axes: np.ndarray  # (2, D), orthonormal

    def place(self, z: np.ndarray) -> np.ndarray:
        """Return the positions (B, 2) of codes (B, D)."""
        return (z - self.origin) @ self.axes.T

    def inverse(self, xy: np.ndarray) -> np.ndarray:
        """Return the codes (B, D) of positions (B, 2) on the plane."""
        return self.origin + xy @ self.axes


def traversal(z: Tensor, dim: int, values: Tensor) -> Tensor:
    """Return codes (S, D): z (D,) with z[dim] set to each of values (S,). Raises IndexError for a dim out of range."""
    if not 0 <= dim < len(z):
        raise IndexError(f"dimension {dim} is out of range for a code with {len(z)} dimensions")
    zs = z.repeat(len(values), 1)
    zs[:, dim] = values
    return zs


def prior_quantiles(n: int, prior_mu: float = 0.0, prior_sigma: float = 1.0) -> Tensor:
    """Return the medians (n,), ascending, of n equally probable slices of N(prior_mu, prior_sigma^2).

    With equal steps in probability, a grid shows each region of the space as often as the prior samples it
    (Kingma & Welling 2014, appendix A).
    """
    probabilities = (torch.arange(n) + 0.5) / n
    return Normal(prior_mu, prior_sigma).icdf(probabilities)


def prior_grid(
    n: int, z: Tensor, dims: tuple[int, int] = (0, 1),
    prior_mu: Tensor | None = None, prior_sigma: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return an n x n grid of codes (n, n, D) over the prior's quantiles in two dimensions; the others stay as in z.

    z (D,), prior_mu and prior_sigma (D,), N(0, I) by default. As in an image, the first axis runs down (dims[1]
    decreases) and the second runs right (dims[0] increases).
    """
    mu = torch.zeros_like(z) if prior_mu is None else prior_mu
    sigma = torch.ones_like(z) if prior_sigma is None else prior_sigma
    right = prior_quantiles(n, mu[dims[0]].item(), sigma[dims[0]].item())
    up = prior_quantiles(n, mu[dims[1]].item(), sigma[dims[1]].item())
    grid = z.repeat(n, n, 1)
    grid[:, :, dims[0]] = right[None, :]
    grid[:, :, dims[1]] = up.flip(0)[:, None]
    return grid


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Interpolate linearly from a (D,) to b (D,) at t (S,) -> (S, D); exact at t = 0 and t = 1."""
    t = t[:, None]
    # unlike a + t (b - a), this form is exact at both ends
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Interpolate along the great arc from a (D,) to b (D,) at t (S,) -> (S, D) (Shoemake 1985).

    The direction follows the arc and the length changes linearly, so that the path passes exactly through a
    and b. Where no arc is defined (an end at the origin, ends parallel or opposite) this is lerp.
    """
    length_a, length_b = a.norm(), b.norm()
    straight = lerp(a, b, t)
    if length_a == 0 or length_b == 0:
        return straight
    direction_a, direction_b = a / length_a, b / length_b
    # arccos is inaccurate for small angles; atan2 of these two lengths is not
    angle = 2 * torch.atan2((direction_a - direction_b).norm(), (direction_a + direction_b).norm())
    if torch.sin(angle) < 1e-4:
        return straight
    s = t[:, None]
    direction = ((1 - s) * angle).sin() * direction_a + (s * angle).sin() * direction_b
    arc = direction / torch.sin(angle) * ((1 - s) * length_a + s * length_b)
    return torch.where((s == 0) | (s == 1), straight, arc)


def along(positions: np.ndarray, n: int) -> np.ndarray:
    """Return n equally spaced positions (n, 2) along the polyline through positions (S, 2), both ends included."""
    lengths = np.concatenate([[0], np.linalg.norm(np.diff(positions, axis=0), axis=1).cumsum()])
    at = np.linspace(0, lengths[-1], n)
    return np.stack([np.interp(at, lengths, positions[:, d]) for d in (0, 1)], axis=1)


def swap(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Return codes (S, D) between a (D,) and b (D,) at t (S,): the first round(t * D) dimensions are b's.

    For discrete codes, whose values are indices and cannot be interpolated.
    """
    taken = (t.clamp(0, 1) * len(a)).round()  # (S,)
    return torch.where(torch.arange(len(a)) < taken[:, None], b, a)


RANDOM_GROUPS = 10


class AttributeDirection(NamedTuple):
    """A direction that adds an attribute, and how well individual pairs agree on it."""

    vector: Tensor  # (D,), mean of the codes with the attribute minus mean of the codes without
    agreement: float  # mean cosine between the differences of random (with, without) pairs
    random_agreement: float  # baseline: the mean over RANDOM_GROUPS pairs of random groups of the same sizes


def attribute_direction(
    codes: Tensor, has_attribute: Tensor, pairs: int = 500, seed: int = 0
) -> AttributeDirection:
    """Return the direction from codes without an attribute to codes with it (Larsen et al. 2016).

    codes (N, D), has_attribute (N,) bool. An agreement near the random one means that the attribute is not a direction
    in this space. The random one is about 0 for large groups, and far above it for groups of a few codes, whose pairs
    share their ends. Raises ValueError when all or none have the attribute.
    """
    with_, without = has_attribute.nonzero()[:, 0], (~has_attribute).nonzero()[:, 0]
    if not len(with_) or not len(without):
        raise ValueError("an attribute direction needs codes with the attribute and codes without")
    generator = torch.Generator().manual_seed(seed)

    def agreement(ends: Tensor, starts: Tensor) -> float:
        i = ends[torch.randint(len(ends), (pairs,), generator=generator)]
        j = starts[torch.randint(len(starts), (pairs,), generator=generator)]
        return _mean_cosine(codes[i] - codes[j])

    found = agreement(with_, without)
    shuffled = (torch.randperm(len(codes), generator=generator) for _ in range(RANDOM_GROUPS))
    random = [agreement(order[: len(with_)], order[len(with_) :]) for order in shuffled]
    return AttributeDirection(codes[with_].mean(0) - codes[without].mean(0), found, sum(random) / RANDOM_GROUPS)


def _mean_cosine(differences: Tensor) -> float:
    """Return the mean cosine over all pairs of distinct rows of differences (P, D)."""
    directions = torch.nn.functional.normalize(differences, dim=1)
    p = len(directions)
    # |sum|^2 counts every ordered pair, and each row with itself
    own = (directions**2).sum()
    return float((directions.sum(0).square().sum() - own) / (p * (p - 1)))


def nearest(z: np.ndarray, codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return indices and distances (B, k) of the k codes (N, D) nearest to each z (B, D), nearest first."""
    lengths = np.einsum("nd,nd->n", codes, codes)  # avoids an (N, D) array of squares
    squared = (z**2).sum(1)[:, None] - 2 * z @ codes.T + lengths[None, :]  # (B, N)
    k = min(k, len(codes))
    indices = np.argpartition(squared, k - 1, axis=1)[:, :k]
    # recomputed: the expanded square loses digits for small distances
    distances = np.linalg.norm(codes[indices] - z[:, None, :], axis=2)
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(indices, order, 1), np.take_along_axis(distances, order, 1)


def local_distances(codes: np.ndarray, k: int = 15, n: int = 2000) -> np.ndarray:
    """Return the distance of each of n of the codes (N, D) to its k-th nearest other code, sorted -> (min(n, N),).

    They are at equal steps among all. 2,000 tell the share of sparser regions to about 1 % (standard error).
    """
    chosen = codes[np.linspace(0, len(codes) - 1, min(n, len(codes))).astype(int)]
    parts = [chosen[first : first + 1000] for first in range(0, len(chosen), 1000)]
    return np.sort(np.concatenate([nearest(part, codes, k + 1)[1][:, -1] for part in parts]))


def support(z: np.ndarray, codes: np.ndarray, reference: np.ndarray, k: int = 15) -> np.ndarray:
    """Return how well encoded data supports each z: z (B, D), codes (N, D) -> (B,) in [0, 1].

    The share of encoded data in regions that are as sparse as the one around z or sparser, by the distance to
    the k-th nearest code; reference is local_distances(codes, k). At 0.5 the region is as dense as that of the
    median encoded image; at 0 it is sparser than around any code of the reference.
    """
    distance = nearest(z, codes, k)[1][:, -1]
    return 1 - np.searchsorted(reference, distance, side="left") / len(reference)
