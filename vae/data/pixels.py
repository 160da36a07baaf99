"""Operations on grey levels that a browser repeats exactly: vae/browser/runtime/prepare/pixels.js has the same.

Grey levels are integers 0 to 255 in arrays (H, W); means are rounded half up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from .area import Box, area_average

EIGHT = np.ones((3, 3), int)  # pixels that touch at a corner are connected


def to_grey(rgb: np.ndarray) -> np.ndarray:
    """RGB (H, W, 3) uint8 -> grey (H, W) uint8: (19595 R + 38470 G + 7471 B + 32768) >> 16, which is Pillow's L."""
    return np.asarray(Image.fromarray(rgb).convert("L"))


def to_levels(values: np.ndarray) -> np.ndarray:
    """Round values in [0, 255], half up, to grey levels uint8."""
    # through float32, which is what the browser keeps
    return np.floor(values.astype(np.float32).astype(np.float64) + 0.5).clip(0, 255).astype(np.uint8)


def _cumulative(values: np.ndarray, axis: int, dtype: type) -> np.ndarray:
    """Return the sums of all values before each place, and of all, along an axis."""
    shape = list(values.shape)
    shape[axis] += 1
    sums: np.ndarray = np.zeros(shape, dtype)
    values.cumsum(axis, dtype, sums[1:] if axis == 0 else sums[:, 1:])
    return sums


