"""A garment on its ground, which becomes black: even, or uneven as cloth, wood and walls are.

The first guess is what differs from the ground seen at the sides. Then the colours inside and outside of the guess
decide which pixels are the garment's. vae/browser/runtime/prepare/garment.js does the same in the page.
"""

from __future__ import annotations

import numpy as np

from .area import area_average
from .pixels import (
    Component,
    Found,
    Object,
    box_mean,
    box_of,
    components,
    fitted,
    grown,
    otsu,
    percentile,
    to_grey,
    to_levels,
)

WORK = 256  # pixels of the longer side where a garment is searched for
DIM = 60  # mean level below which the negative of a garment on light paper is not what was meant
LIGHT_PAPER = 190
EVEN = 4  # grey levels between the 10th and the 90th percentile of an even ground
SHARES = (0.03, 0.95)  # of the picture, that a garment covers
AROUND = 25  # contrast is measured within the garment's longer side divided by this
CONTRAST = 256  # the weight of a level of contrast, relative to a level of tone
RIM = 2  # pixels at an edge that mix the garment with its ground
BITS = 5  # of each channel, by which colours are counted
ROUNDS = 2
LIKELY = 150  # of 255: how much more a colour must be the garment's than the ground's


def find_garment(rgb: np.ndarray, invert: bool | None) -> Found | None:
    """Find the garment in rgb (H, W, 3) uint8. Returns None where nothing stands out from what is at the sides.

    invert: whether the garment's tones are swapped; None decides by the picture.
    """
    work = to_levels(area_average(rgb, fitted(rgb, WORK)))
    ground = np.stack([_ground(work[..., c]) for c in range(3)], -1)
    mask, group = _largest(_solid(_differs(work, ground)))
    if not _is_plausible(group, mask):
        return None
    colours = _colours(work)
    for _ in range(ROUNDS):
        likely, parts = _largest(_filled(box_mean(_likelihood(colours, mask), 2) > LIKELY))
        if not _is_plausible(parts, mask):
            break
        mask, group = likely, parts
    mask = _enclosed(mask)
    grey = _without_rim(to_grey(work), mask)
    inverted = _is_negative(grey, mask, group) if invert is None else bool(invert)
    own = np.where(mask, np.maximum(255 - grey if inverted else grey, 1), 0).astype(np.uint8)
    return Found(inverted, [Object(box_of(group), own)])


def _largest(mask: np.ndarray) -> tuple[np.ndarray, list[Component]]:
    """Return the mask (H, W) of the largest component and of those a quarter as large, and these components."""
    labels, parts = components(mask)
    parts = sorted(parts, key=lambda part: (-part.area, part.label))
    group = [part for part in parts if 4 * part.area >= parts[0].area]
    return np.isin(labels, [part.label for part in group]), group


def _is_plausible(group: list[Component], mask: np.ndarray) -> bool:
    return bool(group) and SHARES[0] < group[0].area / mask.size < SHARES[1]


def _is_negative(grey: np.ndarray, mask: np.ndarray, group: list[Component]) -> bool:
    """Whether the data would show the negative of a garment's grey levels (H, W).

    The data's garments are negatives of photographs on light, even paper: there the negative is meant unless it is
    dim. On another ground, the tones that resemble the data's count: they get darker towards the outline, so that on
    average a pixel is lighter than what surrounds it. Where tones are flat, light ones resemble the data's.
    """
    own, outside = grey[mask], grey[~grown(mask, 3)]
    if outside.size and percentile(outside, 0.5) >= LIGHT_PAPER:
        if percentile(outside, 0.9) - percentile(outside, 0.1) <= EVEN:
            return int(own.astype(np.int64).sum()) < (255 - DIM) * own.size
    left, top, right, bottom = box_of(group)
    radius = max(RIM + 2, int(max(right - left, bottom - top)) // AROUND)
    inner = ~grown(~mask, radius)
    level = grey.astype(np.int64)
    votes = CONTRAST * (level - box_mean(grey, radius)) + level - 128
    return int(votes[inner if inner.any() else mask].sum()) < 0


def _without_rim(grey: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return grey (H, W) with the tones beside the edge of a mask taken from further inside.

    Pixels at the edge mix the garment with its ground.
    """
    inner = ~grown(~mask, RIM)
    weight = box_mean(inner * np.uint8(255), RIM + 1).astype(np.int32)
    total = box_mean(np.where(inner, grey, 0).astype(np.uint8), RIM + 1).astype(np.int32)
    tones = np.minimum(255, total * 255 // np.maximum(weight, 1)).astype(np.uint8)
    return np.where(inner | (weight < 32), grey, tones)


def _colours(work: np.ndarray) -> np.ndarray:
    """Return the colour (H, W) of each pixel as one number of 3 * BITS bits."""
    coarse = work.astype(np.int64) >> (8 - BITS)
    return (coarse[..., 0] << 2 * BITS) | (coarse[..., 1] << BITS) | coarse[..., 2]


def _likelihood(colours: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return how likely each pixel's colour is the garment's (H, W) uint8, by the colours in and around a mask."""
    inner, outer = ~grown(~mask, 2), ~grown(mask, 3)
    if not inner.any():
        inner = mask
    inside = _counts(colours[inner]) * max(1, int(outer.sum()))
    outside = _counts(colours[outer]) * max(1, int(inner.sum()))
    shares = np.where(inside + outside > 0, 255 * inside // np.maximum(inside + outside, 1), 127)
    return shares.astype(np.uint8)[colours]


def _counts(colours: np.ndarray) -> np.ndarray:
    """Count colours, each together with its neighbours in every channel. Returns 2 ** (3 * BITS) int64."""
    counts = np.bincount(colours, minlength=1 << 3 * BITS).reshape((1 << BITS,) * 3).astype(np.int64)
    for axis in range(3):
        along = np.moveaxis(counts, axis, 0)
        total = along.copy()
        total[1:] += along[:-1]
        total[:-1] += along[1:]
        counts = np.moveaxis(total, 0, axis)
    return counts.ravel()


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


def _filled(mask: np.ndarray) -> np.ndarray:
    """Fill the holes of a mask (H, W)."""
    labels, parts = components(~mask, corners=False)
    return mask | np.isin(labels, [part.label for part in parts if not part.touches(mask.shape)])


def _solid(mask: np.ndarray) -> np.ndarray:
    """Fill the holes of a mask, then remove what is thin."""
    filled = _filled(box_mean(mask * np.uint8(255), 2) > 110)
    thick = grown(~grown(~filled, 3), 3)
    return _enclosed(thick if 2 * int(thick.sum()) > int(filled.sum()) else filled)


def _enclosed(mask: np.ndarray) -> np.ndarray:
    """Add to a mask (H, W) what has some of it to the left, to the right, above and below."""
    sides = [np.logical_or.accumulate(mask, axis) for axis in (0, 1)]
    sides += [np.flip(np.logical_or.accumulate(np.flip(mask, axis), axis), axis) for axis in (0, 1)]
    return np.logical_and.reduce(sides)
