"""2-D maps of codes: fitted offline (slow), then from a code to its position and back (fast).

umap is imported inside fit_umap only: the import takes seconds and 270 MB, and the first fit compiles for
even longer, so the web process must do neither.
"""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import orthogonal_procrustes
from scipy.optimize import curve_fit
from scipy.signal import fftconvolve
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from .. import folders
from ..jobs import Report, part
from .geometry import Plane, nearest

N_NEIGHBORS, MIN_DIST = 15, 0.1
SAME_CODE = 1e-3  # codes nearer than this are equal: links round z
EPOCHS, FIRST_STEP, NEGATIVES = 100, 0.25, 5  # of umap's transform
CELLS = 256  # cells across the grid that caches the repulsion by all points
INVERSE_NEIGHBORS = 8  # neighbours on a map whose codes are averaged for a position between them


@cache
def numba_cache() -> str:
    """Return a folder for the code that numba compiles: NUMBA_CACHE_DIR, else one in the user's cache folder, else a
    temporary one of this process.

    Where none of numba's own choices can be written to, as in a container without a home folder, umap cannot be
    imported. numba unpickles what it finds there, so the folder must not be one that others can write to.
    """
    if folder := os.environ.get("NUMBA_CACHE_DIR"):
        return folder
    path = folders.cache() / "numba"
    try:
        if not path.is_absolute():  # "~" without a user
            raise OSError
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
        return str(path)
    except OSError:
        return _temporary_folder().name


@cache
def _temporary_folder() -> tempfile.TemporaryDirectory:
    """Return a folder that is removed when this process ends."""
    return tempfile.TemporaryDirectory(prefix="vae-numba-", ignore_cleanup_errors=True)


class FittedMaps(NamedTuple):
    """Three maps of N codes."""

    layouts: dict[str, np.ndarray]  # "umap", "umap_again", "pca": (N, 2) float32; umap_again is aligned to umap
    parameters: dict  # how they were fitted and how trustworthy each is, for a card and a caption


def fit_maps(
    features: np.ndarray, seed: int = 0, progress: Report | None = None, exact: bool = False
) -> FittedMaps:
    """Fit maps of features (N, F), in which distances between codes are measured: UMAP with two seeds, and PCA.

    N is at least 5. progress(stage, share) is called meanwhile. exact: see fit_umap.
    """
    report = part(progress)
    report("loading UMAP", 0.0)
    umap = fit_umap(features, seed, lambda share: report("fitting UMAP", 0.2 + 0.4 * share), exact)
    report("fitting UMAP again", 0.6)
    again = fit_umap(features, seed + 1, lambda share: report("fitting UMAP again", 0.6 + 0.35 * share), exact)
    pca = pca_plane(features).place(features).astype(np.float32)
    layouts = {"umap": umap, "umap_again": align_to(again, umap), "pca": pca}
    report("measuring trustworthiness", 0.95)
    trust = {name: map_trustworthiness(features, xy) for name, xy in layouts.items()}
    return FittedMaps(layouts, map_parameters(len(features), seed, trust))


def map_parameters(n: int, seed: int, trust: dict[str, float]) -> dict:
    """Return how maps of n codes are fitted with this seed, and their trustworthiness by name."""
    return {
        "points": n, "seed": seed, "seed_again": seed + 1, "n_neighbors": min(N_NEIGHBORS, n - 1),
        "min_dist": MIN_DIST, "trustworthiness": trust,
    }  # fmt: skip


