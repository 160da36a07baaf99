"""What a data set of own images is made of: images that have been found and not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..images import MAX_BYTES, UploadError, read_image
from .factors import FactorTable
from .files import Files, read

MAX_CLASSES = 200
NOT_STATED = "own images; their licence is not stated"

Pixels = np.ndarray  # (H, W) grey or (H, W, 3) in colour, uint8


@dataclass(frozen=True)
class Source:
    """N images that have been found and not read.

    pictures yields the images in their order, or the error of one that cannot be decoded.
    """

    title: str
    length: int
    name: Callable[[int], str]  # of an image, as Markdown
    pictures: Callable[[], Iterator[Pixels | UploadError]]
    classes: tuple[str, ...] = ()  # none where it has fewer than two
    labels: np.ndarray | None = None  # (N,) int, indices into classes
    table: FactorTable | None = None
    licence: str = NOT_STATED
    notes: tuple[str, ...] = ()  # sentences on what was found and left out
    refusal: str = ""  # a sentence, where it cannot become a data set

    def __len__(self) -> int:
        return self.length


def refused(sentence: str, title: str = "") -> Source:
    """Return a source without images that says why it has none."""
    return Source(title, 0, str, lambda: iter(()), refusal=sentence)


def decoded(files: Files, rows: np.ndarray) -> Iterator[Pixels | UploadError]:
    """Yield the images of these files (N,), decoded one after another."""
    for i in rows:
        try:
            yield np.asarray(read_image(read(files, int(i), MAX_BYTES)))
        except UploadError as error:
            yield error
