"""Uploaded files and archives: reads them, within limits, into a list of image files.

Nothing is decoded or written here, and no name from an archive is used as a path.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from .images import MAX_BYTES, UploadError

MAX_IMAGES = 2000
MAX_ENTRIES = 20_000  # in an archive, images or not
MAX_UNPACKED = 40 * 2**20  # bytes of all files together
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
SUPPORTED_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may need much memory
MAX_NAME = 60


class File(NamedTuple):
    """An uploaded image file, undecoded."""

    name: str  # without folders, for display only
    folder: str  # the innermost folder, "" for none
    content: bytes


class Collected(NamedTuple):
    """The files of an upload, and notes on what was left out."""

    files: list[File]
    notes: list[str]  # sentences for the user


def collect(uploads: Iterable[tuple[str, bytes]]) -> Collected:
    """Return at most MAX_IMAGES files, undecoded, from images and zips of images, (name, content) each.

    Folders in archives are read, archives in archives are not. Raises UploadError for more than MAX_UNPACKED
    bytes in total and for an archive that is damaged or holds no image.
    """
    files: list[File] = []
    others = large = unreadable = surplus = unpacked = 0
    for name, content in uploads:
        if not name.lower().endswith(".zip"):
            if len(files) < MAX_IMAGES:
                unpacked = _check_size(unpacked + len(content))
                files.append(File(_display_name(name), "", content))
            else:
                surplus += 1
            continue
        archive = _open_archive(content)
        images = [entry for entry in archive.infolist() if _is_image(entry)]
        others += sum(not entry.is_dir() and not _is_hidden(entry) for entry in archive.infolist()) - len(images)
        if not images:
            raise UploadError(f"{plain(_display_name(name))} holds no PNG, JPEG, WebP or GIF image.")
        for entry in images:
            if len(files) == MAX_IMAGES:
                surplus += 1
                continue
            if entry.file_size > MAX_BYTES:
                large += 1
                continue
            # zipfile never unpacks more than the stated size; unreadable entries count too
            unpacked = _check_size(unpacked + entry.file_size)
            unpacked_bytes = _read(archive, entry)
            if unpacked_bytes is None:
                unreadable += 1
                continue
            path = PurePosixPath(entry.filename)
            folder = _display_name(path.parent.name) if path.parent.name else ""
            files.append(File(_display_name(path.name), folder, unpacked_bytes))
    notes = [
        sentence
        for count, sentence in (
            (surplus, f"Only the first {MAX_IMAGES:,} images are used; {surplus:,} more were left out."),
            (others, f"{_count_phrase(others, 'other file')} left out: not PNG, JPEG, WebP or GIF."),
            (large, f"{_count_phrase(large, 'image')} left out: larger than {MAX_BYTES // 2**20} MB."),
            (
                unreadable,
                f"{_count_phrase(unreadable, 'image')} left out: damaged, encrypted or unusually compressed.",
            ),
        )
        if count
    ]  # fmt: skip
    return Collected(files, notes)


def _open_archive(content: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise UploadError("This zip is damaged or cut off and cannot be read.") from error
    if len(archive.infolist()) > MAX_ENTRIES:
        raise UploadError(f"This zip holds more than {MAX_ENTRIES:,} files; make it smaller.")
    return archive


def _check_size(unpacked: int) -> int:
    if unpacked > MAX_UNPACKED:
        limit = MAX_UNPACKED // 2**20
        raise UploadError(f"These files have more than {limit} MB together; use fewer or smaller ones.")
    return unpacked


def _is_image(entry: zipfile.ZipInfo) -> bool:
    return not entry.is_dir() and not _is_hidden(entry) and entry.filename.lower().endswith(SUFFIXES)


def _is_hidden(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a hidden file, such as an operating system adds to archives."""
    parts = PurePosixPath(entry.filename).parts
    return "__MACOSX" in parts or any(part.startswith(".") and part != ".." for part in parts)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    """Return the content of an entry, or None where it cannot be read."""
    if entry.flag_bits & 1 or entry.compress_type not in SUPPORTED_COMPRESSION:
        return None
    try:
        with archive.open(entry) as file:
            content = file.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        return None
    return content if len(content) <= MAX_BYTES else None


def _display_name(name: str) -> str:
    """Return an uploaded name as short printable text. To show it as Markdown, escape it with `plain`."""
    return "".join(c for c in name if c.isprintable() and c not in "<>&")[:MAX_NAME] or "unnamed"


def plain(name: str) -> str:
    """Escape an uploaded name for text that is shown as Markdown."""
    return "".join(f"\\{c}" if c in "`*_[]$\\~#:|" else c for c in name)


def _count_phrase(count: int, what: str) -> str:
    return f"{count:,} {what} was" if count == 1 else f"{count:,} {what}s were"
