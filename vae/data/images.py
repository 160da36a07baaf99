"""Uploaded images: decodes a file into an upright RGB image, or raises an error of one clear sentence.

All checks run before decoding, so that an upload cannot exhaust memory or run code.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image

from .area import area_average_of_blocks
from .formats import format_of, jpeg_scans, refusal

MAX_BYTES = 25 * 2**20
MAX_SIDE = 1024  # pixels of the longer side that are kept
# Each limit keeps what decoding adds to the memory under 150 MB; tests/benchmarks/README.md has the measurements.
# A JPEG is decoded at a reduced scale, except where its coefficients are held, 2 bytes for each value.
MAX_MEGAPIXELS = {
    "JPEG": 50, "progressive JPEG": 20, "progressive CMYK JPEG": 15, "PNG": 15, "GIF": 30,
    "WebP": 8, "WebP with transparency or without loss": 6,
}  # fmt: skip
MAX_PASSES = 100  # of a JPEG: each is a pass over the whole image
BLOCK = 2**17  # pixels that are averaged at once
INK_SHARE = 0.7  # of an image that is opaque
LUMA = np.array([19595, 38470, 7471]) / 65536  # grey of R, G, B, as in Pillow's "L"
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF orientation  # fmt: skip
DAMAGED = "This image is damaged or cut off and cannot be decoded."

_decoding = threading.BoundedSemaphore(2)  # images at once, in all sessions together


class UploadError(ValueError):
    """An error for a file that cannot be used; its message is one sentence for the user."""


def read_image(content: bytes) -> Image.Image:
    """Decode the first frame of a PNG, JPEG, WebP or GIF as an upright RGB image of at most MAX_SIDE pixels a side.

    The bytes decide which of these it is. Raises UploadError for anything else, and before decoding for an image
    that is too large.
    """
    if not content:
        raise UploadError("This file is empty.")
    if len(content) > MAX_BYTES:
        raise UploadError(f"This file is larger than {MAX_BYTES // 2**20} MB; choose a smaller one.")
    format = format_of(content)
    if format is None:
        raise UploadError(refusal(content))
    with _decoding:
        return _decode(content, format)


def as_rgb(image: Image.Image, original: tuple[int, int] | None = None) -> Image.Image:
    """Convert an image of any mode to an upright RGB image, its longer side reduced to MAX_SIDE by area averaging.

    original: the size of which `image` is a reduced copy, rounded up; its own size by default.

    16 bits are scaled to 8. What is transparent becomes white or black: unlike what is opaque where that is less than
    INK_SHARE of the image, since it is the ink then; else like it, since it is the picture with a corner or a shadow.
    """
    orientation = _orientation(image)  # asked first: it is lost on the way
    width, height = original or image.size
    scale = min(1, MAX_SIDE / max(width, height))
    size = max(1, math.floor(width * scale + 0.5)), max(1, math.floor(height * scale + 0.5))
    if image.size == size and not _is_deep(image) and not image.has_transparency_data:
        upright = image.convert("RGB")  # averages over single pixels, which take most of a small file's time
    else:
        upright = _averaged(image, size)
    turn = TURNS.get(orientation)
    return upright if turn is None else upright.transpose(turn)


def _averaged(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    colours = area_average_of_blocks(_blocks(image), image.height, size)
    if colours.shape[-1] == 4:
        colours = _on_ground(colours[..., :3], colours[..., 3:])
    colours += 0.5  # in place: these are the largest arrays here
    return Image.fromarray(colours.clip(0, 255, out=colours).astype(np.uint8))


def _is_deep(image: Image.Image) -> bool:
    """Return whether an image has 16 bits or more a channel; Pillow's convert clips it."""
    return image.mode.startswith("I") or image.mode == "F"


