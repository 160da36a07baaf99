"""How a model with a codebook uses it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

PROTOCOL = (
    "exponential of the entropy of code frequencies, {images:,} images, {positions:,} positions, codebook of {vectors}"
)


class CodeUsage(NamedTuple):
    used: int  # vectors that at least one place of one image names
    perplexity: float  # exp of the entropy of how often each is named: K if all are, equally often
    protocol: str


def code_usage(codes: np.ndarray, size: int) -> CodeUsage:
    """codes (N, D), whole numbers below size -> usage over all N * D places (van den Oord et al.
    2017). Raises ValueError for a code that names no vector, and where there is none."""
    numbers = np.asarray(codes)
    if numbers.ndim != 2 or not numbers.size:
        raise ValueError(f"codes must be (N, D), N and D 1 or more, not {numbers.shape}")
    if numbers.dtype.kind not in "biuf" or not np.isfinite(numbers).all() or (numbers != np.rint(numbers)).any():
        raise ValueError("codes must be whole numbers")
    numbers = numbers.astype(int).ravel()
    if numbers.min() < 0 or numbers.max() >= size:
        raise ValueError(f"codes must lie between 0 and {size - 1}")
    counts = np.bincount(numbers, minlength=size)
    p = counts[counts > 0] / counts.sum()
    protocol = PROTOCOL.format(images=len(codes), positions=numbers.size, vectors=size)
    return CodeUsage(int((counts > 0).sum()), float(np.exp(-(p * np.log(p)).sum())), protocol)
