"""Known factors of own images: the table factors.csv, or what a known format says."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .. import archives
from ..base import MAX_FACTORS, Factors
from ..images import UploadError

FILE = "factors.csv"
MAX_BYTES, ROW_BYTES = 256 * 2**20, 2**10  # of the table, and of a row on average
MAX_VALUES = 100  # of one factor in this table
BINS = 20  # of a factor with more values, all of them numbers


@dataclass(frozen=True)
class FactorTable:
    """The factors of N images."""

    factors: Factors
    rows: np.ndarray  # (N, K) int, indices of values
    notes: tuple[str, ...] = ()  # sentences for the user

    def take(self, rows: np.ndarray) -> FactorTable:
        """Return the factors of the images at rows (M,), without values that none of them has."""
        values, columns = [], []
        for names, column in zip(self.factors.values, self.rows[rows].T, strict=True):
            used, indices = np.unique(column, return_inverse=True)
            values.append(tuple(names[value] for value in used))
            columns.append(indices)
        return replace(self, factors=Factors(self.factors.names, tuple(values)), rows=np.stack(columns, 1))


def max_bytes(images: int) -> int:
    """Return how large the table of so many images may be: all of it is read into memory."""
    return min(MAX_BYTES, 2**20 + ROW_BYTES * images)


def parse(content: bytes, paths: Sequence[Sequence[str]], folder: Sequence[str] = ()) -> FactorTable:
    """Parse factors.csv for the images at these paths (N), as archives.path_of splits them.

    folder: where factors.csv lies. Its first column is the path of an image, below this folder or whole; each other
    column is a factor.
    Raises UploadError, naming the row, where the table and the images do not match.
    """
    lines = _lines(content)
    _, header = next(lines, (0, []))
    names = tuple(archives.label(name) for name in header[1:])
    if not 1 <= len(names) <= MAX_FACTORS or len(set(names)) < len(names) or "" in names:
        raise UploadError(
            f"The first row of {FILE} must name its columns: the file, then 1 to {MAX_FACTORS} different factors."
        )
    place = {tuple(path): i for i, path in enumerate(paths)}
    n = len(folder)
    place |= {tuple(path[n:]): i for i, path in enumerate(paths) if list(path[:n]) == list(folder)}
    texts: list[list[str] | None] = [None] * len(paths)
    for number, row in lines:
        where = f"Row {number} of {FILE}"
        if len(row) != len(header):
            raise UploadError(f"{where} has {len(row)} columns, but the first row has {len(header)}.")
        i = place.get(tuple(archives.path_of(row[0])))
        if i is None:
            raise UploadError(f"{where} names {archives.escaped_name(row[0])}, which is not among the images.")
        if texts[i] is not None:
            raise UploadError(f"{where} names {archives.escaped_name(row[0])} a second time.")
        if "" in row[1:]:
            raise UploadError(f"{where} has no value for {archives.plain(names[row.index('', 1) - 1])}.")
        texts[i] = row[1:]
    if None in texts:
        missing = archives.escaped_name("/".join(paths[texts.index(None)]))
        raise UploadError(f"{FILE} has no row for the image {missing}.")
    return _table(names, [text for text in texts if text is not None])


def _lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield (number, cells) of the rows that are not empty, as spreadsheets write them."""
    text = _decoded(content)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in rows:
            if len(row) > MAX_FACTORS + 1:
                raise UploadError(f"Row {rows.line_num} of {FILE} has more than {MAX_FACTORS + 1} columns.")
            if cells := [cell.strip() for cell in row]:
                if any(cells):
                    yield rows.line_num, cells
    except csv.Error as error:
        raise UploadError(f"Row {rows.line_num} of {FILE} cannot be read.") from error


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _table(names: tuple[str, ...], texts: list[list[str]]) -> FactorTable:
    values, columns, notes = [], [], []
    for name, column in zip(names, zip(*texts, strict=True), strict=True):
        labels, indices, note = _factor(archives.plain(name), np.array(column))
        values.append(labels)
        columns.append(indices)
        notes += [note] * bool(note)
    if all(len(labels) < 2 for labels in values):
        raise UploadError(f"{FILE} gives every image the same values; a factor must vary.")
    return FactorTable(Factors(names, tuple(values)), np.stack(columns, 1), tuple(notes))


def _factor(name: str, column: np.ndarray) -> tuple[tuple[str, ...], np.ndarray, str]:
    """Return the names of a factor's values, sorted, the index of each image's value (N,), and a note or ""."""
    found, indices = np.unique(column, return_inverse=True)
    try:
        numbers = np.array([float(text) for text in found])
    except ValueError:
        numbers = np.array([math.nan])
    if np.isfinite(numbers).all():
        numbers, same = np.unique(numbers, return_inverse=True)  # "1" and "1.0"
        indices = same[indices]
        if len(numbers) <= MAX_VALUES:
            return tuple(f"{number:.6g}" for number in numbers), indices, ""
        edges = np.histogram_bin_edges(numbers, BINS)
        bins = np.digitize(numbers, edges[:-1]) - 1
        labels = tuple(f"{low:.3g} to {high:.3g}" for low, high in zip(edges, edges[1:], strict=False))
        return labels, bins[indices], f"{name} has {len(numbers):,} values and is divided into {BINS} equal bins."
    if len(found) > MAX_VALUES:
        raise UploadError(f"The factor {name} has {len(found):,} different texts; at most {MAX_VALUES} are possible.")
    return _labels(found), indices, ""


def _labels(values: np.ndarray) -> tuple[str, ...]:
    """Return names of values without markup. Values that differ keep different names."""
    labels: list[str] = []
    for text in values:
        plain, number = archives.label(text) or "unnamed", 1
        label = plain
        while label in labels:
            number += 1
            label = f"{plain} ({number})"
        labels.append(label)
    return tuple(labels)
