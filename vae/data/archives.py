"""A stranger's files and archives become a list of image files, read within bounds.

Nothing is decoded here, nothing is written, and no name from an archive is ever used as a path.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Iterable, NamedTuple

from .images import MAX_BYTES, UploadError

MAX_IMAGES = 2000
MAX_ENTRIES = 20_000  # of an archive, images or not
MAX_UNPACKED = 40 * 2**20  # bytes that all files together may come to
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
READ_HERE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may ask for much memory
MAX_NAME = 60


class File(NamedTuple):
    name: str  # without its folders, for display alone
    folder: str  # the innermost, "" for none
    content: bytes


class Collected(NamedTuple):
    files: list[File]
    told: list[str]  # sentences on what was left out


def collect(uploads: Iterable[tuple[str, bytes]]) -> Collected:
    """Images and zips of images, (name, content) each -> at most MAX_IMAGES files, undecoded.

    Folders within archives are read, archives within archives are not. Raises UploadError for
    more than MAX_UNPACKED bytes in all and for an archive that is damaged or holds no image.
    """
    files: list[File] = []
    others = large = unreadable = surplus = unpacked = 0
    for name, content in uploads:
        if not name.lower().endswith(".zip"):
            if len(files) < MAX_IMAGES:
                unpacked = _within(unpacked + len(content))
                files.append(File(_shown(name), "", content))
            else:
                surplus += 1
            continue
        archive = _opened(content)
        images = [entry for entry in archive.infolist() if _is_image(entry)]
        others += sum(not entry.is_dir() and not _is_hidden(entry) for entry in archive.infolist()) - len(images)
        if not images:
            raise UploadError(f"{plain(_shown(name))} holds no PNG, JPEG, WebP or GIF image.")
        for entry in images:
            if len(files) == MAX_IMAGES:
                surplus += 1
                continue
            if entry.file_size > MAX_BYTES:
                large += 1
                continue
            # what it says of its size is the most that is ever unpacked, readable or not
            unpacked = _within(unpacked + entry.file_size)
            found = _read(archive, entry)
            if found is None:
                unreadable += 1
                continue
            path = PurePosixPath(entry.filename)
            files.append(File(_shown(path.name), _shown(path.parent.name) if path.parent.name else "", found))
    told = [
        sentence
        for count, sentence in (
            (surplus, f"Only the first {MAX_IMAGES:,} images are used; {surplus:,} more were left out."),
            (others, f"{_counted(others, 'other file')} left out: not PNG, JPEG, WebP or GIF."),
            (large, f"{_counted(large, 'image')} left out: larger than {MAX_BYTES // 2**20} MB."),
            (unreadable, f"{_counted(unreadable, 'image')} left out: damaged, encrypted or packed in an unusual way."),
        )
        if count
    ]  # fmt: skip
    return Collected(files, told)


def _opened(content: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise UploadError("This zip is damaged or cut off and cannot be read.") from error
    if len(archive.infolist()) > MAX_ENTRIES:
        raise UploadError(f"This zip holds more than {MAX_ENTRIES:,} files; make it smaller.")
    return archive


def _within(unpacked: int) -> int:
    if unpacked > MAX_UNPACKED:
        raise UploadError(f"These files come to more than {MAX_UNPACKED // 2**20} MB; bring fewer or smaller ones.")
    return unpacked


def _is_image(entry: zipfile.ZipInfo) -> bool:
    return not entry.is_dir() and not _is_hidden(entry) and entry.filename.lower().endswith(SUFFIXES)


def _is_hidden(entry: zipfile.ZipInfo) -> bool:
    """What a system put there for itself, and nobody knows of."""
    parts = PurePosixPath(entry.filename).parts
    return "__MACOSX" in parts or any(part.startswith(".") and part != ".." for part in parts)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    """What an entry holds, or None; zipfile unpacks no more than the size that it gives."""
    if entry.flag_bits & 1 or entry.compress_type not in READ_HERE:
        return None
    try:
        with archive.open(entry) as file:
            found = file.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        return None
    return found if len(found) <= MAX_BYTES else None


def _shown(name: str) -> str:
    """A stranger's name as text: printable and short. Whoever shows it as Markdown escapes it."""
    return "".join(c for c in name if c.isprintable() and c not in "<>&")[:MAX_NAME] or "unnamed"


def plain(name: str) -> str:
    """A stranger's name for a sentence that is shown as Markdown."""
    return "".join(f"\\{c}" if c in "`*_[]$\\~#:|" else c for c in name)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what} was" if count == 1 else f"{count:,} {what}s were"
