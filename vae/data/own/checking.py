"""The check before own images become a data set: every image is decoded and prepared, and what was found is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ... import jobs
from .. import archives
from .prepared import Prepared, Size, prepare_all
from .sources import Source
from .splits import split_by_content

MIN_IMAGES = 100  # different ones
MAX_IN_APP = 20_000
SIZES = (28, 32, 64)  # pixels of a side
THUMBNAILS = 24
MAX_NAMED = 5  # damaged files that are named
MAX_LISTED = 12  # classes that are listed


@dataclass(frozen=True)
class Check:
    """What was found in a source, and its images as they will be stored."""

    size: int  # pixels of a side
    count: int = 0  # images that can be used
    distinct: int = 0  # of these, with different content
    colour: bool = False
    sizes: tuple[Size, Size] = ((0, 0), (0, 0))  # (width, height) of the smallest and the largest original
    broken: tuple[str, ...] = ()  # the first MAX_NAMED that cannot be decoded, as Markdown
    broken_count: int = 0
    classes: dict[str, int] = field(default_factory=dict)  # {name: images}; {} without classes
    factors: dict[str, int] = field(default_factory=dict)  # {name: number of values}; {} without known factors
    thumbnails: np.ndarray = field(default_factory=lambda: np.zeros((0, 1, 1, 1), np.uint8))  # (M, H, W, 1 or 3)
    sentences: tuple[str, ...] = ()  # what was found and what will be done, as Markdown
    refusal: str = ""  # one sentence, as Markdown, where this cannot become a data set
    prepared: Prepared | None = field(default=None, repr=False, compare=False)

    @property
    def duplicates(self) -> int:
        """Number of images that repeat the content of another one."""
        return self.count - self.distinct


def check(
    source: Source, size: int, progress: jobs.Report | None = None, *, in_app: bool = False,
    colour: bool | None = None, scratch: Path | None = None,
) -> Check:  # fmt: skip
    """Decode and prepare every image of a source for a data set of size x size pixels.

    in_app: whether the limit MAX_IN_APP holds. colour: None keeps colour if an image has some, False makes all images
    grey. scratch: the folder of the prepared images until they are built or this result is deleted.
    Raises ValueError for a size that is not one of SIZES, OSError where the images cannot be written.
    """
    if size not in SIZES:
        raise ValueError(f"images can have {', '.join(map(str, SIZES))} pixels a side, not {size}")
    if refusal := source.refusal or _wrong_count(len(source), in_app):
        return Check(size, refusal=refusal)
    prepared = prepare_all(source, size, colour, scratch, progress)
    found = Check(
        size, len(prepared.rows), len(np.unique(prepared.digests)), sizes=prepared.sizes,
        broken=tuple(source.name(i) for i in prepared.broken[:MAX_NAMED]), broken_count=len(prepared.broken),
        prepared=prepared,
    )  # fmt: skip
    if refusal := _unusable(found):
        return replace(found, refusal=refusal)
    images = prepared.images()
    found = replace(
        found, colour=images.shape[1] == 3, classes=_classes(source, prepared.rows),
        factors=_factors(source, prepared.rows), thumbnails=_thumbnails(images),
    )  # fmt: skip
    return replace(found, sentences=tuple(_sentences(source, found)))


def _wrong_count(n: int, in_app: bool) -> str:
    if n < MIN_IMAGES:
        there = "There is 1 image" if n == 1 else f"There are {n} images"
        return f"{there}; a data set needs at least {MIN_IMAGES}."
    if in_app and n > MAX_IN_APP:
        return (
            f"There are {n:,} images; the app takes up to {MAX_IN_APP:,}. "
            "For more, run `vae data add NAME FOLDER` on the command line."
        )
    return ""


def _unusable(found: Check) -> str:
    """Return a sentence where too few images are left, or too few of them differ."""
    assert found.prepared is not None
    if found.count < MIN_IMAGES:
        return (
            f"Only {found.count} of {found.count + found.broken_count} images can be decoded; a data set needs at "
            f"least {MIN_IMAGES}. The first that cannot: {found.broken[0]}."
        )
    if found.distinct == 1:
        black = not found.prepared.images()[0].any()
        return f"All {found.count:,} images are {'black' if black else 'the same'}."
    if found.distinct < MIN_IMAGES:
        return (
            f"Only {found.distinct} of {found.count:,} images are different; a data set needs at least {MIN_IMAGES} "
            "different ones."
        )
    return ""


def _classes(source: Source, rows: np.ndarray) -> dict[str, int]:
    if source.labels is None:
        return {}
    counts = np.bincount(source.labels[rows], minlength=len(source.classes))
    return {name: int(count) for name, count in zip(source.classes, counts, strict=True) if count}


def _factors(source: Source, rows: np.ndarray) -> dict[str, int]:
    if source.table is None:
        return {}
    factors = source.table.take(rows).factors
    return dict(zip(factors.names, factors.sizes, strict=True))


def _thumbnails(images: np.ndarray) -> np.ndarray:
    """Return up to THUMBNAILS images at even distances, (M, H, W, 1 or 3) uint8."""
    shown = np.unique(np.linspace(0, len(images) - 1, THUMBNAILS).round().astype(int))
    return np.stack([images[i] for i in shown]).transpose(0, 2, 3, 1)


def _sentences(source: Source, found: Check) -> Iterator[str]:
    assert found.prepared is not None
    n, kind = f"{found.count:,} images", "in colour" if found.colour else "grey"
    yield f"There are {n}, {_original_sizes(found)}. They are stored {kind}."
    (width, height), largest = found.sizes
    if (width, height) == largest == (found.size, found.size):
        yield "Their pixels are stored as they are."
    else:
        yield f"Each is cropped to its middle square and scaled to {found.size} × {found.size} pixels."
    if found.classes:
        listed = [f"{archives.plain(name)} ({count:,})" for name, count in found.classes.items()]
        more = f" and {len(listed) - MAX_LISTED} more" * (len(listed) > MAX_LISTED)
        yield f"There are {len(listed)} classes: {', '.join(listed[:MAX_LISTED])}{more}."
    if found.factors:
        listed = [f"{archives.plain(name)} ({sizes} values)" for name, sizes in found.factors.items()]
        more = f" and {len(listed) - MAX_LISTED} more" * (len(listed) > MAX_LISTED)
        yield f"Known factors: {', '.join(listed[:MAX_LISTED])}{more}."
        yield from source.table.notes if source.table else ()
    if found.duplicates:
        are = "1 image is a copy" if found.duplicates == 1 else f"{found.duplicates:,} images are copies"
        yield f"{are} of another one. Copies stay in the same split."
    if found.broken_count:
        yield _named(found)
    yield from source.notes
    train, validation, test = np.bincount(split_by_content(found.prepared.digests), minlength=3)
    yield f"{train:,} images are for training, {validation:,} for validation and {test:,} for testing."


def _original_sizes(found: Check) -> str:
    low, high = (f"{width:,} × {height:,}" for width, height in found.sizes)
    return f"all {low} pixels" if low == high else f"{low} to {high} pixels"


def _named(found: Check) -> str:
    """Return the sentence on files that cannot be decoded, with the names of the first ones."""
    more = f" and {found.broken_count - MAX_NAMED:,} more" * (found.broken_count > MAX_NAMED)
    files = "1 file cannot" if found.broken_count == 1 else f"{found.broken_count:,} files cannot"
    return f"{files} be decoded and will be left out: {', '.join(found.broken)}{more}."
