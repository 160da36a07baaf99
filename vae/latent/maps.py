"""2-D maps of codes: fitted offline (slow); from a code to its place and back (fast).

umap is imported inside fit_umap only: importing it costs seconds and 270 MB, and its first fit
compiles for longer still, so the web process must never do either.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import orthogonal_procrustes
from scipy.optimize import curve_fit
from scipy.signal import fftconvolve
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from .geometry import nearest

N_NEIGHBORS, MIN_DIST = 15, 0.1
SAME_CODE = 1e-3  # nearer than this two codes are one: links round z
EPOCHS, FIRST_STEP, NEGATIVES = 100, 0.25, 5  # of umap's transform
CELLS = 256  # across the grid on which the push of all points is kept
IMAGINED_FROM = 8  # neighbours on a map whose codes make the code of a place between them


def fit_umap(codes: np.ndarray, seed: int = 0, epoch_done=None) -> np.ndarray:
    """UMAP (McInnes et al. 2018) of codes (N, D) -> (N, 2) float32, reproducible under its seed.

    N is 5 or more. epoch_done: a file-like object that umap writes its progress bar to.
    """
    import umap

    n_neighbors = min(N_NEIGHBORS, len(codes) - 1)
    reducer = umap.UMAP(
        n_neighbors=n_neighbors, min_dist=MIN_DIST, random_state=seed, n_jobs=1,
        # below 4,096 points umap would otherwise compile and run a slower exact search
        force_approximation_algorithm=True,
        # a handful of points has too few eigenvectors for the spectral start
        init="spectral" if len(codes) > 4 * N_NEIGHBORS else "pca",
        tqdm_kwds=None if epoch_done is None else {"disable": False, "file": epoch_done, "mininterval": 0.2},
    )  # fmt: skip
    return reducer.fit_transform(codes).astype(np.float32)


def turned_to(xy: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """xy (N, 2) turned, mirrored and moved to lie as reference (N, 2) does; no distance changes.

    A UMAP run has no up and no left, so that two runs can be compared only after this.
    """
    middle = xy.mean(0)
    rotation, _ = orthogonal_procrustes(xy - middle, reference - reference.mean(0))
    return ((xy - middle) @ rotation + reference.mean(0)).astype(np.float32)


class Plane(NamedTuple):
    """A flat map: from codes to places and back without a loss, but for what stands off the plane."""

    origin: np.ndarray  # (D,)
    axes: np.ndarray  # (2, D), orthonormal

    def place(self, z: np.ndarray) -> np.ndarray:
        """Codes (B, D) -> places (B, 2)."""
        return (z - self.origin) @ self.axes.T

    def imagine(self, xy: np.ndarray) -> np.ndarray:
        """Places (B, 2) -> the codes of the plane's own points (B, D)."""
        return self.origin + xy @ self.axes


def pca_plane(codes: np.ndarray) -> Plane:
    """The plane through the mean along the two directions of most variance: codes (N, D)."""
    found = PCA(2, svd_solver="full").fit(codes)
    return Plane(found.mean_.astype(np.float32), found.components_.astype(np.float32))


def dimension_plane(z: np.ndarray, dims: tuple[int, int]) -> Plane:
    """The plane of two dimensions through a code z (D,); its places are their values."""
    origin, axes = z.astype(np.float32), np.zeros((2, len(z)), np.float32)
    origin[list(dims)] = 0
    axes[[0, 1], list(dims)] = 1
    return Plane(origin, axes)


class Push(NamedTuple):
    """How all points of a UMAP map together push a new one away, on a grid over the map."""

    low: np.ndarray  # (2,) the grid's first corner
    high: np.ndarray  # (2,) and its last
    force: np.ndarray  # (CELLS, CELLS, 2), the mean over the points

    def at(self, xy: np.ndarray) -> np.ndarray:
        """Between the grid's corners bilinear: (B, 2) -> (B, 2)."""
        along = np.clip((xy - self.low) / (self.high - self.low), 0, 1) * (CELLS - 1.001)
        cell = along.astype(int)
        (tx, ty), (i, j) = (along - cell).T[:, :, None], cell.T
        lower = (1 - tx) * self.force[i, j] + tx * self.force[i + 1, j]
        upper = (1 - tx) * self.force[i, j + 1] + tx * self.force[i + 1, j + 1]
        return (1 - ty) * lower + ty * upper


def umap_push(xy: np.ndarray) -> Push:
    """The mean repulsion by the points xy (N, 2) of a UMAP map, everywhere on it."""
    low, high = xy.min(0) - 1.0, xy.max(0) + 1.0
    step = (high - low) / (CELLS - 1)
    edges = [(low[d] - step[d] / 2, high[d] + step[d] / 2) for d in (0, 1)]
    share = np.histogram2d(*xy.T, bins=CELLS, range=edges)[0] / len(xy)
    away = np.arange(1 - CELLS, CELLS)
    force = _repulsion(np.stack(np.meshgrid(away * step[0], away * step[1], indexing="ij"), -1))
    summed = [fftconvolve(force[..., d], share, mode="valid") for d in (0, 1)]
    return Push(low, high, np.stack(summed, -1).astype(np.float32))


