"""Ink on its ground: strokes, characters and shapes are found on paper of any tone, in shadows, among printed lines.

vae/browser/runtime/prepare/ink.js does the same in the page.
"""

from __future__ import annotations

import numpy as np

from .area import Box, area_average
from .pixels import (
    Component,
    Found,
    Object,
    beside,
    border,
    box_around,
    box_mean,
    box_of,
    components,
    fitted,
    grown,
    lit_from_both_sides,
    means_of,
    otsu,
    percentile,
    to_grey,
    to_levels,
)

WORK = 512  # pixels of the longer side where ink is searched for
MAX_OBJECTS = 12
DARKEST = 64  # ground: noise of a darker one would be taken for ink
EMPTY_LEVEL = 30  # ink weaker than this (of 255) is none
REACHES = (80, 40, 20, 10, 7)  # distances at which paper is looked for, as parts of the longer side
SHAPE_REACHES = (80, 40, 20, 10, 6, 4, 3)  # shapes are wider than strokes
AGAIN = (40, 15)
SLOPE = 27  # 64ths: printed lines lie within 23 degrees of the picture's sides
GAP = 0.15  # of an object's longer side, between its parts
DOT_GAP = 0.4  # between a character and its dot
MARGIN = 0.05  # of a sheet's longer side, around what is written on it
MIN_SIDE = 0.02  # of the picture's longer side, of an object


def find_ink(rgb: np.ndarray, kind: str, invert: bool | None) -> Found | None:
    """Find "digit", "glyph" or "shape" objects in rgb (H, W, 3) uint8, the most likely first; None without any.

    invert: whether ink is darker than its ground; None decides by the picture.
    """
    grey = to_grey(rgb)
    if max(grey.shape) > WORK:
        grey = to_levels(area_average(grey, fitted(grey, WORK)))
    if invert is not None:
        return _find(grey, kind, bool(invert))
    found = _find(grey, kind, is_dark_on_light(grey))
    if found is None or found.inverted or kind == "shape" or not _is_solid(found.objects[0]):
        return found
    inside = _find(grey, kind, True)  # the light area may be a sheet on a desk, and the ink is on it
    if inside is None or _is_solid(inside.objects[0]) or not _has_margin(inside.objects[0].box, found.objects[0].box):
        return found
    return inside


def _is_solid(thing: Object) -> bool:
    """Whether an object fills half of a box that is not narrow, as no stroke does."""
    across, down = thing.box[2] - thing.box[0], thing.box[3] - thing.box[1]
    return bool(min(across, down) * 2 > max(across, down) and 2 * int((thing.levels > 0).sum()) > across * down)


def _has_margin(inner: Box, outer: Box) -> bool:
    """Whether a box lies within another, away from its sides: as ink on a sheet, not as a gap of a thick letter."""
    margin = MARGIN * max(outer[2] - outer[0], outer[3] - outer[1])
    return all(inner[i] - outer[i] >= margin and outer[i + 2] - inner[i + 2] >= margin for i in (0, 1))


