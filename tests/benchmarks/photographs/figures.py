"""What is written on a sheet: digits as pen strokes, characters and shapes as areas, all as signed distances.

A figure is a field (N, N) of signed distances to the edge of its ink, positive inside, in pixels of the data set.
A page samples it at any position, size and angle, so that its ink has sharp edges at every resolution.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

FINE = 4  # samples of a field per pixel of the data set


class Figure(NamedTuple):
    distance: np.ndarray  # (N, N) float32: signed distance to the edge of the ink, positive inside
    side: int  # pixels of the data set along a side
    box: tuple[float, float, float, float]  # left, top, right, bottom of the ink, in pixels of the data set

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the signed distances at positions in pixels of the data set, -9 outside the field."""
        place = np.stack([y, x]) * FINE - 0.5
        return ndimage.map_coordinates(self.distance, place, order=1, mode="constant", cval=-9)


def _enlarged(image: np.ndarray, blur: float) -> np.ndarray:
    smooth = ndimage.zoom(np.pad(image, 2).astype(np.float32) / 255, FINE, order=3, grid_mode=True, mode="nearest")
    return ndimage.gaussian_filter(smooth, blur)


def _figure(distance: np.ndarray) -> Figure:
    rows, columns = np.nonzero(distance > 0)
    box = (columns.min() / FINE, rows.min() / FINE, (columns.max() + 1) / FINE, (rows.max() + 1) / FINE)
    return Figure(distance.astype(np.float32), len(distance) // FINE, box)


def stroke(image: np.ndarray, pen: float) -> Figure:
    """Return a digit (28, 28) uint8 drawn along its centre line with a pen `pen` pixels wide."""
    line = thinned(_enlarged(image, 1.5) > 0.4)
    return _figure(pen / 2 - ndimage.distance_transform_edt(~line) / FINE)


def area(image: np.ndarray, wider: float = 0.0) -> Figure:
    """Return a character or a shape (S, S) uint8 as it is, its edge moved outwards by `wider` pixels."""
    binary = not ((image > 0) & (image < 255)).any()
    inside = _enlarged(image, 3.0 if binary else 1.2) > (0.5 if binary else 0.4)  # no steps, no lost hairlines
    signed = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    signed = ndimage.gaussian_filter(signed, 0.7) / FINE + wider
    return _figure(signed if signed.max() > 0.1 else signed - wider)


def thinned(inside: np.ndarray) -> np.ndarray:
    """Return the centre line of a mask (H, W), one pixel wide (T. Y. Zhang and C. Y. Suen, 1984)."""
    line = np.pad(inside, 1)
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            p = [np.roll(line, shift, (0, 1)) for shift in
                 ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))]  # fmt: skip
            count = sum(q.astype(int) for q in p)
            turns = sum((~p[i] & p[(i + 1) % 8]).astype(int) for i in range(8))
            north, east, south, west = p[0], p[2], p[4], p[6]
            corner = (~(north & east & south), ~(east & south & west))
            if not first:
                corner = (~(north & east & west), ~(north & south & west))
            gone = line & (count >= 2) & (count <= 6) & (turns == 1) & corner[0] & corner[1]
            line = line & ~gone
            changed |= bool(gone.any())
    return line[1:-1, 1:-1]
