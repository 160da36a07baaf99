"""Uploaded files and archives: reads them, within limits, into a list of image files.

Nothing is decoded or written here, and no name from an archive is used as a path.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from .formats import ACCEPTED, SUFFIXES, format_of
from .images import MAX_BYTES, UploadError

MAX_IMAGES = 2000
MAX_ENTRIES = 20_000  # in an archive, images or not
MAX_UNPACKED = 40 * 2**20  # bytes of all files together
SIGNATURE = 16  # bytes of a file by which its format is known
SYSTEM_FILES = {"__macosx", "@eadir", "$recycle.bin", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
SUPPORTED_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may need much memory
ENCRYPTED, UTF_8 = 0x1, 0x800  # flags of an entry
UNICODE_PATH = 0x7075  # an extra field of an entry
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
        if not _is_zip(name, content):
            if len(files) < MAX_IMAGES:
                unpacked = _check_size(unpacked + len(content))
                files.append(File(_display_name(path_of(name)[-1:]), "", content))
            else:
                surplus += 1
            continue
        archive = _open_archive(content)
        names = ((entry, _entry_name(entry)) for entry in archive.infolist())
        entries = [(entry, path_of(inner)) for entry, inner in names if not inner.endswith(("/", "\\"))]
        entries = [(entry, path) for entry, path in entries if not _is_hidden(path)]
        images = [(entry, path) for entry, path in entries if _is_image(archive, entry, path)]
        others += len(entries) - len(images)
        if not images:
            raise UploadError(f"{plain(_display_name([name]))} holds no {ACCEPTED} image.")
        for entry, path in images:
            if len(files) == MAX_IMAGES:
                surplus += 1
                continue
            if entry.file_size > MAX_BYTES:
                large += 1
                continue
            # zipfile never unpacks more than the stated size; unreadable entries count too
            unpacked = _check_size(unpacked + entry.file_size)
            unpacked_bytes = _read(archive, entry, MAX_BYTES)
            if unpacked_bytes is None:
                unreadable += 1
                continue
            files.append(File(_display_name(path[-1:]), _display_name(path[-2:-1], ""), unpacked_bytes))
    notes = [
        sentence
        for count, sentence in (
            (surplus, f"Only the first {MAX_IMAGES:,} images are used; {surplus:,} more were left out."),
            (others, f"{_count_phrase(others, 'other file')} left out: not {ACCEPTED}."),
            (large, f"{_count_phrase(large, 'image')} left out: larger than {MAX_BYTES // 2**20} MB."),
            (
                unreadable,
                f"{_count_phrase(unreadable, 'image')} left out: damaged, encrypted or unusually compressed.",
            ),
        )
        if count
    ]  # fmt: skip
    return Collected(files, notes)


def _is_zip(name: str, content: bytes) -> bool:
    return name.lower().endswith(".zip") or content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


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


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry in an archive.

    The format knows UTF-8 with a flag, UTF-8 in an extra field, and cp437 for anything else; many programs write UTF-8
    without saying so, in which cp437 and its relatives are hardly ever valid.
    """
    if entry.flag_bits & UTF_8:
        return entry.filename
    raw = entry.orig_filename.encode("cp437").partition(b"\0")[0]  # what zipfile decoded
    for candidate in (_unicode_path(entry.extra), raw):
        try:
            if candidate:
                return candidate.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return entry.filename


def _unicode_path(extra: bytes) -> bytes:
    """Return the name in UTF-8 that Info-ZIP keeps in an entry's extra fields; b"" where there is none."""
    while len(extra) >= 4:
        kind, size = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        if kind == UNICODE_PATH:
            return extra[9 : 4 + size]  # after a version and a checksum
        extra = extra[4 + size :]
    return b""


def path_of(name: str) -> list[str]:
    """Split an uploaded name into folders and file, the file last; without drives, roots, "." and "..".

    Windows programs write backslashes, and macOS writes accents as characters of their own.
    """
    parts = re.split(r"[/\\]", unicodedata.normalize("NFC", re.sub(r"^[A-Za-z]:(?=[/\\])", "", name)))
    return [part for part in parts if part not in ("", ".", "..")]


def _is_hidden(path: list[str]) -> bool:
    """Return whether an entry is a hidden file, such as an operating system adds to archives."""
    return not path or any(part.startswith(".") or part.lower() in SYSTEM_FILES for part in path)


def _is_image(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: list[str]) -> bool:
    """Return whether an entry is an image: by its name, so that a damaged one counts, or else by its first bytes."""
    if path[-1].lower().endswith(tuple(f".{suffix}" for suffix in SUFFIXES)):
        return True
    start = _read(archive, entry, SIGNATURE, cut=True)
    return start is not None and format_of(start) is not None


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int, cut: bool = False) -> bytes | None:
    """Return the content of an entry, or None where it cannot be read, or is longer than limit and not to be cut."""
    if entry.flag_bits & ENCRYPTED or entry.compress_type not in SUPPORTED_COMPRESSION:
        return None
    try:
        with archive.open(entry) as file:
            content = file.read(limit if cut else limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        return None
    return content if len(content) <= limit else None


def _display_name(name: list[str], unnamed: str = "unnamed") -> str:
    """Return the last part of a path as short printable text. To show it as Markdown, escape it with `plain`."""
    text = name[-1] if name else ""
    return "".join(c for c in text if c.isprintable() and c not in "<>&")[:MAX_NAME] or unnamed


def plain(name: str) -> str:
    """Escape an uploaded name for text that is shown as Markdown."""
    return "".join(f"\\{c}" if c in "`*_[]$\\~#:|" else c for c in name)


def _count_phrase(count: int, what: str) -> str:
    return f"{count:,} {what} was" if count == 1 else f"{count:,} {what}s were"
