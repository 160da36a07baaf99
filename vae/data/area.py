"""Exact resizing: each pixel of the result is the mean of the picture over its rectangle.

vae/browser/runtime/area_average.js does the same in the page, in the same order of operations.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels of the picture


def area_average(values: np.ndarray, size: tuple[int, int], box: Box | None = None) -> np.ndarray:
    """Return the means (height, width, ...) float64 of values (H, W, ...) over a grid of size (width, height) on box.

    box may cut pixels, which then count by the part inside; the whole picture by default. Enlarging repeats pixels.
    """
    left, top, right, bottom = box or (0, 0, values.shape[1], values.shape[0])
    return _average(_average(values, size[0], left, right, axis=1), size[1], top, bottom, axis=0)


def area_average_of_blocks(blocks: Iterable[np.ndarray], height: int, size: tuple[int, int]) -> np.ndarray:
    """Return `area_average` of a picture that comes in blocks of whole rows (n, W, ...), from the top.

    height: of the picture. Only one block is held at a time.
    """
    part, y = height / size[1], 0
    total: np.ndarray | None = None
    for block in blocks:
        rows = _average(block, size[0], 0, block.shape[1], axis=1)
        if total is None:
            total = np.zeros((size[1], *rows.shape[1:]))
        first, last = int(y / part), min(int((y + len(rows)) / part) + 1, size[1])
        total[first:last] += np.tensordot(_overlaps(first, last, y, y + len(rows), part), rows, 1) / part
        y += len(rows)
    if total is None or y != height:
        raise ValueError(f"blocks of {y} rows for a picture of {height}")
    return total


def _average(values: np.ndarray, to: int, start: float, end: float, axis: int) -> np.ndarray:
    """Average values along an axis over `to` equal parts of [start, end]: differences of the cumulative sum, which is
    linear within a pixel."""
    values = np.moveaxis(values, axis, 0)
    n = len(values)
    if to == n and (start, end) == (0, n):
        return np.moveaxis(values.astype(np.float64), 0, axis)
    sums = np.zeros((n + 1, *values.shape[1:]))
    np.cumsum(values, 0, out=sums[1:])
    part = (end - start) / to
    edges = start + np.arange(to + 1) * part
    whole = np.clip(edges.astype(int), 0, n - 1)
    within = (edges - whole).reshape(-1, *[1] * (values.ndim - 1))
    below = sums[whole]
    until = below + within * (sums[whole + 1] - below)
    return np.moveaxis(np.diff(until, axis=0) / part, 0, axis)


def _overlaps(first: int, last: int, start: int, end: int, part: float) -> np.ndarray:
    """Return how much of each row start..end lies in each part first..last, (last - first, end - start)."""
    top = np.arange(first, last)[:, None] * part
    row = np.arange(start, end)[None]
    return np.clip(np.minimum(top + part, row + 1) - np.maximum(top, row), 0, 1)