def _on_ground(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay colours times alpha (h, w, 3) in [0, 255] and alpha (h, w, 1) in [0, 1] on white or black."""
    grey = (colours @ LUMA).sum() / max(alpha.sum(), 1e-9)  # of what is opaque
    is_ink = alpha.mean() < INK_SHARE
    white = (grey <= 127.5) if is_ink else (grey > 127.5)
    return colours + white * (255 - 255 * alpha)


def _decode(content: bytes, format: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's decompression bomb warning: the size is checked below
            image = Image.open(io.BytesIO(content), formats=[format])
    except Image.DecompressionBombError:
        raise UploadError(_too_large(_kind(content, format))) from None
    except Exception as error:  # a broken header can raise almost anything
        raise UploadError(DAMAGED) from error
    kind, size = _kind(content, format, image.mode), image.size
    if image.width * image.height > MAX_MEGAPIXELS[kind] * 1e6:
        raise UploadError(_too_large(kind))
    try:
        if format == "JPEG":
            _draft(image)
        image.load()  # the first frame of an animation
        image.fp = None  # of a WebP it holds another copy of the pixels
        return as_rgb(image, size)
    except Exception as error:  # truncated data, bad palettes
        raise UploadError(DAMAGED) from error


def _kind(content: bytes, format: str, mode: str = "RGB") -> str:
    """Return the key in MAX_MEGAPIXELS of an image file. Raises UploadError for a JPEG of too many passes."""
    if format == "WEBP":
        return "WebP with transparency or without loss" if b"ALPH" in content or b"VP8L" in content else "WebP"
    if format != "JPEG":
        return format
    scans = jpeg_scans(content)
    if scans is None or scans.passes > MAX_PASSES:
        raise UploadError("This JPEG is made of too many parts; save it again in another program.")
    if not scans.buffered:
        return "JPEG"
    return "progressive CMYK JPEG" if mode == "CMYK" else "progressive JPEG"


def _too_large(kind: str) -> str:
    save = {"JPEG": "", "progressive JPEG": " or save it as a baseline JPEG"}.get(kind, " or save it as a JPEG")
    return f"This {kind} has more than {MAX_MEGAPIXELS[kind]} megapixels; make it smaller{save}."


def _draft(image: Image.Image) -> None:
    """Have a JPEG decoded at 1/2, 1/4 or 1/8 of its size where its longer side remains at least MAX_SIDE."""
    for part in (8, 4, 2):
        if max(image.size) >= part * MAX_SIDE:
            image.draft(None, (max(1, image.width // part), max(1, image.height // part)))
            return


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of a decoded image, 1 where it has none or cannot be read."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a broken EXIF block can raise almost anything; the image itself may be good
        return 1


def _blocks(image: Image.Image) -> Iterator[np.ndarray]:
    """Yield a decoded image in blocks of rows: (n, W, 3) in [0, 255], or (n, W, 4), colours times A and A in [0, 1],
    where it has transparency."""
    rows = max(1, BLOCK // image.width)
    deep = _is_deep(image)
    white = 65535 if deep and np.max(image.getextrema()) > 255 else 255
    for y in range(0, image.height, rows):
        block = image.crop((0, y, image.width, min(y + rows, image.height)))
        yield _deep(block, white) if deep else _eight_bit(block)


def _deep(block: Image.Image, white: int) -> np.ndarray:
    values = np.asarray(block, np.float64)[..., None]
    grey = (values * (255 / white)).clip(0, 255).repeat(3, -1)
    clear = block.info.get("transparency")
    if clear is None:
        return grey
    alpha = values != clear
    return np.concatenate([grey * alpha, alpha], -1)


def _eight_bit(block: Image.Image) -> np.ndarray:
    if not block.has_transparency_data:
        return np.asarray(block.convert("RGB"), np.float64)
    clear = block.info.get("transparency")
    if isinstance(clear, tuple) and max(clear) > 255:  # of an image that had 16 bits
        block.info["transparency"] = tuple(value >> 8 for value in clear)
    values = np.asarray(block.convert("RGBA"), np.float64)
    values[..., 3] /= 255
    values[..., :3] *= values[..., 3:]
    return values
