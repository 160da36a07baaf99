"""The images of a source as a data set stores them, written to a file one after another."""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ... import jobs
from ..images import UploadError
from ..pixels import to_grey
from ..preparing import crop_middle
from .sources import Pixels, Source

COLOUR_LEVELS, COLOUR_SHARE = 16, 0.01  # an image in colour: more than this between channels, in more of its pixels
CHUNK = 2048  # images that are moved at once

Size = tuple[int, int]  # width, height


class Prepared:
    """The images of a source in a temporary .npy file, which is deleted with this object."""

    def __init__(self, path: Path):
        self.path = path
        self.rows = np.zeros(0, np.int64)  # (n,) indices of the source's images that could be decoded
        self.digests = np.zeros(0, np.uint64)  # (n,) of their content
        self.broken: list[int] = []  # indices of the others
        self.sizes: tuple[Size, Size] = ((0, 0), (0, 0))  # of the smallest and the largest original, by area
        weakref.finalize(self, path.unlink, missing_ok=True)

    def images(self) -> np.ndarray:
        """Return the images (n, C, H, W) uint8, which are read from the file when they are indexed."""
        return mapped(self.path)


def prepare_all(
    source: Source, size: int, colour: bool | None, scratch: Path | None, progress: jobs.Report | None
) -> Prepared:
    """Decode every image of a source, crop it to its middle square and scale it to size x size pixels.

    colour: None keeps three channels if an image is in colour. scratch: the folder of the file. Raises OSError where
    it cannot be written.
    """
    handle, path = tempfile.mkstemp(".npy", "own-", scratch)
    prepared, report = Prepared(Path(path)), jobs.part(progress)
    with os.fdopen(handle, "w+b") as file:
        writer = _Writer(file, size, colour)
        for i, pixels in enumerate(source.pictures()):
            report(f"preparing {len(source):,} images", i / len(source))
            if isinstance(pixels, UploadError):
                prepared.broken.append(i)
            else:
                writer.add(i, pixels)
        writer.write_header()
    prepared.rows = np.array(writer.rows, np.int64)
    prepared.digests = np.array(writer.digests, np.uint64)
    prepared.sizes = writer.sizes or prepared.sizes
    return prepared


class _Writer:
    """Writes an .npy file (n, C, size, size) uint8 image by image: grey until the first one in colour."""

    def __init__(self, file: BinaryIO, size: int, colour: bool | None):
        self.file, self.size = file, size
        self.channels, self.may_widen = 3 if colour else 1, colour is None
        self.rows: list[int] = []
        self.digests: list[int] = []
        self.sizes: tuple[Size, Size] | None = None
        self.write_header()
        self.start = file.tell()  # of the first image: numpy leaves room in the header for any number of them

    def add(self, i: int, pixels: Pixels) -> None:
        """Append image i of the source."""
        original = (pixels.shape[1], pixels.shape[0])
        low, high = self.sizes or (original, original)
        self.sizes = min(low, original, key=np.prod), max(high, original, key=np.prod)
        if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
            pixels = pixels[..., 0]
        levels = _levels(pixels, self.size)
        self.digests.append(int.from_bytes(hashlib.blake2b(levels.tobytes(), digest_size=8).digest(), "little"))
        if self.channels == 1 and self.may_widen and _in_colour(levels):
            self._widen()
        if self.channels == 1 and len(levels) == 3:
            levels = _levels(to_grey(pixels), self.size)
        self.file.write(np.broadcast_to(levels, (self.channels, self.size, self.size)).tobytes())
        self.rows.append(i)

    def write_header(self) -> None:
        """Write the header of the images so far, and go to the end of the file."""
        shape = (len(self.rows), self.channels, self.size, self.size)
        self.file.seek(0)
        np.lib.format.write_array_header_1_0(self.file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        self.file.seek(0, os.SEEK_END)

    def _widen(self) -> None:
        """Give the grey images so far three channels, in place: from the last to the first."""
        grey = self.size * self.size
        for first in reversed(range(0, len(self.rows), CHUNK)):
            n = min(CHUNK, len(self.rows) - first)
            self.file.seek(self.start + first * grey)
            images = np.frombuffer(self.file.read(n * grey), np.uint8).reshape(n, 1, grey)
            self.file.seek(self.start + first * 3 * grey)
            self.file.write(images.repeat(3, axis=1).tobytes())
        self.channels = 3
        self.file.seek(0, os.SEEK_END)


def _levels(pixels: Pixels, size: int) -> np.ndarray:
    """Return the middle square of an image (H, W) or (H, W, 3), scaled: (1 or 3, size, size) uint8."""
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.shape[:2] == (size, size):
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return crop_middle(pixels, (pixels.shape[2], size, size))


def _in_colour(levels: np.ndarray) -> bool:
    """Return whether the channels of an image (1 or 3, H, W) differ visibly."""
    spread = levels.max(0) - levels.min(0)
    return bool((spread > COLOUR_LEVELS).mean() > COLOUR_SHARE)


def mapped(path: Path) -> np.ndarray:
    """Return the array of an .npy file, which is read where it is indexed. Raises ValueError, naming the file, where
    it is missing or damaged, or holds Python objects."""
    try:
        return np.lib.format.open_memmap(path, "r").view(np.ndarray)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path} is missing or damaged ({error})") from error