def place(
    z: np.ndarray, codes: np.ndarray, xy: np.ndarray, push: Push | None = None, k: int = N_NEIGHBORS
) -> np.ndarray:
    """Where new codes belong on a fitted map: z (B, D), codes (N, D), xy (N, 2) -> (B, 2).

    With push (umap_push(xy)) as UMAP's transform places them: from the mean of the k nearest
    codes' places, weighted by membership, 100 steps of attraction by those and of repulsion by all
    others. UMAP draws the pairs of each step; here every step is the mean over such draws, so that
    the answer is always the same, and as near to one of UMAP's as those are to each other.
    Without push: the weighted mean. A z that equals a code lands on its place.
    """
    found, distances = nearest(z, codes, k)
    weights = _memberships(distances)  # (B, k)
    places = (weights[:, :, None] * xy[found]).sum(1) / weights.sum(1)[:, None]
    if push is not None:
        # as umap: an edge is drawn in proportion to its weight, and never below one draw in all
        rates = weights / weights.max(1, keepdims=True)
        rates[rates < 1 / EPOCHS] = 0
        pushed = NEGATIVES * rates.sum(1)[:, None]
        for epoch in range(EPOCHS):
            pull = (rates[:, :, None] * _attraction(places[:, None] - xy[found])).sum(1)
            step = FIRST_STEP * (1 - max(epoch - 1, 0) / EPOCHS)
            places = places + step * (pull + pushed * push.at(places))
    known = distances[:, 0] < SAME_CODE
    places[known] = xy[found[known, 0]]
    return places


def imagine(xy: np.ndarray, places: np.ndarray, codes: np.ndarray, k: int = IMAGINED_FROM) -> np.ndarray:
    """A code for any place on a map: xy (B, 2), places (N, 2), codes (N, D) -> (B, D).

    The mean of the codes of the k nearest points on the map, weighted by the inverse square of
    their distance: at a point its own code.
    """
    found, distances = nearest(xy, places, k)
    weights = 1 / np.maximum(distances, 1e-6) ** 2  # (B, k)
    weights /= weights.sum(1, keepdims=True)
    return (weights[:, :, None] * codes[found]).sum(1)


def map_trustworthiness(codes: np.ndarray, xy: np.ndarray, k: int = 15) -> float:
    """How far the map's neighbours are neighbours in latent space, 0 to 1 (Venna & Kaski 2001).

    k is less where there are few codes: it must be below half their number.
    """
    return float(trustworthiness(codes, xy, n_neighbors=min(k, (len(codes) - 1) // 2)))


def _memberships(distances: np.ndarray) -> np.ndarray:
    """UMAP's weights of a new code's neighbours: sorted distances (B, k) -> (B, k), 0 to 1.

    exp(-d / sigma) with the sigma for which those of all but the nearest sum to log2(k).
    """
    k = distances.shape[1]
    low, high = np.zeros((len(distances), 1)), np.full((len(distances), 1), np.inf)
    sigma = np.ones((len(distances), 1))
    for _ in range(64):
        above = np.exp(-distances[:, 1:] / sigma).sum(1, keepdims=True) > np.log2(k)
        low, high = np.where(above, low, sigma), np.where(above, sigma, high)
        sigma = np.where(np.isinf(high), 2 * sigma, (low + high) / 2)
    return np.exp(-distances / np.maximum(sigma, 1e-12))


@lru_cache
def _curve(min_dist: float) -> tuple[float, float]:
    """UMAP's a and b: 1 / (1 + a d^2b) nearest to 1 below min_dist and exp(min_dist - d) beyond."""
    d = np.linspace(0, 3, 300)
    wanted = np.where(d < min_dist, 1.0, np.exp(-(d - min_dist)))
    (a, b), _ = curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), d, wanted)
    return a, b


def _attraction(apart: np.ndarray) -> np.ndarray:
    """UMAP's pull between two points that lie `apart` (..., 2), clipped as umap does."""
    a, b = _curve(MIN_DIST)
    squared = np.maximum((apart**2).sum(-1, keepdims=True), 1e-12)
    return np.clip(-2 * a * b * squared ** (b - 1) / (a * squared**b + 1) * apart, -4, 4)


def _repulsion(apart: np.ndarray) -> np.ndarray:
    a, b = _curve(MIN_DIST)
    squared = (apart**2).sum(-1, keepdims=True)
    return np.clip(2 * b / ((0.001 + squared) * (a * squared**b + 1)) * apart, -4, 4)
