"""Encoded images: their codes, where these lie in each dimension, and their positions on maps.

They are the content of map.npz, of a visitor's own map and of a page's map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

SLIDER_TAIL = 0.002  # of the samples, beyond each end of a slider
FITTED_MAPS = {"umap": "UMAP", "umap_again": "UMAP, other seed", "pca": "PCA"}  # titles of EncodedImages.layouts
STRIP_SHARE = 0.95  # of the samples, between the ends of a traversal


@dataclass(frozen=True)
class EncodedImages:
    """D-dimensional codes of N images and their positions on three fitted 2-D maps."""

    rows: np.ndarray  # (N,) int64, indices of the images: in the data's test split, or among a visitor's files
    codes: np.ndarray  # (N, D) float32, posterior means
    sigmas: np.ndarray  # (N, D) float32, posterior standard deviations; 0 for point codes
    recon: np.ndarray  # (N,) float32, -log p(x | z = mean) in nats
    umap: np.ndarray  # (N, 2) float32
    umap_again: np.ndarray  # (N, 2) float32, another seed, aligned to umap
    pca: np.ndarray  # (N, 2) float32

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> EncodedImages:
        """Return the record of named arrays; others are ignored. Raises KeyError for a missing one."""
        return cls(**{f.name: arrays[f.name] for f in fields(cls)})

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def layouts(self) -> dict[str, np.ndarray]:
        """The positions (N, 2) on each map."""
        return {"umap": self.umap, "umap_again": self.umap_again, "pca": self.pca}

    def posterior_samples(self) -> np.ndarray:
        """Return one sample from the posterior of each image, (N, D).

        In an inactive dimension all posterior means are near 0, but the samples are distributed like the prior.
        """
        return self.codes + self.sigmas * np.random.default_rng(0).standard_normal(self.codes.shape)

    def take(self, indices: np.ndarray | slice) -> EncodedImages:
        """Return the images at indices (M,), or of a slice."""
        return EncodedImages(**{name: array[indices] for name, array in self.arrays.items()})

    def check(self, latent_dim: int) -> None:
        """Raise ValueError where the arrays do not fit each other or a code of latent_dim dimensions.

        Its message is the rest of a sentence whose subject is the arrays' file.
        """
        n, d = self.codes.shape if self.codes.ndim == 2 else (0, 0)
        if n == 0 or d != latent_dim:
            raise ValueError("does not belong to this model")
        layouts = dict.fromkeys(self.layouts, (n, 2))
        shapes = {"rows": (n,), "codes": (n, d), "sigmas": (n, d), "recon": (n,), **layouts}
        if any(self.arrays[name].shape != shape for name, shape in shapes.items()):
            raise ValueError("holds arrays that do not fit each other")
        if self.rows.dtype.kind not in "iu" or any(array.dtype.kind not in "fiu" for array in self.arrays.values()):
            raise ValueError("holds arrays that are not numbers")
        if not all(np.isfinite(array).all() for array in self.arrays.values()) or self.rows.min() < 0:
            raise ValueError("holds values that are not finite, or negative rows")


def data_ranges(
    encoded: EncodedImages | None, prior_mean: np.ndarray, prior_stddev: np.ndarray, tail: float = SLIDER_TAIL,
    values: list[list[float]] | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the quantiles tail and 1 - tail of the posterior samples in each dimension, (D, 2).

    Without encoded images they are three standard deviations of the prior, whose moments are (D,). Where a code takes
    only the values (D, V), ascending, they are the first and the last one.
    """
    if values is not None:
        return np.array(values)[:, [0, -1]]
    if encoded is None:
        return np.stack([prior_mean - 3 * prior_stddev, prior_mean + 3 * prior_stddev], axis=1)
    return np.quantile(encoded.posterior_samples(), [tail, 1 - tail], axis=0).T


def nearest_values(z: np.ndarray, values: list[list[float]]) -> np.ndarray:
    """Return the values nearest to z (D,), of those that each dimension takes, (D, V)."""
    known = np.array(values)
    return np.take_along_axis(known, np.abs(known - np.asarray(z)[:, None]).argmin(1)[:, None], 1)[:, 0]


def quantised(samples: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """Return samples (N, D) as uint8: their positions between the ends of ranges (D, 2)."""
    low, high = ranges.T
    return np.floor((samples - low) / (high - low) * 256).clip(0, 255).astype(np.uint8)
