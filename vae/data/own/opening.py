"""Where own images come from: a folder, a zip, several files or a known format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import archives
from ..formats import ACCEPTED, SUFFIXES, format_of, refusal
from ..images import UploadError
from . import factors, formats
from .factors import FactorTable
from .files import MAX_ZIP_ENTRIES, Files, FolderFiles, ListedFiles, OneFile, read, uploaded, zip_entries
from .sources import MAX_CLASSES, Source, decoded, refused

NO_FOLDER = "no folder"  # the class of images beside folders of images


def open_source(what: Path | str | bytes | Sequence[tuple[str, bytes]], title: str = "") -> Source:
    """Open a folder, a zip or a file by its path, the bytes of one, or uploaded files (name, content).

    title: by default that of the known format, or the name of the folder or file. What cannot become a data set has a
    `refusal`. Raises OSError for a path that does not exist or cannot be read.
    """
    own_title = ""
    if isinstance(what, (str, Path)):
        own_title = Path(what).expanduser().resolve().stem
    elif not isinstance(what, bytes) and len(what) == 1:
        own_title = what[0][0].rpartition(".")[0]
    own_title = archives.label(own_title) or "My images"
    try:
        files = _files(what)
        source = formats.recognise(files) or _of_images(files, own_title)
    except UploadError as error:
        source = refused(str(error), own_title)
    return replace(source, title=archives.label(title) or source.title)


def _files(what: Path | str | bytes | Sequence[tuple[str, bytes]]) -> Files:
    if isinstance(what, bytes):
        return uploaded([("", what)])
    if not isinstance(what, (str, Path)):
        return uploaded(what)
    path = Path(what).expanduser()
    if path.is_dir():
        return FolderFiles(path)
    with path.open("rb") as file:
        start = file.read(archives.SIGNATURE)
    if archives.is_zip(path.name, start) and path.suffix.lower() != ".npz":
        return ListedFiles(zip_entries(path.open("rb"), MAX_ZIP_ENTRIES))
    return OneFile(path)


def _of_images(files: Files, title: str) -> Source:
    """Find the images among files, their classes and factors. Raises UploadError where there is no image, or where
    factors.csv does not match the images."""
    images, tables, others, zips = [], [], 0, 0
    for i in range(len(files)):
        name = files.path(i)[-1].lower()
        if name == factors.FILE:
            tables.append(i)
        elif name.endswith(tuple(f".{suffix}" for suffix in SUFFIXES)) or _is_image(files, i):
            images.append(i)
        else:
            others += 1
            zips += name.endswith(".zip")
    if not images:
        raise UploadError(_without_images(files, zips))
    rows = np.array(images)
    notes = (f"{archives.count_phrase(others, 'other file')} left out: not {ACCEPTED}.",) * bool(others)
    classes, labels, note = _classes(files, rows)
    return Source(
        title, len(rows), lambda i: archives.escaped_name("/".join(files.path(int(rows[i])))),
        lambda: decoded(files, rows), classes, labels, _read_table(files, tables, rows), notes=(*notes, *note),
    )  # fmt: skip


def _is_image(files: Files, i: int) -> bool:
    try:
        return format_of(read(files, i, archives.SIGNATURE, cut=True)) is not None
    except UploadError:
        return False


def _without_images(files: Files, zips: int) -> str:
    if zips:
        return "This zip holds other zips and no image. Unpack the inner zips and choose their files."
    if len(files) == 1:
        try:
            return refusal(read(files, 0, 4096, cut=True))
        except UploadError as error:
            return str(error)
    return f"There is no {ACCEPTED} image here."


def _classes(files: Files, rows: np.ndarray) -> tuple[tuple[str, ...], np.ndarray | None, tuple[str, ...]]:
    """Return the classes, the class (N,) of each image and notes: the innermost folders are the classes."""
    common: list[str] | None = None
    numbers: dict[str, int] = {}  # of folders, in the order of their paths
    labels = np.zeros(len(rows), np.int32)
    for n, i in enumerate(rows):
        folders = list(files.path(int(i))[:-1])
        common = folders if common is None else _shared(common, folders)
        labels[n] = numbers.setdefault(_class_name(folders), len(numbers))
    if len(numbers) < 2:
        return (), None, ()
    if len(numbers) > MAX_CLASSES:
        return (), None, (f"There are {len(numbers):,} folders, too many for classes, so the images have no class.",)
    names = list(numbers)
    if common and (top := _class_name(common)) in numbers and _is_top(files, rows, len(common)):
        names[numbers[top]] = NO_FOLDER
    order = sorted(range(len(names)), key=lambda k: (names[k] == NO_FOLDER, names[k]))
    place = np.argsort(order)
    return tuple(names[k] for k in order), place[labels].astype(np.int32), ()


def _class_name(folders: list[str]) -> str:
    return archives.label(folders[-1]) or "unnamed" if folders else NO_FOLDER


def _shared(one: list[str], other: list[str]) -> list[str]:
    n = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:n]


def _is_top(files: Files, rows: np.ndarray, depth: int) -> bool:
    """Return whether an image lies in the folder that holds all others."""
    return any(len(files.path(int(i))) == depth + 1 for i in rows)


def _read_table(files: Files, tables: list[int], rows: np.ndarray) -> FactorTable | None:
    if not tables:
        return None
    if len(tables) > 1:
        raise UploadError(f"There are {len(tables)} files named {factors.FILE}; only one is possible.")
    paths = [files.path(int(i)) for i in rows]
    limit = factors.max_bytes(len(rows))
    content = read(files, tables[0], limit + 1, cut=True)
    if len(content) > limit:
        raise UploadError(f"{factors.FILE} is too large for {len(rows):,} images.")
    return factors.parse(content, paths, files.path(tables[0])[:-1])