def fit_umap(
    codes: np.ndarray, seed: int = 0, progress: Callable[[float], None] | None = None, exact: bool = False
) -> np.ndarray:
    """Return the UMAP (McInnes et al. 2018) of codes (N, D) as (N, 2) float32, reproducible for a seed.

    N is at least 5. progress: called with the share of epochs that are done, 0 to 1. exact: search all pairs for
    neighbours, which for a few thousand codes takes less time than umap takes to compile its approximate search.
    """
    os.environ["NUMBA_CACHE_DIR"] = numba_cache()  # numba reads it when umap imports it
    import umap

    n_neighbors = min(N_NEIGHBORS, len(codes) - 1)
    known = (None,) * 3  # neighbours, their distances, and the index that a transform would need
    if exact:
        distances, neighbours = NearestNeighbors(n_neighbors=n_neighbors).fit(codes).kneighbors(codes)
        known = (neighbours.astype(np.int32), distances.astype(np.float32), None)
    reducer = umap.UMAP(
        n_neighbors=n_neighbors, precomputed_knn=known, min_dist=MIN_DIST, random_state=seed, n_jobs=1,
        # otherwise umap compiles and runs a slower exact search below 4,096 points
        force_approximation_algorithm=True,
        # few points have too few eigenvectors for spectral initialisation, and one dimension has no plane
        init="spectral" if len(codes) > 4 * N_NEIGHBORS else "pca" if codes.shape[1] > 1 else "random",
        tqdm_kwds=None if progress is None else {
            "disable": False, "file": _ProgressBar(progress), "mininterval": 0.2, **_hidden_in_notebooks(),
        },
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*precomputed_knn")  # that it cannot transform
        return reducer.fit_transform(codes).astype(np.float32)


def _hidden_in_notebooks() -> dict[str, bool]:
    """Return the option that keeps tqdm's bar out of a notebook, whose class alone knows it."""
    from tqdm.auto import tqdm

    return {"display": False} if any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__) else {}


class _ProgressBar:
    """A file-like object that umap writes its progress bar to; it calls on_share with the share done, 0 to 1."""

    def __init__(self, on_share: Callable[[float], None]):
        self.on_share = on_share

    def write(self, text: str) -> None:
        percent = re.search(r"(\d+)%", text)
        if percent:
            self.on_share(int(percent[1]) / 100)

    def flush(self) -> None:
        pass


