"""Geometry of a latent space: traversals, grids, lines, directions, support.

Pure functions of codes. A code z has shape (D,), codes have shape (N, D).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal


def traversal(z: Tensor, dim: int, values: Tensor) -> Tensor:
    """z (D,) with z[dim] set to each of values (S,) -> (S, D). Raises IndexError for a foreign dim."""
    if not 0 <= dim < len(z):
        raise IndexError(f"dimension {dim} of a code with {len(z)}")
    zs = z.repeat(len(values), 1)
    zs[:, dim] = values
    return zs


def prior_quantiles(n: int, prior_mu: float = 0.0, prior_sigma: float = 1.0) -> Tensor:
    """The middles of n equally probable slices of N(prior_mu, prior_sigma^2) -> (n,), ascending.

    Equal steps in probability, so that a grid shows each part of the space as often as the
    prior visits it (Kingma & Welling 2014, appendix A).
    """
    probabilities = (torch.arange(n) + 0.5) / n
    return Normal(prior_mu, prior_sigma).icdf(probabilities)


def prior_grid(
    n: int, z: Tensor, dims: tuple[int, int] = (0, 1),
    prior_mu: Tensor | None = None, prior_sigma: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """An n x n grid over two dimensions by the prior's quantiles; the others stay as in z.

    z (D,), prior_mu and prior_sigma (D,), N(0, I) by default -> (n, n, D). Like a picture:
    the first axis runs down (dims[1] falls), the second to the right (dims[0] rises).
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
    """The straight line from a (D,) to b (D,) at t (S,) -> (S, D); exact at t = 0 and t = 1."""
    t = t[:, None]
    # this form, and not a + t (b - a), is exact at both ends
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """The great arc from a (D,) to b (D,) at t (S,) -> (S, D) (Shoemake 1985).

    Directions go along the arc and lengths linearly, so that it passes exactly through a and
    b. Where no arc is defined (an end at the origin, ends parallel or opposite) it is lerp.
    """
    length_a, length_b = a.norm(), b.norm()
    straight = lerp(a, b, t)
    if length_a == 0 or length_b == 0:
        return straight
    direction_a, direction_b = a / length_a, b / length_b
    # atan2 of these two lengths is accurate for small angles, where arccos is not
    angle = 2 * torch.atan2((direction_a - direction_b).norm(), (direction_a + direction_b).norm())
    if torch.sin(angle) < 1e-4:
        return straight
    s = t[:, None]
    direction = ((1 - s) * angle).sin() * direction_a + (s * angle).sin() * direction_b
    arc = direction / torch.sin(angle) * ((1 - s) * length_a + s * length_b)
    return torch.where((s == 0) | (s == 1), straight, arc)


def along(places: np.ndarray, n: int) -> np.ndarray:
    """n places at equal steps along a line through places (S, 2), both ends among them -> (n, 2)."""
    lengths = np.concatenate([[0], np.linalg.norm(np.diff(places, axis=0), axis=1).cumsum()])
    at = np.linspace(0, lengths[-1], n)
    return np.stack([np.interp(at, lengths, places[:, d]) for d in (0, 1)], axis=1)


def swap(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """From a (D,) to b (D,) at t (S,) -> (S, D), each dimension whole: the first round(t * D) are b's.

    For codes whose numbers are names, between which nothing lies.
    """
    taken = (t.clamp(0, 1) * len(a)).round()  # (S,)
    return torch.where(torch.arange(len(a)) < taken[:, None], b, a)


class AttributeDirection(NamedTuple):
    """A direction that adds an attribute, and how far single pairs agree on it."""

    vector: Tensor  # (D,) mean of the codes with minus mean of the codes without
    agreement: float  # mean cosine between differences of random (with, without) pairs
    random_agreement: float  # the same for pairs drawn without regard to the attribute


def attribute_direction(
    codes: Tensor, has_attribute: Tensor, pairs: int = 500, seed: int = 0
) -> AttributeDirection:
    """The direction from codes without an attribute to codes with it (Larsen et al. 2016).

    codes (N, D), has_attribute (N,) bool. An agreement near the random one (about 0) says that
    the attribute is no direction here. Raises ValueError when all or none have the attribute.
    """
    with_, without = codes[has_attribute], codes[~has_attribute]
    if not len(with_) or not len(without):
        raise ValueError("an attribute direction needs codes with the attribute and codes without")
    generator = torch.Generator().manual_seed(seed)

    def differences(ends: Tensor, starts: Tensor) -> Tensor:
        i = torch.randint(len(ends), (pairs,), generator=generator)
        j = torch.randint(len(starts), (pairs,), generator=generator)
        return ends[i] - starts[j]

    return AttributeDirection(
        with_.mean(0) - without.mean(0),
        _mean_cosine(differences(with_, without)),
        _mean_cosine(differences(codes, codes)),
    )


def _mean_cosine(differences: Tensor) -> float:
    """Mean cosine over all pairs of different rows (P, D)."""
    directions = torch.nn.functional.normalize(differences, dim=1)
    p = len(directions)
    # |sum|^2 holds every ordered pair, and each row with itself
    own = (directions**2).sum()
    return float((directions.sum(0).square().sum() - own) / (p * (p - 1)))


def nearest(z: np.ndarray, codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k codes nearest to each z: z (B, D), codes (N, D) -> indices, distances (B, k)."""
    lengths = np.einsum("nd,nd->n", codes, codes)  # without an array of squares on the way
    squared = (z**2).sum(1)[:, None] - 2 * z @ codes.T + lengths[None, :]  # (B, N)
    k = min(k, len(codes))
    found = np.argpartition(squared, k - 1, axis=1)[:, :k]
    # again, exactly: the expanded square loses digits where distances are small
    distances = np.linalg.norm(codes[found] - z[:, None, :], axis=2)
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(found, order, 1), np.take_along_axis(distances, order, 1)


def local_distances(codes: np.ndarray, k: int = 15) -> np.ndarray:
    """Each code's distance to its k-th nearest other code, sorted: codes (N, D) -> (N,)."""
    own = np.concatenate([
        nearest(codes[first : first + 1000], codes, k + 1)[1][:, -1]
        for first in range(0, len(codes), 1000)
    ])  # fmt: skip
    return np.sort(own)


def support(z: np.ndarray, codes: np.ndarray, reference: np.ndarray, k: int = 15) -> np.ndarray:
    """How well encoded data supports each z: z (B, D), codes (N, D) -> (B,) in [0, 1].

    The share of encoded data that lies in places as sparse as this one or sparser, by the
    distance to the k-th nearest code; reference is local_distances(codes, k). 0.5 is a place
    as crowded as that of typical data; 0 is emptier than any data's place.
    """
    distance = nearest(z, codes, k)[1][:, -1]
    return 1 - np.searchsorted(reference, distance, side="left") / len(reference)
