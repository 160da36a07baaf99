"""Arrays from a user's files: .npy, .npz and .csv, read without running anything in them.

Sizes and types are checked before memory is reserved.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

MAX_BYTES = 512 * 2**20  # of an array
MAX_TEXT_BYTES = 64 * 2**20  # of a .csv, whose cells take more memory than their text
READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Table(NamedTuple):
    """Numbers, and the names of their columns."""

    values: np.ndarray  # (N, K), or as the file has it
    names: tuple[str, ...]  # (K,); () where the file has none


def read(path: Path, name: str) -> Table:
    """Read an array. name: what it is, for messages, and which array of an .npz it is if there are several.

    The first row of a .csv holds names if none of its cells is a number. A column of text becomes class numbers, in
    the order of the sorted texts. Raises ValueError, with one sentence, for a file that cannot be used, and OSError.
    """
    readers = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv}
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path.name}: {name} must be a file .npy, .npz or .csv")
    try:
        return readers[path.suffix.lower()](path, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError) as error:
        raise ValueError(f"{path.name} is damaged or cut off") from error


def _read_npy(path: Path, name: str) -> Table:
    with path.open("rb") as file:
        _check_header(file, path.name)
        file.seek(0)
        return Table(_array(file, path.name), ())


def _read_npz(path: Path, name: str) -> Table:
    with zipfile.ZipFile(path) as archive:
        arrays = [entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy")]
        if len(arrays) != 1 and name not in arrays:
            found = ", ".join(arrays[:10]) or "none"
            raise ValueError(f"{path.name} must hold one array or one named {name!r}; its arrays are: {found}")
        entry = f"{name if name in arrays else arrays[0]}.npy"
        with archive.open(entry) as file:
            _check_header(file, path.name)
        with archive.open(entry) as file:
            return Table(_array(file, path.name), ())


def _check_header(file: IO[bytes], file_name: str) -> None:
    """Raise ValueError for an array of Python objects or records, and for one of more than MAX_BYTES."""
    try:
        shape, _, dtype = READERS[np.lib.format.read_magic(file)](file)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{file_name} holds no array in numpy's format") from error
    if dtype.hasobject or dtype.names:
        raise ValueError(f"{file_name} holds Python objects or records; save plain numbers instead")
    if prod(shape) * dtype.itemsize > MAX_BYTES:
        raise ValueError(f"{file_name} holds an array of more than {MAX_BYTES // 2**20} MB, the limit")


def _array(file: IO[bytes], file_name: str) -> np.ndarray:
    try:
        return np.lib.format.read_array(file, allow_pickle=False)
    except ValueError as error:
        raise ValueError(f"{file_name} is damaged or cut off") from error


def _read_csv(path: Path, name: str) -> Table:
    if path.stat().st_size > MAX_TEXT_BYTES:
        limit = MAX_TEXT_BYTES // 2**20
        raise ValueError(f"{path.name} has more than {limit} MB, the limit of a .csv; save an .npy instead")
    try:
        text = path.read_text(encoding="utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path.name} is no table in UTF-8") from error
    if not rows:
        raise ValueError(f"{path.name} is empty")
    header = () if any(map(_is_number, rows[0])) else tuple(cell.strip() for cell in rows[0])
    rows = rows[1:] if header else rows
    width = len(header or rows[0])
    for number, row in enumerate(rows, 2 if header else 1):
        if len(row) != width or not all(cell.strip() for cell in row):
            raise ValueError(f"row {number} of {path.name} has no value in one of its {width} columns, or too many")
    columns = [_column(np.array(cells)) for cells in zip(*rows, strict=True)]
    return Table(np.stack(columns, 1) if columns else np.empty((0, width)), header)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _column(cells: np.ndarray) -> np.ndarray:
    """Return cells (N,) as numbers, or as the ranks of their texts."""
    try:
        return cells.astype(np.float64)
    except ValueError:
        return np.unique(np.char.strip(cells), return_inverse=True)[1].astype(np.float64)