def align_to(xy: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return xy (N, 2) rotated, reflected and translated to fit reference (N, 2) best; distances do not change.

    The orientation of a UMAP run is arbitrary, so two runs can be compared only after alignment.
    """
    centre = xy.mean(0)
    rotation, _ = orthogonal_procrustes(xy - centre, reference - reference.mean(0))
    return ((xy - centre) @ rotation + reference.mean(0)).astype(np.float32)


def pca_plane(codes: np.ndarray) -> Plane:
    """Return the plane through the mean of codes (N, D) along their first two principal components."""
    if codes.shape[1] == 1:  # along the one dimension
        return Plane(codes.mean(0).astype(np.float32), np.array([[1], [0]], np.float32))
    pca = PCA(2, svd_solver="full").fit(codes)
    return Plane(pca.mean_.astype(np.float32), pca.components_.astype(np.float32))


def dimension_plane(z: np.ndarray, dims: tuple[int, int]) -> Plane:
    """Return the plane of two dimensions through a code z (D,); positions are the values of these dimensions."""
    origin, axes = z.astype(np.float32), np.zeros((2, len(z)), np.float32)
    origin[list(dims)] = 0
    axes[[0, 1], list(dims)] = 1
    return Plane(origin, axes)


class Repulsion(NamedTuple):
    """The repulsion of a new point by all points of a UMAP map, on a grid over the map."""

    low: np.ndarray  # (2,), first corner of the grid
    high: np.ndarray  # (2,), last corner
    force: np.ndarray  # (CELLS, CELLS, 2), mean over the points

    def at(self, xy: np.ndarray) -> np.ndarray:
        """Return the force (B, 2) at positions (B, 2), by bilinear interpolation."""
        along = np.clip((xy - self.low) / (self.high - self.low), 0, 1) * (CELLS - 1.001)
        cell = along.astype(int)
        (tx, ty), (i, j) = (along - cell).T[:, :, None], cell.T
        lower = (1 - tx) * self.force[i, j] + tx * self.force[i + 1, j]
        upper = (1 - tx) * self.force[i, j + 1] + tx * self.force[i + 1, j + 1]
        return (1 - ty) * lower + ty * upper


def umap_repulsion(xy: np.ndarray) -> Repulsion:
    """Return the mean repulsion by the points xy (N, 2) of a UMAP map, on a grid over the map."""
    low, high = xy.min(0) - 1.0, xy.max(0) + 1.0
    step = (high - low) / (CELLS - 1)
    edges = [(low[d] - step[d] / 2, high[d] + step[d] / 2) for d in (0, 1)]
    share = np.histogram2d(xy[:, 0], xy[:, 1], bins=CELLS, range=edges)[0] / len(xy)
    offsets = np.arange(1 - CELLS, CELLS)
    force = _repulsion(np.stack(np.meshgrid(offsets * step[0], offsets * step[1], indexing="ij"), -1))
    summed = [fftconvolve(force[..., d], share, mode="valid") for d in (0, 1)]
    return Repulsion(low, high, np.stack(summed, -1).astype(np.float32))


def place(
    z: np.ndarray, codes: np.ndarray, xy: np.ndarray, repulsion: Repulsion | None = None, k: int = N_NEIGHBORS
) -> np.ndarray:
    """Return the positions (B, 2) of new codes z (B, D) on a fitted map of codes (N, D) at xy (N, 2).

    With repulsion (umap_repulsion(xy)), like UMAP's transform: start from the mean position of the k nearest codes,
    weighted by membership, then take 100 steps of attraction by these neighbours and repulsion by all other
    points. UMAP samples the pairs of each step; here each step is the mean over such samples. So the result is
    deterministic, and as close to a UMAP result as two of those are to each other.
    Without repulsion: the weighted mean. A z that equals a code gets its position.
    """
    indices, distances = nearest(z, codes, k)
    weights = _memberships(distances)  # (B, k)
    positions = (weights[:, :, None] * xy[indices]).sum(1) / weights.sum(1)[:, None]
    if repulsion is not None:
        # as in umap: an edge is sampled in proportion to its weight, and dropped below one sample in all epochs
        rates = weights / weights.max(1, keepdims=True)
        rates[rates < 1 / EPOCHS] = 0
        negatives = NEGATIVES * rates.sum(1)[:, None]
        for epoch in range(EPOCHS):
            pull = (rates[:, :, None] * _attraction(positions[:, None] - xy[indices])).sum(1)
            step = FIRST_STEP * (1 - max(epoch - 1, 0) / EPOCHS)
            positions = positions + step * (pull + negatives * repulsion.at(positions))
    known = distances[:, 0] < SAME_CODE
    positions[known] = xy[indices[known, 0]]
    return positions


def inverse(xy: np.ndarray, positions: np.ndarray, codes: np.ndarray, k: int = INVERSE_NEIGHBORS) -> np.ndarray:
    """Return codes (B, D) for any xy (B, 2) on a map of codes (N, D) at positions (N, 2).

    A code is the mean of the codes of the k nearest points, weighted by inverse squared distance; at a point it
    is the point's own code.
    """
    indices, distances = nearest(xy, positions, k)
    weights = 1 / np.maximum(distances, 1e-6) ** 2  # (B, k)
    weights /= weights.sum(1, keepdims=True)
    return (weights[:, :, None] * codes[indices]).sum(1)


def map_trustworthiness(codes: np.ndarray, xy: np.ndarray, k: int = 15) -> float:
    """Return how well neighbours on the map are neighbours in latent space, 0 to 1 (Venna & Kaski 2001).

    codes (N, D), xy (N, 2). k is reduced for few codes: it must be below N / 2.
    """
    return float(trustworthiness(codes, xy, n_neighbors=min(k, (len(codes) - 1) // 2)))


def _memberships(distances: np.ndarray) -> np.ndarray:
    """Return UMAP's weights (B, k), 0 to 1, of a new code's neighbours at sorted distances (B, k).

    A weight is exp(-d / sigma), with the sigma at which all weights except the nearest one's sum to log2(k).
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
    """Fit UMAP's a and b: 1 / (1 + a d^2b) approximates 1 below min_dist and exp(min_dist - d) beyond."""
    d = np.linspace(0, 3, 300)
    target = np.where(d < min_dist, 1.0, np.exp(-(d - min_dist)))
    (a, b), _ = curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), d, target)
    return float(a), float(b)


def _attraction(difference: np.ndarray) -> np.ndarray:
    """Return UMAP's attraction (..., 2) between points that differ by `difference` (..., 2), clipped as in umap."""
    a, b = _curve(MIN_DIST)
    squared = np.maximum((difference**2).sum(-1, keepdims=True), 1e-12)
    return np.clip(-2 * a * b * squared ** (b - 1) / (a * squared**b + 1) * difference, -4, 4)


def _repulsion(difference: np.ndarray) -> np.ndarray:
    a, b = _curve(MIN_DIST)
    squared = (difference**2).sum(-1, keepdims=True)
    return np.clip(2 * b / ((0.001 + squared) * (a * squared**b + 1)) * difference, -4, 4)
