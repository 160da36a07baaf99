"""A stranger's picture becomes an image of a data set: found on the page, cleaned, framed as the data frames it.

Nothing here knows a model or a stored picture. Only area averages, box means, thresholds, connected components and
moments are used, because vae/browser/runtime/prepare.js does the same in the page; a test compares the two.
Grey levels are integers wherever a threshold follows, so that both decide alike.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from . import images
from .area import area_average
from .pixels import (
    Component,
    box_mean,
    components,
    grown,
    lit_from_both_sides,
    percentile,
    to_grey,
    to_levels,
)

if TYPE_CHECKING:
    from torch import Tensor

DIM = 60  # mean level below which a garment's negative is not what was meant
GARMENT_WORK = 256  # where a garment is
WORK = 512  # pixels of the longer side where ink is searched for
MAX_CANDIDATES = 12
FINE = 4  # samples per pixel of x in which strokes are widened
EMPTY_LEVEL = 30  # ink weaker than this (of 255) is not ink
PURE_BLACK = 12
SLOPE = 27  # 64ths: printed lines lie within 23 degrees of the picture's sides
REACHES = (80, 40, 20, 10, 7)  # distances at which paper is looked for, as parts of the longer side
SHAPE_REACHES = (80, 40, 20, 10, 6, 4, 3)
DOT_GAP = 0.4
AGAIN = (40, 15)
GAP = 0.15  # of an object's longer side, between its parts
MIN_SIDE = 0.02  # of the picture, of an object
MAX_LENGTH = 4096  # pixels
KINDS = ("digit", "glyph", "garment", "shape", "photo")


@dataclass(frozen=True)
class Preparation:
    """What a data set says of its pictures, as JSON by dataclasses.asdict.

    A "photo" is cropped to the middle and reduced. The others are found on their ground, which becomes black:
    strokes of a "digit", ink of a "glyph", the area of a "shape" or of a "garment".
    """

    kind: str = "photo"
    light_on_dark: bool = False  # whether the ground of the data is black
    binary: bool = False  # whether pixels are 0 or 1
    longer_side: int = 0  # of the object, in pixels of the data; 0 is 5/7 of the shorter side, as of MNIST's digits
    stroke: float = 0.0  # width of a stroke, in pixels of the data; 0 keeps it
    by_mass: bool = False  # whether the centre of mass is in the middle, or else the middle of the box


def parse_preparation(values: dict[str, Any]) -> Preparation:
    """Return a preparation from its fields, as a card gives them. Raises ValueError for what is none."""
    defaults = {field.name: field.default for field in fields(Preparation)}
    for key, value in values.items():
        if key not in defaults:
            raise ValueError(f"the preparation of its data has an unknown field {key[:60]!r}")
        expected = type(defaults[key])
        if type(value) is not expected and not (expected is float and type(value) is int):
            raise ValueError(f"the field {key!r} of its data's preparation has the wrong type")
        if expected in (int, float) and not 0 <= value <= MAX_LENGTH:
            raise ValueError(f"the field {key!r} of its data's preparation must lie in 0 to {MAX_LENGTH}")
    if values.get("kind", "photo") not in KINDS:
        raise ValueError(f"the kind of its data's preparation must be one of {', '.join(KINDS)}")
    return Preparation(**values)


class Stage(NamedTuple):
    """An intermediate image of `prepare`, with a title."""

    title: str
    picture: Image.Image


class Candidate(NamedTuple):
    """One of the objects on a page."""

    box: tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the picture
    x: Tensor  # (1, C, H, W)


@dataclass(frozen=True)
class Prepared:
    """A picture as a model sees it, with the steps that led to it."""

    x: Tensor  # (1, C, H, W) float in [0, 1]
    stages: tuple[Stage, ...]  # from the picture to x
    candidates: tuple[Candidate, ...]  # at most MAX_CANDIDATES, the default first; none if nothing was found
    inverted: bool
    found: bool  # False: there is no object, and x is the plain resize


def prepare(
    image: Image.Image,
    image_shape: tuple[int, int, int],
    preparation: Preparation,
    invert: bool | None = None,
    plain: bool = False,
    candidate: int = 0,
) -> Prepared:
    """Convert a picture of any size and mode into x (1, C, H, W) in [0, 1], as the data's models know pictures.

    invert: swap light and dark, for data on a black ground; None decides by the picture. plain: only crop to the
    middle and reduce. candidate: which of the objects becomes x; out of range, the default.
    """
    rgb = _as_rgb(image)
    stages = [Stage("photo", Image.fromarray(rgb))]
    own = preparation.kind == "photo" or image_shape[0] != 1 or _is_framed(rgb, image_shape, preparation)
    if not plain and not own:
        find = _find_garment if preparation.kind == "garment" else _find_ink
        found = find(rgb, image_shape, preparation, invert)
        if found is not None:
            return _chosen(found, stages, preparation, candidate)
    grey_or_rgb = rgb if image_shape[0] == 3 else to_grey(rgb)[..., None]
    inverted = _border(to_grey(rgb)) > 127 and preparation.light_on_dark if invert is None else invert
    levels = _plain(grey_or_rgb, image_shape, bool(inverted), preparation.binary)
    stages.append(_seen(levels))
    return Prepared(_tensor(levels), tuple(stages), (), bool(inverted), plain or own)


def _as_rgb(image: Image.Image) -> np.ndarray:
    if image.mode != "RGB" or max(image.size) > images.MAX_SIDE or image.getexif():
        image = images.as_rgb(image)
    return np.asarray(image)


def _fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return the size (w, h) at which the longer side has `longest` pixels."""
    longer = max(width, height)
    return max(1, (2 * width * longest + longer) // (2 * longer)), max(1, (2 * height * longest + longer) // (2 * longer))


def _border(grey: np.ndarray) -> int:
    """Return the median grey of the outermost pixels."""
    return percentile(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]), 0.5)


