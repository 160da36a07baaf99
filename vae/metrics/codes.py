"""Codebook usage of discrete codes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

PROTOCOL = (
    "exponential of the entropy of code frequencies, {images:,} images, {positions:,} positions, codebook of {vectors}"
)


class CodeUsage(NamedTuple):
    """How many of a codebook's K vectors are used, and how evenly."""

    used: int  # vectors that occur in at least one code
    perplexity: float  # exp of the entropy of the vectors' frequencies: K if all occur equally often
    protocol: str


def code_usage(codes: np.ndarray, size: int) -> CodeUsage:
    """Count the vectors in codes (N, D), integers below `size`, over all N * D positions (van den Oord et al. 2017).

    Raises ValueError for an index that is not an integer in range, and for no codes.
    """
    indices = np.asarray(codes)
    if indices.ndim != 2 or not indices.size:
        raise ValueError(f"codes must be (N, D), N and D 1 or more, not {indices.shape}")
    if indices.dtype.kind not in "biuf" or not np.isfinite(indices).all() or (indices != np.rint(indices)).any():
        raise ValueError("codes must be whole numbers")
    indices = indices.astype(int).ravel()
    if indices.min() < 0 or indices.max() >= size:
        raise ValueError(f"codes must lie between 0 and {size - 1}")
    counts = np.bincount(indices, minlength=size)
    p = counts[counts > 0] / counts.sum()
    protocol = PROTOCOL.format(images=len(codes), positions=indices.size, vectors=size)
    return CodeUsage(int((counts > 0).sum()), float(np.exp(-(p * np.log(p)).sum())), protocol)