def box_mean(grey: np.ndarray, radius: int) -> np.ndarray:
    """Return the mean (H, W) uint8 over the pixels within `radius` rows and columns that lie in the picture."""
    total = _box_sum(_box_sum(grey, radius, 1), radius, 0)
    rows, columns = (_box_sum(np.ones((n, 1), np.uint8), radius, 0)[:, 0] for n in grey.shape)
    count = rows[:, None] * columns
    return ((total + count // 2) / count).astype(np.uint8)


def _box_sum(values: np.ndarray, radius: int, axis: int) -> np.ndarray:
    n = values.shape[axis]
    if radius >= n:
        return np.repeat(values.sum(axis, np.int32, keepdims=True), n, axis)
    sums = _cumulative(values, axis, np.int32)
    if axis == 1:
        return _differences(sums.T, n, radius).T
    return _differences(sums, n, radius)


def _differences(sums: np.ndarray, n: int, radius: int) -> np.ndarray:
    total = np.empty_like(sums[:n])
    total[: n - radius] = sums[radius + 1 :]
    total[n - radius :] = sums[n]
    total[radius:] -= sums[: n - radius]
    return total


def grown(mask: np.ndarray, radius: int) -> np.ndarray:
    """Grow a mask (H, W) by `radius` pixels: an octagon, by turns four and eight neighbours."""
    for step in range(radius):
        across = beside(mask, 1)
        mask = beside(across, 0) if step % 2 else across | beside(mask, 0)
    return mask


def beside(mask: np.ndarray, axis: int) -> np.ndarray:
    """Grow a mask (H, W) by one pixel along an axis."""
    found = mask.copy()
    grown, source = (found, mask) if axis == 0 else (found.T, mask.T)  # views
    grown[1:] |= source[:-1]
    grown[:-1] |= source[1:]
    return found


def lit_from_both_sides(grey: np.ndarray, reaches: tuple[int, ...]) -> np.ndarray:
    """Estimate the ground (H, W) uint8 behind dark strokes: the lightest level that a pixel has on both sides.

    For each distance in `reaches` and each of four directions, the ground is the darker of two box means on opposite
    sides; the lightest of these counts. A stroke narrower than twice a reach vanishes. The edge of a shadow or of a
    sheet stays where it is, because its darker side is dark on one side of each pixel.
    """
    ground = grey
    height, width = grey.shape
    for reach in reaches:
        around = np.pad(box_mean(grey, max(1, reach // 6)), reach, "edge")
        slant = reach * 5 // 7
        for dy, dx in ((0, reach), (reach, 0), (slant, slant), (slant, -slant)):
            one = around[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
            other = around[reach - dy : reach - dy + height, reach - dx : reach - dx + width]
            ground = np.maximum(ground, np.minimum(one, other))
    return ground


def percentile(grey: np.ndarray, share: float) -> int:
    """Return the smallest level that at least this share of the pixels does not exceed."""
    counts = np.bincount(grey.ravel(), minlength=256).cumsum()
    return int(np.searchsorted(counts, share * grey.size))


class Component(NamedTuple):
    """Connected pixels of a mask. Its box is in pixels; right and bottom lie outside."""

    label: int
    left: int
    top: int
    right: int
    bottom: int
    area: int

    @property
    def longer(self) -> int:
        return max(self.right - self.left, self.bottom - self.top)

    def touches(self, shape: tuple[int, ...]) -> bool:
        """Whether it reaches the border of a picture (H, W)."""
        return self.left == 0 or self.top == 0 or self.right == shape[1] or self.bottom == shape[0]


def components(mask: np.ndarray, corners: bool = True) -> tuple[np.ndarray, list[Component]]:
    """Return labels (H, W), 0 outside the mask, and the components in the order of their first pixels.

    corners: whether pixels that touch at a corner are connected.
    """
    from scipy import ndimage  # here, because a page shows its first picture before scipy is loaded

    labels, n = ndimage.label(mask, EIGHT if corners else None)
    areas = np.bincount(labels.ravel(), minlength=n + 1)
    boxes = ndimage.find_objects(labels)
    return labels, [
        Component(i + 1, x.start, y.start, x.stop, y.stop, int(areas[i + 1])) for i, (y, x) in enumerate(boxes)
    ]


class Object(NamedTuple):
    """Something on a ground, alone: levels (H, W) uint8 of the whole picture, reduced, with all else black."""

    box: Box  # in pixels
    levels: np.ndarray


class Found(NamedTuple):
    """The objects of a picture, the most likely first, and whether light and dark were swapped for them."""

    inverted: bool
    objects: list[Object]


def box_of(group: list[Component]) -> Box:
    """Return the box around components."""
    return (
        min(part.left for part in group),
        min(part.top for part in group),
        max(part.right for part in group),
        max(part.bottom for part in group),
    )


def box_around(levels: np.ndarray) -> Box:
    """Return the box around the light part of levels (H, W), between pixels where an edge is soft.

    The profile of a side is its lightest row or column. Its edge lies where the profile passes 128, so that the tone
    of the paper moves it by little.
    """
    left, right = _ends(levels.max(0))
    top, bottom = _ends(levels.max(1))
    return left, top, right, bottom


def _ends(profile: np.ndarray) -> tuple[float, float]:
    """Return where a profile (N,) uint8 first and last passes 128: its length counts each end pixel by its level."""
    light = np.flatnonzero(profile > 127)
    first, last = int(light[0]), int(light[-1])
    before = int(profile[first - 1]) if first > 0 else 0
    after = int(profile[last + 1]) if last + 1 < len(profile) else 0
    return (
        first + 0.5 - (int(profile[first]) - 127.5) / (int(profile[first]) - before),
        last + 0.5 + (int(profile[last]) - 127.5) / (int(profile[last]) - after),
    )


def fitted(pixels: np.ndarray, longest: int) -> tuple[int, int]:
    """Return the size (w, h) at which the longer side of pixels (H, W, ...) has `longest` pixels."""
    height, width = pixels.shape[:2]
    longer = max(width, height)
    w, h = ((2 * side * longest + longer) // (2 * longer) for side in (width, height))
    return max(1, w), max(1, h)


def cut(levels: np.ndarray, size: tuple[int, int], box: Box) -> np.ndarray:
    """Resize a part of levels (H, W) to size (w, h), float64; the part may reach beyond them, where all is black."""
    beyond = -box[0], -box[1], box[2] - levels.shape[1], box[3] - levels.shape[0]
    pad = max(0, *(int(np.ceil(edge)) for edge in beyond))
    left, top, right, bottom = (edge + pad for edge in box)
    return area_average(np.pad(levels, pad), size, (left, top, right, bottom))


def border(grey: np.ndarray) -> int:
    """Return the median grey of the outermost pixels."""
    return percentile(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]), 0.5)


def moments(levels: np.ndarray) -> tuple[float, float]:
    """Return the centre of mass (x, y) of levels (H, W), in pixels from the left and the top."""
    mass = levels.astype(np.int64)
    total = max(1, int(mass.sum()))
    x = int((mass.sum(0) * (2 * np.arange(mass.shape[1]) + 1)).sum()) / (2 * total)
    y = int((mass.sum(1) * (2 * np.arange(mass.shape[0]) + 1)).sum()) / (2 * total)
    return x, y


def means_of(ink: np.ndarray, labels: np.ndarray, n: int) -> np.ndarray:
    """Return the mean ink (n + 1,) of each component, in the order of their labels."""
    sums = np.bincount(labels.ravel(), weights=ink.ravel(), minlength=n + 1)
    return sums / np.maximum(np.bincount(labels.ravel(), minlength=n + 1), 1)


def otsu(levels: np.ndarray, least: int, first: int, last: int) -> int:
    """Return the level in [first, last) that best parts the levels above `least` in two (N. Otsu, 1979)."""
    counts = np.bincount(levels.ravel(), minlength=256)
    counts[:least] = 0
    below, sums = counts.cumsum(), (counts * np.arange(256)).cumsum()
    total, mass = int(below[-1]), int(sums[-1])
    best, found = -1.0, first
    for at in range(first, min(last, 256)):
        n = int(below[at])
        if 0 < n < total:
            apart = int(sums[at]) / n - (mass - int(sums[at])) / (total - n)
            between = n * (total - n) * apart * apart
            if between > best:
                best, found = between, at
    return found