def _plain(pixels: np.ndarray, image_shape: tuple[int, int, int], invert: bool, binary: bool) -> np.ndarray:
    """Crop pixels (H, W, C) to the middle and reduce them to levels (C, H, W) uint8."""
    height, width = pixels.shape[:2]
    scale = min(width / image_shape[2], height / image_shape[1])
    w, h = scale * image_shape[2], scale * image_shape[1]
    box = ((width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2)
    levels = to_levels(area_average(pixels, (image_shape[2], image_shape[1]), box)).transpose(2, 0, 1)
    levels = 255 - levels if invert else levels
    return np.where(levels > 127, 255, 0).astype(np.uint8) if binary else levels


def _is_framed(rgb: np.ndarray, image_shape: tuple[int, int, int], preparation: Preparation) -> bool:
    """Whether a picture is an image of the data, perhaps enlarged: an object on pure black, framed as the data is."""
    height, width = rgb.shape[:2]
    if (height, width) == image_shape[1:]:
        return True
    if height * image_shape[2] != width * image_shape[1] or height < image_shape[1]:
        return False
    levels = _plain(to_grey(rgb)[..., None], image_shape, False, False)[0]
    corners = np.concatenate([levels[:2, :2], levels[:2, -2:], levels[-2:, :2], levels[-2:, -2:]])
    if not preparation.light_on_dark or corners.max() > PURE_BLACK or not (levels > 127).any():
        return False
    if preparation.kind == "garment":
        return percentile(levels, 0.1) <= PURE_BLACK
    if _border(levels) > PURE_BLACK:
        return False
    if preparation.kind == "shape":
        return True
    rows, columns = (np.flatnonzero((levels > 50).any(axis)) for axis in (1, 0))
    across, down = columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]
    middle = _moments(levels) if preparation.by_mass else (columns[0] + across / 2, rows[0] + down / 2)
    longer = _longer_side(preparation, image_shape)
    off = max(abs(middle[0] - image_shape[2] / 2), abs(middle[1] - image_shape[1] / 2))
    return off <= 1.5 and abs(max(across, down) - longer) <= longer / 3