def _find(grey: np.ndarray, kind: str, inverted: bool) -> Found | None:
    dark = grey if inverted else 255 - grey
    ground = _ground(dark, SHAPE_REACHES if kind == "shape" else REACHES)
    paper = percentile(ground, 0.9)
    ink = _ink(dark, ground, paper)
    level = _ink_level(ink)
    if level < EMPTY_LEVEL:
        return None
    least = level * 2 // 5  # low on a blackboard, where a shadow darkens the chalk too
    if inverted:
        least = otsu(ink, level // 4, level * 2 // 5, level * 7 // 10)
        if kind != "shape":
            ink = _without_lines(ink, ground > paper * 7 // 10, level, least)
    labels, parts = components(ink > least)
    groups = _groups(parts, means_of(ink, labels, len(parts)), ink.shape, kind)
    objects = []
    for group in groups:
        mask = grown(np.isin(labels, [part.label for part in group]), 1)
        levels = _levelled(ink, mask)
        objects.append(Object(box_around(levels) if kind == "shape" else box_of(group), levels))
    return Found(inverted, objects) if objects else None


def is_dark_on_light(grey: np.ndarray) -> bool:
    """Whether ink is darker than its ground: whether what differs most from a wide mean is darker than it."""
    small = grey
    if max(grey.shape) > 128:
        small = to_levels(area_average(grey, fitted(grey, 128)))
    rest = small.astype(np.int32) - box_mean(small, max(1, max(small.shape) // 8))
    least = max(1, int(np.abs(rest).max()) // 2)
    darker, lighter = (int(np.where(sign * rest > least, sign * rest, 0).sum()) for sign in (-1, 1))
    return darker > lighter if darker != lighter else border(grey) > 127


def _ground(dark: np.ndarray, reaches: tuple[int, ...]) -> np.ndarray:
    """Return the ground (H, W) uint8 behind what is darker than it."""
    longer = max(dark.shape)
    ground = lit_from_both_sides(dark, tuple(max(2, longer // reach) for reach in reaches))
    # again, for what lay between strokes on every side
    return lit_from_both_sides(ground, tuple(max(2, longer // reach) for reach in AGAIN))


def _ink(dark: np.ndarray, ground: np.ndarray, paper: int) -> np.ndarray:
    """Return how much darker than its ground each pixel is, (H, W) uint8: 255 for black on any paper.

    paper: the level of the lightest ground. A dark desk does not count as paper in a deep shadow.
    """
    behind = ground.astype(np.int32)
    return ((behind - dark) * 255 // np.maximum(behind, max(DARKEST, paper // 2))).astype(np.uint8)


def _ink_level(ink: np.ndarray) -> int:
    """Return the level that the darkest ink reaches, ignoring a few pixels."""
    counts = np.bincount(ink.ravel(), minlength=256)[::-1].cumsum()
    return 255 - int(np.searchsorted(counts, max(4, ink.size // 8000)))


def _without_lines(ink: np.ndarray, paper: np.ndarray, level: int, least: int) -> np.ndarray:
    """Remove printed lines, about horizontal or about vertical, and keep the ink that crosses them.

    ink: (H, W) uint8. paper: a mask (H, W). least: the threshold of ink.
    """
    for _ in range(2):
        lines = _lines(ink > level // 4, paper)
        if lines.any():
            ink = np.where(lines & ~_crossing(ink, lines, level, least), 0, ink)
        ink, paper = np.ascontiguousarray(ink.T), np.ascontiguousarray(paper.T)
    return ink


def _lines(marked: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Return a mask (H, W) of marks that run through all the paper, within SLOPE of the horizontal."""
    height, width = marked.shape
    rows, columns = np.nonzero(marked & paper)
    some = columns % 4 == 0
    some_rows, some_columns = rows[some], columns[some]
    best, slope = -1, 0
    for sixtyfourth in range(-SLOPE, SLOPE + 1):
        counts = np.bincount(some_rows - _shift(some_columns, width, sixtyfourth) + width)
        score = int((counts * counts).sum())
        if score > best:
            best, slope = score, sixtyfourth
    sheared = np.arange(height)[:, None] - _shift(np.arange(width), width, slope) + width
    whole = np.bincount(sheared[paper], minlength=height + 2 * width)
    counts = np.bincount(sheared[rows, columns], minlength=height + 2 * width)
    on_line = (10 * counts >= 8 * whole) & (4 * whole > width)
    thick = on_line.copy()
    thick[1:] |= on_line[:-1]
    thick[:-1] |= on_line[1:]
    return thick[sheared]


def _shift(columns: np.ndarray, width: int, sixtyfourth: int) -> np.ndarray:
    return ((2 * columns - width) * sixtyfourth) // 128


def _crossing(ink: np.ndarray, lines: np.ndarray, level: int, least: int) -> np.ndarray:
    """Return which pixels of lines (H, W) belong to a stroke: darker than the lines, or with ink above and below."""
    on_lines = ink[lines]
    usual = percentile(on_lines[on_lines > level // 4], 0.5)
    if usual * 3 < level * 2:
        return ink > (usual + level) // 2
    outside = beside(beside((ink > least) & ~lines, 1), 1)
    above, below = np.zeros_like(lines), np.zeros_like(lines)
    for reach in range(1, 7):
        above[reach:] |= outside[:-reach]
        below[:-reach] |= outside[reach:]
    return above & below & (ink > least)


def _groups(parts: list[Component], means: np.ndarray, shape: tuple[int, ...], kind: str) -> list[list[Component]]:
    """Group components that belong together; the groups that are most likely meant come first."""
    longest = max(shape)
    weights = {part.label: _weight(part, float(means[part.label]), shape) for part in parts}
    parts = [part for part in parts if part.area >= 3 and not (part.touches(shape) and part.longer > 0.6 * longest)]
    parts = sorted(parts, key=lambda part: (-weights[part.label], part.label))[:200]
    groups: list[list[Component]] = []
    while parts:
        group, parts = [parts[0]], parts[1:]
        while near := [part for part in parts if any(_belongs(part, other, group[0].longer, kind) for other in group)]:
            group += near
            parts = [part for part in parts if part not in near]
        groups.append(group)
    if not groups:
        return []
    smallest = max(MIN_SIDE * longest, 4, groups[0][0].longer / 5)
    return [group for group in groups if group[0].longer >= smallest][:MAX_OBJECTS]


def _weight(part: Component, mean: float, shape: tuple[int, ...]) -> float:
    """Return how likely a component is the object: long, dark, no thin line, in the picture, near its middle."""
    longer = part.longer
    line = min(1.0, part.area / (0.03 * longer * longer))
    x, y = (part.left + part.right) / shape[1] - 1, (part.top + part.bottom) / shape[0] - 1
    return longer * mean * mean * line * (0.2 if part.touches(shape) else 1.0) * (1 - 0.5 * max(abs(x), abs(y)))


def _belongs(part: Component, other: Component, longer: int, kind: str) -> bool:
    """Whether two components are parts of one object, whose largest part is `longer` pixels long."""
    if kind == "shape":
        return False
    across = max(part.left, other.left) - min(part.right, other.right)
    down = max(part.top, other.top) - min(part.bottom, other.bottom)
    if max(across, down) <= GAP * longer:
        return True
    return kind == "glyph" and across < 0 and down <= DOT_GAP * longer  # the dot of an i


def _levelled(ink: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the ink in a mask, from black where there is little to white where there is most, (H, W) uint8."""
    own = np.where(mask, ink, 0)
    white = max(2, percentile(own[own > 0], 0.75))
    black = white * 3 // 10
    return ((own.astype(np.int32) - black).clip(0, white - black) * 255 // (white - black)).astype(np.uint8)
