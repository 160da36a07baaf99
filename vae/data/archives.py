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
from typing import BinaryIO, NamedTuple

from .formats import ACCEPTED, SUFFIXES, format_of
from .images import MAX_BYTES, UploadError

MAX_IMAGES = 2000
MAX_ENTRIES = 20_000  # in an archive, images or not
MAX_UNPACKED = 40 * 2**20  # bytes of all files together
SIGNATURE = 16  # bytes of a file by which its format is known
SYSTEM_FILES = {"__macosx", "@eadir", "$recycle.bin", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
SUPPORTED_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may need much memory
ENCRYPTED, UTF_8 = 0x1, 0x800  # flags of an entry
MAX_ENTRY_BYTES = 512  # of an entry in the list of files: 46, its name, its extra fields and its comment
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
        if not is_zip(name, content):
            if len(files) < MAX_IMAGES:
                unpacked = _check_size(unpacked + len(content))
                files.append(File(display_name(path_of(name)[-1:]), "", content))
            else:
                surplus += 1
            continue
        archive = open_archive(io.BytesIO(content))
        entries = visible_entries(archive)
        images = [(entry, path) for entry, path in entries if _is_image(archive, entry, path)]
        others += len(entries) - len(images)
        if not images:
            raise UploadError(f"{escaped_name(name)} holds no {ACCEPTED} image.")
        for entry, path in images:
            if len(files) == MAX_IMAGES:
                surplus += 1
                continue
            if entry.file_size > MAX_BYTES:
                large += 1
                continue
            # zipfile never unpacks more than the stated size; unreadable entries count too
            unpacked = _check_size(unpacked + entry.file_size)
            unpacked_bytes = read_entry(archive, entry, MAX_BYTES)
            if unpacked_bytes is None:
                unreadable += 1
                continue
            files.append(File(display_name(path[-1:]), display_name(path[-2:-1], ""), unpacked_bytes))
    notes = [
        sentence
        for count, sentence in (
            (surplus, f"Only the first {MAX_IMAGES:,} images are used; {surplus:,} more were left out."),
            (others, f"{count_phrase(others, 'other file')} left out: not {ACCEPTED}."),
            (large, f"{count_phrase(large, 'image')} left out: larger than {MAX_BYTES // 2**20} MB."),
            (
                unreadable,
                f"{count_phrase(unreadable, 'image')} left out: damaged, encrypted or unusually compressed.",
            ),
        )
        if count
    ]  # fmt: skip
    return Collected(files, notes)


def is_zip(name: str, content: bytes) -> bool:
    return name.lower().endswith(".zip") or content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def open_archive(content: BinaryIO, max_entries: int | None = None) -> zipfile.ZipFile:
    """Open a zip of at most max_entries files, MAX_ENTRIES by default.

    Raises UploadError for one that is damaged or holds more, before its list of files is read into memory.
    """
    limit = MAX_ENTRIES if max_entries is None else max_entries
    too_many = f"This zip holds more than {limit:,} files; make it smaller."
    if _directory_size(content) > limit * MAX_ENTRY_BYTES:
        raise UploadError(too_many)
    try:
        archive = zipfile.ZipFile(content)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise UploadError("This zip is damaged or cut off and cannot be read.") from error
    if len(archive.infolist()) > limit:
        raise UploadError(too_many)
    return archive


def _directory_size(content: BinaryIO) -> int:
    """Return how many bytes a zip says that its list of files has; 0 where it has no such list."""
    size = content.seek(0, io.SEEK_END)
    content.seek(max(0, size - 2**16 - 98))  # the longest comment, and both records before it
    end = content.read()
    at = end.rfind(b"PK\x05\x06")
    if at < 0:
        return 0
    if at >= 76 and end[at - 20 : at - 16] == b"PK\x06\x07":  # zip64, whose record comes before
        return int.from_bytes(end[at - 36 : at - 28], "little")
    return int.from_bytes(end[at + 12 : at + 16], "little")


def visible_entries(archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, list[str]]]:
    """Return the files of an archive, each with its path as `path_of` splits it, without hidden files."""
    japanese = _is_japanese([_raw_name(entry) for entry in archive.infolist()])
    names = ((entry, _entry_name(entry, japanese)) for entry in archive.infolist())
    entries = [(entry, path_of(name)) for entry, name in names if not name.endswith(("/", "\\"))]
    return [(entry, path) for entry, path in entries if not is_hidden(path)]


