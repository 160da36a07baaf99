"""Uploaded images: decodes a file into a tensor as the model sees it, or raises an error of one clear sentence.

All checks run before decoding, so that an upload cannot exhaust memory or run code.
"""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

if TYPE_CHECKING:
    from torch import Tensor

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 4_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
TOO_MANY_PIXELS = f"This image has more than {MAX_PIXELS / 1e6:.0f} megapixels; make it smaller."
DAMAGED = "This image is damaged or cut off and cannot be decoded."


class UploadError(ValueError):
    """An error for a file that cannot be used; its message is one sentence for the user."""


class Stage(NamedTuple):
    """An intermediate image of `prepare`, with a title."""

    title: str
    picture: Image.Image


@dataclass(frozen=True)
class Prepared:
    """An uploaded image as a model sees it, with the steps that led to it."""

    x: Tensor  # (1, C, H, W) float in [0, 1]
    inverted: bool
    centred: bool
    stages: tuple[Stage, ...]  # from the original image to x
    again: Callable[[bool, bool], Prepared]  # (invert, centre) -> the same image prepared with other settings

    @functools.cached_property
    def candidates(self) -> tuple[Prepared, ...]:
        """The four ways to prepare the image, inverted or not and centred or not, this one first."""
        ways = [(inverted, centred) for inverted in (False, True) for centred in (False, True)]
        return self, *(self.again(*way) for way in ways if way != (self.inverted, self.centred))


def read_image(content: bytes) -> Image.Image:
    """Decode the first frame of a PNG, JPEG, WebP or GIF as an upright RGB image.

    EXIF rotation is applied, transparency is composited on white, 16 bits are scaled to 8, CMYK is converted.
    Raises UploadError for anything else, and before decoding for an image that is too large.
    """
    if not content:
        raise UploadError("This file is empty.")
    if len(content) > MAX_BYTES:
        raise UploadError(f"This file is larger than {MAX_BYTES // 2**20} MB; choose a smaller one.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's decompression bomb warning: the size is checked below
            image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise UploadError(TOO_MANY_PIXELS) from None
    except UnidentifiedImageError:
        raise UploadError("This file is not a PNG, JPEG, WebP or GIF image, or it is damaged.") from None
    except Exception as error:  # a broken header can raise almost anything
        raise UploadError(DAMAGED) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UploadError(TOO_MANY_PIXELS)
    try:
        image.load()  # the first frame of an animation
        image = ImageOps.exif_transpose(image)
        return _to_rgb(image)
    except Exception as error:  # truncated data, bad palettes, broken EXIF
        raise UploadError(DAMAGED) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # 16 bit; Pillow's convert clips it
        values = np.asarray(image, np.float64)
        top = 65535 if values.max() > 255 else 255
        grey = np.clip(values * 255 / top, 0, 255).round().astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def prepare(
    image: Image.Image,
    image_shape: tuple[int, int, int],
    white_on_black: bool = False,
    invert: bool | None = None,
    centre: bool = False,
    binary: bool = False,
) -> Prepared:
    """Convert an image into x (1, C, H, W) in [0, 1], cropped to the model's aspect ratio and resized.

    white_on_black: the model's data is light on dark. invert: swap light and dark; None does so if the image's
    border is light and the data is light on dark. centre: crop what differs from the border and put its centre
    of mass in the middle, its longer side at 20/28 of the image, as in MNIST. binary: make pixels black or white.
    """
    import torch  # here, as in base.Split.batch

    channels, height, width = image_shape
    picture = _to_rgb(image).convert("RGB" if channels == 3 else "L")
    stages = [Stage("as it came", image)]
    if invert is None:
        invert = white_on_black and _border(np.asarray(picture.convert("L"))) > 127
    if invert:
        picture = ImageOps.invert(picture)
        stages.append(Stage("light and dark swapped", picture))
    if centre:
        picture = _centred(picture, (width, height))
    else:
        picture = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
    stages.append(Stage("centred" if centre else "cropped and resized", picture))
    if binary:
        picture = picture.point(lambda value: 255 * (value > 127))
        stages.append(Stage("black or white", picture))
    values = np.asarray(picture, np.float32).reshape(height, width, channels) / 255
    x = torch.from_numpy(values.transpose(2, 0, 1).copy())[None]
    again = functools.partial(prepare, image, image_shape, white_on_black, binary=binary)
    return Prepared(x, bool(invert), bool(centre), tuple(stages), again)


def _border(grey: np.ndarray) -> float:
    """Return the median grey of the outermost pixels, which is the background of most drawings."""
    return float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))


def _centred(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    background = _border(np.asarray(picture.convert("L")))
    ink = np.abs(np.asarray(picture.convert("L"), np.float32) - background)
    rows, columns = np.flatnonzero((ink > 64).any(1)), np.flatnonzero((ink > 64).any(0))
    if not rows.size:  # nothing to centre
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    cut = picture.crop((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    scale = 20 / 28 * min(size) / max(cut.size)
    sides = max(1, round(cut.width * scale)), max(1, round(cut.height * scale))
    cut = cut.resize(sides, Image.Resampling.LANCZOS)
    ink = np.abs(np.asarray(cut.convert("L"), np.float32) - background) + 1e-6
    mass_x = (ink.sum(0) * (np.arange(cut.width) + 0.5)).sum() / ink.sum()
    mass_y = (ink.sum(1) * (np.arange(cut.height) + 0.5)).sum() / ink.sum()
    grey = int(background)
    paper = Image.new(picture.mode, size, grey if picture.mode == "L" else (grey,) * 3)
    paper.paste(cut, (round(size[0] / 2 - mass_x), round(size[1] / 2 - mass_y)))
    return paper
