"""Preparation of any picture as an image of a data set: found on the page, cleaned, framed as the data frames it.

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
from .area import Box, area_average
from .garment import find_garment
from .ink import find_ink
from .pixels import Found, Object, border, box_mean, cut, grown, moments, percentile, to_grey, to_levels

if TYPE_CHECKING:
    from torch import Tensor

MAX_LENGTH = 4096  # pixels
FINE = 4  # samples per pixel of x in which strokes are widened
PURE_BLACK = 12
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
    defaults: dict[str, Any] = {field.name: field.default for field in fields(Preparation)}
    for key, value in values.items():
        if key not in defaults:
            raise ValueError(f"the preparation of its data has an unknown field {key[:60]!r}")
        expected = type(defaults[key])
        if type(value) is not expected and not (expected is float and type(value) is int):
            raise ValueError(f"the field {key!r} of its data's preparation has the wrong type")
        if expected in (int, float) and not 0 <= value <= MAX_LENGTH:  # NaN is refused too
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

    box: Box  # as fractions of the picture
    x: Tensor  # (1, C, H, W)


@dataclass(frozen=True)
class Prepared:
    """A picture as a model sees it, with the steps that led to it."""

    x: Tensor  # (1, C, H, W) float in [0, 1]
    stages: tuple[Stage, ...]  # from the picture to x
    candidates: tuple[Candidate, ...]  # at most ink.MAX_OBJECTS, the default first; none if nothing was found
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
        is_garment = preparation.kind == "garment"
        found = find_garment(rgb, invert) if is_garment else find_ink(rgb, preparation.kind, invert)
        if found is not None:
            return _chosen(found, image_shape, preparation, stages[0], candidate)
    grey_or_rgb = rgb if image_shape[0] == 3 else to_grey(rgb)[..., None]
    inverted = border(to_grey(rgb)) > 127 and preparation.light_on_dark if invert is None else invert
    levels = crop_middle(grey_or_rgb, image_shape, bool(inverted), preparation.binary)
    stages.append(_seen(levels))
    return Prepared(_tensor(levels), tuple(stages), (), bool(inverted), plain or own)


def _as_rgb(image: Image.Image) -> np.ndarray:
    if image.mode != "RGB" or max(image.size) > images.MAX_SIDE or image.getexif():
        image = images.as_rgb(image)
    return np.asarray(image)


def crop_middle(
    pixels: np.ndarray, image_shape: tuple[int, int, int], invert: bool = False, binary: bool = False
) -> np.ndarray:
    """Crop pixels (H, W, C) to the middle and reduce them to levels (C, H, W) uint8."""
    height, width = pixels.shape[:2]
    scale = min(width / image_shape[2], height / image_shape[1])
    w, h = scale * image_shape[2], scale * image_shape[1]
    box = ((width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2)
    levels = to_levels(area_average(pixels, (image_shape[2], image_shape[1]), box)).transpose(2, 0, 1)
    levels = 255 - levels if invert else levels
    return _binary(levels) if binary else levels


def _is_framed(rgb: np.ndarray, image_shape: tuple[int, int, int], preparation: Preparation) -> bool:
    """Whether a picture is an image of the data, perhaps enlarged: an object on pure black, framed as the data is."""
    height, width = rgb.shape[:2]
    if (height, width) == image_shape[1:]:
        return True
    if height * image_shape[2] != width * image_shape[1] or height < image_shape[1]:
        return False
    levels = crop_middle(to_grey(rgb)[..., None], image_shape)[0]
    corners = np.concatenate([levels[:2, :2], levels[:2, -2:], levels[-2:, :2], levels[-2:, -2:]])
    if not preparation.light_on_dark or corners.max() > PURE_BLACK or not (levels > 127).any():
        return False
    if preparation.kind == "garment":
        return percentile(levels, 0.1) <= PURE_BLACK
    if border(levels) > PURE_BLACK:
        return False
    if preparation.kind == "shape":
        return True
    rows, columns = (np.flatnonzero((levels > 50).any(axis)) for axis in (1, 0))
    across, down = columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]
    middle = moments(levels) if preparation.by_mass else (columns[0] + across / 2, rows[0] + down / 2)
    longer = _longer_side(preparation, image_shape)
    off = max(abs(middle[0] - image_shape[2] / 2), abs(middle[1] - image_shape[1] / 2))
    return off <= 1.5 and abs(max(across, down) - longer) <= longer / 3


def _longer_side(preparation: Preparation, image_shape: tuple[int, int, int]) -> int:
    return preparation.longer_side or max(1, min(image_shape[1:]) * 5 // 7)


def _framed(thing: Object, image_shape: tuple[int, int, int], preparation: Preparation) -> np.ndarray:
    """Frame an object as the data does: levels (1, H, W) uint8."""
    _, height, width = image_shape
    left, top, right, bottom = thing.box
    x, y = moments(thing.levels) if preparation.by_mass else ((left + right) / 2, (top + bottom) / 2)
    scale = max(right - left, bottom - top) / _longer_side(preparation, image_shape)  # picture pixels per pixel of x
    if preparation.binary and (width - _longer_side(preparation, image_shape)) % 2:
        x, y = x + scale / 2, y + scale / 2  # edges lie between pixels: half a pixel would be black or white by chance
    box = (x - scale * width / 2, y - scale * height / 2, x + scale * width / 2, y + scale * height / 2)
    if preparation.kind == "garment":
        return to_levels(cut(thing.levels, (width, height), box))[None]
    fine = to_levels(cut(thing.levels, (width * FINE, height * FINE), box))
    mask = box_mean(fine, 2 if preparation.kind == "shape" else 1) > 127
    if preparation.stroke:
        mask = _with_stroke(mask, preparation.stroke)
    levels = to_levels(area_average(mask * np.uint8(255), (width, height)))[None]
    return _binary(levels) if preparation.binary else levels


def _binary(levels: np.ndarray) -> np.ndarray:
    return np.where(levels > 127, 255, 0).astype(np.uint8)


def _with_stroke(mask: np.ndarray, width: float) -> np.ndarray:
    """Widen or thin strokes (H, W), sampled FINE times, to about `width` pixels of the data."""
    change = _rounded((width - _stroke_width(mask)) * FINE / 2)
    if change > 0:
        return grown(mask, change)
    while change < 0 and (thinner := ~grown(~mask, 1)).any():
        mask, change = thinner, change + 1
    return mask


def _stroke_width(mask: np.ndarray) -> float:
    """Return the mean width of strokes in pixels of the data: twice the area by the length of the edge."""
    edges = int((mask[1:] != mask[:-1]).sum()) + int((mask[:, 1:] != mask[:, :-1]).sum())
    return 2 * int(mask.sum()) / max(1.0, edges * np.pi / 4) / FINE


def _rounded(value: float) -> int:
    return int(np.floor(value + 0.5))


def _chosen(
    found: Found, image_shape: tuple[int, int, int], preparation: Preparation, photo: Stage, candidate: int
) -> Prepared:
    levels = [_framed(thing, image_shape, preparation) for thing in found.objects]
    height, width = found.objects[0].levels.shape
    boxes = [(box[0] / width, box[1] / height, box[2] / width, box[3] / height) for box, _ in found.objects]
    k = candidate if 0 <= candidate < len(boxes) else 0
    left, top, right, bottom = boxes[k]
    w, h = photo.picture.size
    corners = (_rounded(left * w), _rounded(top * h), _rounded(right * w), _rounded(bottom * h))
    cleaned = np.maximum.reduce([thing.levels for thing in found.objects])
    steps = Stage("found", photo.picture.crop(corners)), Stage("cleaned", Image.fromarray(cleaned))
    stages = (photo, *steps, _seen(levels[k]))
    candidates = tuple(Candidate(box, _tensor(own)) for box, own in zip(boxes, levels, strict=True))
    return Prepared(candidates[k].x, stages, candidates, found.inverted, True)


def _seen(levels: np.ndarray) -> Stage:
    return Stage("as the model sees it", Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0)))


def _tensor(levels: np.ndarray) -> Tensor:
    import torch  # here, as in base.Split.batch

    return torch.from_numpy(levels.astype(np.float32) / 255)[None]