def _check_size(unpacked: int) -> int:
    if unpacked > MAX_UNPACKED:
        limit = MAX_UNPACKED // 2**20
        raise UploadError(f"These files have more than {limit} MB together; use fewer or smaller ones.")
    return unpacked


def _entry_name(entry: zipfile.ZipInfo, japanese: bool) -> str:
    """Return the name of an entry in an archive. japanese: whether names that are not UTF-8 are Japanese.

    The format knows UTF-8 with a flag, UTF-8 in an extra field, and cp437 for anything else; many programs write UTF-8
    without saying so, in which cp437 and its relatives are hardly ever valid. Windows writes the language's own.
    """
    if entry.flag_bits & UTF_8:
        return entry.filename
    raw = _raw_name(entry)
    for candidate, encoding in ((_unicode_path(entry.extra), "utf-8"), (raw, "utf-8"), (raw, "cp932" * japanese)):
        try:
            if candidate and encoding:
                return candidate.decode(encoding)
        except UnicodeDecodeError:
            pass
    return entry.filename


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    """Return the name of an entry as it stands in the archive; b"" where its flag says that it is UTF-8."""
    return b"" if entry.flag_bits & UTF_8 else entry.orig_filename.encode("cp437").partition(b"\0")[0]


def _is_japanese(names: list[bytes]) -> bool:
    """Return whether the names of an archive that are not UTF-8 are cp932, as Japanese Windows writes them.

    Bytes of Western European names may be valid in it, but there they hardly ever make a syllable (kana) or two
    Chinese characters in a row, of which one has no ASCII byte.
    """
    evidence = False
    for raw in names:
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            try:
                text = raw.decode("cp932")
            except UnicodeDecodeError:
                return False
            pairs = (run for run in re.findall("[\u4e00-\u9fff]{2,}", text))
            evidence |= bool(re.search("[\u3041-\u30f6]", text))
            evidence |= any(max(run.encode("cp932")[1::2]) > 127 for run in pairs)
    return evidence


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


def is_hidden(path: list[str]) -> bool:
    """Return whether an entry is a hidden file, such as an operating system adds to archives."""
    return not path or any(part.startswith(".") or part.lower() in SYSTEM_FILES for part in path)


def _is_image(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: list[str]) -> bool:
    """Return whether an entry is an image: by its name, so that a damaged one counts, or else by its first bytes."""
    if path[-1].lower().endswith(tuple(f".{suffix}" for suffix in SUFFIXES)):
        return True
    start = read_entry(archive, entry, SIGNATURE, cut=True)
    return start is not None and format_of(start) is not None


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int, cut: bool = False) -> bytes | None:
    """Return the content of an entry, or None where it cannot be read, or is longer than limit and not to be cut."""
    if entry.flag_bits & ENCRYPTED or entry.compress_type not in SUPPORTED_COMPRESSION:
        return None
    try:
        with archive.open(entry) as file:
            content = file.read(limit if cut else limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        return None
    return content if len(content) <= limit else None


def display_name(name: list[str], unnamed: str = "unnamed") -> str:
    """Return the last part of a path as short printable text. To show it as Markdown, escape it with `plain`."""
    text = name[-1] if name else ""
    return "".join(c for c in text if c.isprintable() and c not in "<>&")[:MAX_NAME] or unnamed


def plain(name: str) -> str:
    """Escape an uploaded name for text that is shown as Markdown."""
    return "".join(f"\\{c}" if c in "`*_[]$\\~#:|" else c for c in name)


def escaped_name(name: str) -> str:
    """Return an uploaded name or path as short text without markup, escaped as Markdown."""
    return plain(display_name([name]))


def label(name: str) -> str:
    """Return an uploaded name as short text that is harmless as Markdown too, for classes and titles."""
    return re.sub(r"[\[\]`$\\]", "", display_name([name], "")).strip()


def unescaped(text: str) -> str:
    """Return a sentence whose names `plain` has escaped as it is shown without Markdown, as in a terminal."""
    return re.sub(r"\\([`*_\[\]$\\~#:|])", r"\1", text)


def count_phrase(count: int, what: str) -> str:
    return f"{count:,} {what} was" if count == 1 else f"{count:,} {what}s were"