def _longer_side(preparation: Preparation, image_shape: tuple[int, int, int]) -> int:
    return preparation.longer_side or max(1, min(image_shape[1:]) * 5 // 7)


def _moments(levels: np.ndarray) -> tuple[float, float]:
    """Return the centre of mass (x, y) of levels (H, W), in pixels from the left and the top."""
    mass = levels.astype(np.int64)
    total = max(1, int(mass.sum()))
    x = int((mass.sum(0) * (2 * np.arange(mass.shape[1]) + 1)).sum()) / (2 * total)
    y = int((mass.sum(1) * (2 * np.arange(mass.shape[0]) + 1)).sum()) / (2 * total)
    return x, y


class _Object(NamedTuple):
    box: tuple[float, float, float, float]  # as fractions of the picture
    levels: np.ndarray  # (1, H, W) uint8


class _Found(NamedTuple):
    inverted: bool
    cleaned: np.ndarray  # (H, W) uint8, everything that counts as an object, on black
    objects: list[_Object]


def _find_ink(
    rgb: np.ndarray, image_shape: tuple[int, int, int], preparation: Preparation, invert: bool | None
) -> _Found | None:
    """Find strokes, characters or shapes on their ground. Returns None where there are none."""
    grey = to_grey(rgb)
    work = grey
    if max(grey.shape) > WORK:
        work = to_levels(area_average(grey, _fitted(grey.shape[1], grey.shape[0], WORK)))
    if invert is None:
        invert = _is_dark_on_light(work)
    dark = work if invert else 255 - work
    ground = _ground(dark, SHAPE_REACHES if preparation.kind == "shape" else REACHES)
    paper = percentile(ground, 0.9)
    ink = _ink(dark, ground, paper)
    level = _ink_level(ink)
    if level < EMPTY_LEVEL:
        return None
    least = _threshold(ink, level // 4, level * 2 // 5, level * 7 // 10) if invert else level * 2 // 5  # a shadow on a blackboard darkens its chalk too
    if invert and preparation.kind != "shape":
        ink = _without_lines(ink, ground > paper * 7 // 10, level, least)
    labels, parts = components(ink > least)
    groups = _groups(parts, _means(ink, labels, len(parts)), ink.shape, preparation.kind)
    if not groups:
        return None
    objects, cleaned = [], np.zeros_like(ink)
    for group in groups:
        mask = grown(np.isin(labels, [part.label for part in group]), 1)
        own = _levelled(ink, mask)
        cleaned = np.maximum(cleaned, own)
        objects.append(_Object(_box_of(group, ink.shape), _framed(own, group, image_shape, preparation)))
    return _Found(bool(invert), cleaned, objects)


def _means(ink: np.ndarray, labels: np.ndarray, n: int) -> np.ndarray:
    """Return the mean ink (n + 1,) of each component, in the order of their labels."""
    sums = np.bincount(labels.ravel(), weights=ink.ravel(), minlength=n + 1)
    return sums / np.maximum(np.bincount(labels.ravel(), minlength=n + 1), 1)


def _threshold(levels: np.ndarray, least: int, first: int, last: int) -> int:
    """Return the level in [first, last) that best parts the levels above `least` in two (N. Otsu, 1979)."""
    counts = np.bincount(levels.ravel(), minlength=256)
    counts[:least] = 0
    below, sums = counts.cumsum(), (counts * np.arange(256)).cumsum()
    total, mass = int(below[-1]), int(sums[-1])
    best, found = -1.0, first
    for at in range(first, min(last, 256)):
        n = int(below[at])
        if 0 < n < total:
            between = n * (total - n) * (int(sums[at]) / n - (mass - int(sums[at])) / (total - n)) ** 2
            if between > best:
                best, found = between, at
    return found


def _is_dark_on_light(grey: np.ndarray) -> bool:
    """Whether ink is darker than its ground: whether what differs most from a wide mean is darker than it."""
    small = grey
    if max(grey.shape) > 128:
        small = to_levels(area_average(grey, _fitted(grey.shape[1], grey.shape[0], 128)))
    rest = small.astype(np.int32) - box_mean(small, max(1, max(small.shape) // 8))
    least = max(1, int(np.abs(rest).max()) // 2)
    darker, lighter = (int(np.where(sign * rest > least, sign * rest, 0).sum()) for sign in (-1, 1))
    return darker > lighter if darker != lighter else _border(grey) > 127


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
    return ((behind - dark) * 255 // np.maximum(behind, max(1, paper // 2))).astype(np.uint8)


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
        counts = np.bincount(some_rows - _shift(some_columns, width, sixtyfourth) + height, minlength=3 * height)
        score = int((counts * counts).sum())
        if score > best:
            best, slope = score, sixtyfourth
    sheared = np.arange(height)[:, None] - _shift(np.arange(width), width, slope) + height
    whole = np.bincount(sheared[paper], minlength=3 * height)
    counts = np.bincount(sheared[rows, columns], minlength=3 * height)
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
    outside = _box_wide((ink > least) & ~lines)
    above, below = np.zeros_like(lines), np.zeros_like(lines)
    for reach in range(1, 7):
        above[reach:] |= outside[:-reach]
        below[:-reach] |= outside[reach:]
    return above & below & (ink > least)


def _box_wide(mask: np.ndarray) -> np.ndarray:
    """Return the mask grown by two columns to each side."""
    return np.maximum.reduce([np.roll(mask, step, 1) for step in (-2, -1, 0, 1, 2)])


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
    return [group for group in groups if group[0].longer >= smallest][:MAX_CANDIDATES]


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


def _box_of(group: list[Component], shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    left, top = min(part.left for part in group), min(part.top for part in group)
    right, bottom = max(part.right for part in group), max(part.bottom for part in group)
    return left / shape[1], top / shape[0], right / shape[1], bottom / shape[0]


def _levelled(ink: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the ink in a mask, from black where there is little to white where there is most, (H, W) uint8."""
    own = np.where(mask, ink, 0)
    white = max(2, percentile(own[own > 0], 0.75))
    black = white * 3 // 10
    return ((own.astype(np.int32) - black).clip(0, white - black) * 255 // (white - black)).astype(np.uint8)


def _framed(
    ink: np.ndarray, group: list[Component], image_shape: tuple[int, int, int], preparation: Preparation
) -> np.ndarray:
    """Frame an object as the data does: levels (1, H, W) uint8 from ink (H, W) uint8 on black."""
    left, top, right, bottom = (edge * side for edge, side in zip(_box_of(group, ink.shape), ink.shape[::-1] * 2))
    _, height, width = image_shape
    x, y = _moments(ink) if preparation.by_mass else ((left + right) / 2, (top + bottom) / 2)
    scale = max(right - left, bottom - top) / _longer_side(preparation, image_shape)  # pixels of the picture per pixel of x
    box = (x - scale * width / 2, y - scale * height / 2, x + scale * width / 2, y + scale * height / 2)
    fine = to_levels(_cut(ink, (width * FINE, height * FINE), box))
    mask = box_mean(fine, 2 if preparation.kind == "shape" else 1) > 127
    if preparation.stroke:
        mask = _with_stroke(mask, preparation.stroke)
    levels = to_levels(area_average(mask * np.uint8(255), (width, height)))[None]
    return np.where(levels > 127, 255, 0).astype(np.uint8) if preparation.binary else levels


def _cut(levels: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float]) -> np.ndarray:
    """Resize a part of levels (H, W) that may reach beyond them, where everything is black."""
    pad = max(0, *(int(np.ceil(edge)) for edge in (-box[0], -box[1], box[2] - levels.shape[1], box[3] - levels.shape[0])))
    around = np.pad(levels, pad)
    return area_average(around, size, tuple(edge + pad for edge in box))


def _with_stroke(mask: np.ndarray, width: float) -> np.ndarray:
    """Widen or thin strokes (H, W), sampled FINE times, to about `width` pixels of the data."""
    change = round_half_up((width - _stroke_width(mask)) * FINE / 2)
    if change > 0:
        return grown(mask, change)
    while change < 0 and (thinner := ~grown(~mask, 1)).any():
        mask, change = thinner, change + 1
    return mask


def _stroke_width(mask: np.ndarray) -> float:
    """Return the mean width of strokes in pixels of the data: twice the area by the length of the edge."""
    edges = int((mask[1:] != mask[:-1]).sum()) + int((mask[:, 1:] != mask[:, :-1]).sum())
    return 2 * int(mask.sum()) / max(1.0, edges * np.pi / 4) / FINE


def round_half_up(value: float) -> int:
    return int(np.floor(value + 0.5))


def _find_garment(
    rgb: np.ndarray, image_shape: tuple[int, int, int], preparation: Preparation, invert: bool | None
) -> _Found | None:
    """Find the garment on a ground that is even or finely textured. Returns None where it does not stand out."""
    work = to_levels(area_average(rgb, _fitted(rgb.shape[1], rgb.shape[0], GARMENT_WORK)))
    ground = np.stack([_ground_from_sides(work[..., c]) for c in range(3)], -1)
    mask = _solid(_differs(work, ground))
    labels, parts = components(mask)
    parts = sorted(parts, key=lambda part: (-part.area, part.label))
    if not parts or not 0.03 < parts[0].area / mask.size < 0.95:
        return None
    group = [part for part in parts[:MAX_CANDIDATES] if 4 * part.area >= parts[0].area]
    mask = np.isin(labels, [part.label for part in group])
    grey, behind = to_grey(work), to_grey(ground)
    negative = 255 - np.minimum(255, grey.astype(np.int32) * 255 // np.maximum(behind, 1)).astype(np.uint8)
    if invert is None:  # garments of the data are lighter than their ground, and seldom nearly black
        invert = int(negative[mask].astype(np.int64).sum()) > DIM * int(mask.sum())
    tones = negative if invert else grey
    own = np.where(mask, np.maximum(tones, 1), 0).astype(np.uint8)
    left, top, right, bottom = (edge * side for edge, side in zip(_box_of(group, own.shape), own.shape[::-1] * 2))
    _, height, width = image_shape
    scale = max((right - left) / width, (bottom - top) / height)
    x, y = (left + right) / 2, (top + bottom) / 2
    box = (x - scale * width / 2, y - scale * height / 2, x + scale * width / 2, y + scale * height / 2)
    levels = to_levels(_cut(own, (width, height), box))[None]
    return _Found(bool(invert), own, [_Object(_box_of(group, own.shape), levels)])


def _ground_from_sides(channel: np.ndarray) -> np.ndarray:
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
    parted = _threshold(rest.astype(np.uint8), 0, least, least * 5 // 4)
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


def _chosen(found: _Found, stages: list[Stage], preparation: Preparation, candidate: int) -> Prepared:
    objects = found.objects
    chosen = objects[candidate if 0 <= candidate < len(objects) else 0]
    photo = stages[0].picture
    box = chosen.box
    corners = (box[0] * photo.width, box[1] * photo.height, box[2] * photo.width, box[3] * photo.height)
    stages.append(Stage("found", photo.crop(tuple(round_half_up(edge) for edge in corners))))
    stages.append(Stage("cleaned", Image.fromarray(found.cleaned)))
    stages.append(_seen(chosen.levels))
    candidates = tuple(Candidate(found.box, _tensor(found.levels)) for found in objects)
    return Prepared(_tensor(chosen.levels), tuple(stages), candidates, found.inverted, True)


def _seen(levels: np.ndarray) -> Stage:
    return Stage("as the model sees it", Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0)))


def _tensor(levels: np.ndarray) -> Tensor:
    import torch  # here, as in base.Split.batch

    return torch.from_numpy(levels.astype(np.float32) / 255)[None]
