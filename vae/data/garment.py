"""A garment on its ground: an even or finely textured background becomes black.

vae/browser/runtime/prepare/garment.js does the same in the page.
"""

from __future__ import annotations

import numpy as np

from .area import area_average
from .pixels import Found, Object, box_mean, box_of, components, fitted, grown, otsu, to_grey, to_levels

WORK = 256  # pixels of the longer side where a garment is searched for
DIM = 60  # mean level below which a garment's negative is not what was meant
SHARES = (0.03, 0.95)  # of the picture, that a garment covers


def find_garment(rgb: np.ndarray, invert: bool | None) -> Found | None:
    """Find the garment in rgb (H, W, 3) uint8. Returns None where nothing stands out from what is at the sides.

    invert: whether the garment's tones are swapped; None decides by the picture.
    """
    work = to_levels(area_average(rgb, fitted(rgb, WORK)))
    ground = np.stack([_ground(work[..., c]) for c in range(3)], -1)
    labels, parts = components(_solid(_differs(work, ground)))
    parts = sorted(parts, key=lambda part: (-part.area, part.label))
    if not parts or not SHARES[0] < parts[0].area / labels.size < SHARES[1]:
        return None
    group = [part for part in parts if 4 * part.area >= parts[0].area]
    mask = np.isin(labels, [part.label for part in group])
    grey, behind = to_grey(work), to_grey(ground)
    negative = 255 - np.minimum(255, grey.astype(np.int32) * 255 // np.maximum(behind, 1)).astype(np.uint8)
    inverted = bool(invert)
    if invert is None:  # garments of the data are lighter than their ground, and seldom nearly black
        inverted = int(negative[mask].astype(np.int64).sum()) > DIM * int(mask.sum())
    own = np.where(mask, np.maximum(negative if inverted else grey, 1), 0).astype(np.uint8)
    return Found(inverted, [Object(box_of(group), own)])


def _ground(channel: np.ndarray) -> np.ndarray:
    """Return the ground (H, W) uint8 behind the middle: between what is seen at the four sides."""
    height, width = channel.shape
    side = max(1, max(height, width) // 20)
    smooth = box_mean(channel, side).astype(np.int32)
    x, y = np.arange(width), np.arange(height)[:, None]
    across = smooth[:, :1] * (width - x) + smooth[:, -1:] * x
    down = smooth[:1] * (height - y) + smooth[-1:] * y
    return ((across // width + down // height) // 2).astype(np.uint8)


def _differs(work: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Return which pixels (H, W) differ from the ground more than the picture's outermost pixels do."""
    smooth = np.stack([box_mean(work[..., c], 1) for c in range(3)], -1).astype(np.int32)
    rest = np.abs(smooth - ground).max(-1)
    side = max(1, max(rest.shape) // 25)
    inner = rest[side:-side, side:-side]
    counts = np.bincount(rest.ravel(), minlength=256) - np.bincount(inner.ravel(), minlength=256)
    usual = int(np.searchsorted(counts.cumsum(), 0.8 * counts.sum()))
    least = max(12, usual * 3 // 2)
    parted = otsu(rest.astype(np.uint8), 0, least, least * 5 // 4)
    return rest > parted


def _solid(mask: np.ndarray) -> np.ndarray:
    """Fill the holes of a mask, then remove what is thin."""
    smooth = box_mean(mask * np.uint8(255), 2) > 110
    labels, parts = components(~smooth, corners=False)
    holes = [part.label for part in parts if not part.touches(mask.shape)]
    filled = smooth | np.isin(labels, holes)
    thick = grown(~grown(~filled, 3), 3)
    return _enclosed(thick if 2 * int(thick.sum()) > int(filled.sum()) else filled)


def _enclosed(mask: np.ndarray) -> np.ndarray:
    """Add to a mask (H, W) what has some of it to the left, to the right, above and below."""
    sides = [np.logical_or.accumulate(mask, axis) for axis in (0, 1)]
    sides += [np.flip(np.logical_or.accumulate(np.flip(mask, axis), axis), axis) for axis in (0, 1)]
    return np.logical_and.reduce(sides)
