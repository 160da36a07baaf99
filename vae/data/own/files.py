"""The files of a folder, of a zip or of an upload, listed but not read."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from .. import archives
from ..images import UploadError

MAX_ZIP_ENTRIES = 1_000_000  # of a zip on this machine; an uploaded one has archives.MAX_ENTRIES
MAX_RATIO = 200  # of a zip's unpacked bytes to its own: image files hardly shrink
MAX_SMALL_ZIP = 64 * 2**20  # unpacked bytes that any zip may have
UNREADABLE = "This file is damaged, encrypted or unusually compressed."
BOMB = f"This zip unpacks to more than {MAX_RATIO} times its size; it is not a zip of images."


class Files(Protocol):
    """Files by number, in the order of their paths."""

    def __len__(self) -> int: ...

    def path(self, i: int) -> Sequence[str]:
        """Return the folders and the name of a file, as archives.path_of splits them."""

    def open(self, i: int) -> BinaryIO:
        """Open a file. Raises UploadError or OSError where it cannot be opened."""


class FolderFiles:
    """The files of a folder and its subfolders. Links to folders are not followed."""

    def __init__(self, root: Path):
        self.root = root
        names = []  # below root, with "/"
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if not archives.is_hidden([name])]
            below = os.path.relpath(folder, root).replace(os.sep, "/")
            start = "" if below == "." else f"{below}/"
            names += [start + name for name in files if not archives.is_hidden([name])]
        self._names = sorted(names)

    def __len__(self) -> int:
        return len(self._names)

    def path(self, i: int) -> Sequence[str]:
        return archives.path_of(self._names[i])

    def open(self, i: int) -> BinaryIO:
        path = self.root / self._names[i]
        if not path.is_file():  # a pipe or a device would be read for ever
            raise UploadError(UNREADABLE)
        return path.open("rb")


class OneFile(FolderFiles):
    """A single file of a folder."""

    def __init__(self, path: Path):
        self.root, self._names = path.parent, [path.name]


class Entry(NamedTuple):
    """A file in a zip, or uploaded alone."""

    path: list[str]
    content: bytes | tuple[zipfile.ZipFile, zipfile.ZipInfo]


class ListedFiles:
    """Uploaded files and the files of uploaded zips."""

    def __init__(self, entries: Iterable[Entry]):
        self._entries = sorted(entries, key=lambda entry: entry.path)

    def __len__(self) -> int:
        return len(self._entries)

    def path(self, i: int) -> Sequence[str]:
        return self._entries[i].path

    def open(self, i: int) -> BinaryIO:
        content = self._entries[i].content
        if isinstance(content, bytes):
            return io.BytesIO(content)
        archive, entry = content
        if entry.flag_bits & archives.ENCRYPTED or entry.compress_type not in archives.SUPPORTED_COMPRESSION:
            raise UploadError(UNREADABLE)
        try:
            return archive.open(entry)  # type: ignore[return-value]  # a BufferedIOBase
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise UploadError(UNREADABLE) from error


def read(files: Files, i: int, limit: int, cut: bool = False) -> bytes:
    """Return the content of a file. cut: only its first `limit` bytes.

    Raises UploadError where it cannot be read, or has more than `limit` bytes and is not to be cut.
    """
    try:
        with files.open(i) as file:
            content = file.read(limit if cut else limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise error if isinstance(error, UploadError) else UploadError(UNREADABLE) from error
    if len(content) > limit:
        raise UploadError(f"This file is larger than {limit // 2**20} MB.")
    return content


def zip_entries(content: BinaryIO, max_entries: int) -> list[Entry]:
    """List the files of a zip. Raises UploadError where it is damaged, too large or a bomb."""
    size = content.seek(0, io.SEEK_END)
    archive = archives.open_archive(content, max_entries)
    entries = archives.visible_entries(archive)
    if sum(entry.file_size for entry, _ in entries) > MAX_SMALL_ZIP + MAX_RATIO * size:
        raise UploadError(BOMB)
    return [Entry(path, (archive, entry)) for entry, path in entries]


def uploaded(uploads: Iterable[tuple[str, bytes]]) -> ListedFiles:
    """List uploaded files (name, content), and the files of zips among them. Raises UploadError for a bad zip."""
    entries = []
    for name, content in uploads:
        if archives.is_zip(name, content) and not name.lower().endswith(".npz"):
            entries += zip_entries(io.BytesIO(content), archives.MAX_ENTRIES)
        else:
            entries.append(Entry(archives.path_of(name) or ["unnamed"], content))
    return ListedFiles(entries)
