"""Own images in a folder: written once, checked and read in parts.

data.json     what the data set is, its title, shape, classes and factors
images.npy    (N, C, H, W) uint8, which is never read as a whole
labels.npy    (N,) indices of classes
splits.npy    (N,) see splits.split_by_content
factors.npy   (N, K) indices of values, only with known factors
"""

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from ... import jobs
from .. import archives
from ..base import (
    MAX_LABEL,
    DatasetInfo,
    FactorGrid,
    Factors,
    Split,
    are_labels,
    check_split,
    hash_order,
    parse_factors,
    render_rows,
)
from .checking import Check
from .checking import check as check_again
from .factors import FactorTable
from .prepared import Prepared, mapped
from .sources import MAX_CLASSES, Source
from .splits import TEST, TRAIN, VALIDATION, split_by_content

FORMAT = 1
NAME = re.compile("[a-z0-9-]{1,60}")  # of a folder; cards name their data alike
MAX_JSON = 2**20  # bytes
MAX_SIDE = 128  # pixels
ONE_CLASS = "all images"
MAX_CLASS_VALUES = 20  # of a factor whose values serve as classes where there are no folders
SPLIT_OF = {"train": (TRAIN,), "validation": (VALIDATION,), "test": (TEST,), "train+validation": (TRAIN, VALIDATION)}


def build(
    source: Source, check: Check, folder: Path, title: str, size: int, progress: jobs.Report | None = None
) -> DatasetInfo:
    """Write the images of a checked source into a new folder, whose name becomes the data set's, and return it.

    The folder appears whole or not at all. Raises ValueError where the check refuses the source, or the folder
    exists, and OSError where it cannot be written.
    """
    if check.refusal:
        raise ValueError(archives.unescaped(check.refusal))
    if folder.exists():
        raise ValueError(f"{folder} exists already; choose another name or remove it first")
    if check.size != size or check.prepared is None or not check.prepared.path.exists():
        check = check_again(source, size, progress, colour=check.colour)
        return build(source, check, folder, title, size, progress)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(temporary, source, check, check.prepared, archives.label(title) or folder.name)
        jobs.part(progress)("storing images", 1.0)
        temporary.chmod(0o755)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return read(folder)


def _write(folder: Path, source: Source, check: Check, prepared: Prepared, title: str) -> None:
    images = prepared.images()
    table = None if source.table is None else source.table.take(prepared.rows)
    classes, labels = _classes(source, prepared.rows, table)
    content: dict[str, Any] = {
        "format": FORMAT, "title": title, "image_shape": images.shape[1:], "images": len(images),
        "classes": classes, "licence": source.licence,
    }  # fmt: skip
    np.save(folder / "labels.npy", labels.astype(np.int32))
    np.save(folder / "splits.npy", split_by_content(prepared.digests))
    if table is not None:
        content["factors"] = {"names": table.factors.names, "values": table.factors.values}
        np.save(folder / "factors.npy", table.rows.astype(np.int32))
    del images
    shutil.move(prepared.path, folder / "images.npy")
    (folder / "images.npy").chmod(0o644)
    (folder / "data.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _classes(source: Source, rows: np.ndarray, table: FactorTable | None) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the classes and the class of each image: the folders, else the values of the first factor that has few,
    else a single one."""
    if source.labels is not None:
        used, labels = np.unique(source.labels[rows], return_inverse=True)
        return tuple(source.classes[k] for k in used), labels
    for k, values in enumerate(table.factors.values if table else ()):
        if 1 < len(values) <= MAX_CLASS_VALUES and table:
            return values, table.rows[:, k]
    return (ONE_CLASS,), np.zeros(len(rows), np.int32)


# ---- reading


def read(folder: Path) -> DatasetInfo:
    """Read the description of a data set in a folder, whose files are checked first.

    Raises ValueError, with one sentence, where a file is missing, damaged or does not fit the others.
    """
    try:
        return _read(folder)
    except (OSError, EOFError, RecursionError) as error:
        raise ValueError(f"the data set in {folder} cannot be read ({error})") from error


def _read(folder: Path) -> DatasetInfo:
    if not NAME.fullmatch(folder.name):
        raise ValueError(f"a data set's folder is named with a-z, 0-9 and hyphens only, not {folder.name[:60]!r}")
    content = _description(folder)
    n, shape, classes = content["images"], tuple(content["image_shape"]), tuple(content["classes"])
    images = StoredImages(folder / "images.npy", (n, *shape))
    images.check()
    labels = _indices(folder / "labels.npy", (n,), np.array(len(classes)))
    splits = _indices(folder / "splits.npy", (n,), np.array(3))
    if len(np.unique(splits)) < 3:
        raise ValueError(f"the data set in {folder} lacks a split")
    factors, rows, grid = None, None, None
    if "factors" in content:
        factors = parse_factors(content["factors"])
        rows = _indices(folder / "factors.npy", (n, len(factors.names)), np.array(factors.sizes))
        grid = _grid(factors, rows, images)
    return DatasetInfo(
        name=folder.name, title=content["title"], image_shape=shape, classes=classes, licence=content["licence"],
        source=content["title"], load=partial(_load, images, labels, splits, rows, grid),
        grid=grid, factor_table=factors, folder=folder,
    )  # fmt: skip


def _description(folder: Path) -> dict[str, Any]:
    """Read data.json and check its fields. Raises ValueError."""
    path = folder / "data.json"
    if path.stat().st_size > MAX_JSON:
        raise ValueError(f"{path} is larger than {MAX_JSON // 2**20} MB")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path} does not have format {FORMAT}")
    texts = [content.get("title"), content.get("licence")]
    if not all(isinstance(text, str) and 0 < len(text) <= MAX_LABEL for text in texts):
        raise ValueError(f"{path} lacks a title or a licence")
    if not are_labels(content.get("classes"), MAX_CLASSES):
        raise ValueError(f"{path} does not give 1 to {MAX_CLASSES} different classes")
    n = content.get("images")
    if not _is_shape(content.get("image_shape")):
        raise ValueError(f"{path} does not give the shape of its images: 1 or 3 channels, at most {MAX_SIDE} pixels")
    if type(n) is not int or n < 1:
        raise ValueError(f"{path} does not give the number of its images")
    return content


def _is_shape(values: object) -> bool:
    if not isinstance(values, list) or len(values) != 3 or not all(type(value) is int for value in values):
        return False
    return values[0] in (1, 3) and all(0 < side <= MAX_SIDE for side in values[1:])


def _indices(path: Path, shape: tuple[int, ...], sizes: np.ndarray) -> np.ndarray:
    """Read an array of indices below `sizes`, which may differ by column. Raises ValueError for any other array."""
    array = mapped(path)
    if array.shape != shape or array.dtype not in (np.uint8, np.int32):
        raise ValueError(f"{path} does not hold {shape} indices")
    found = np.array(array)
    if (found < 0).any() or (found >= sizes).any():
        raise ValueError(f"{path} holds an index that is out of range")
    return found


@dataclass(frozen=True)
class StoredImages:
    """Images (N, C, H, W) uint8 in an .npy file, read by their rows. It is pickled as a path."""

    path: Path
    shape: tuple[int, ...]

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return self._images[rows]

    def __reduce__(self) -> tuple:
        return StoredImages, (self.path, self.shape)

    @cached_property
    def _images(self) -> np.ndarray:
        return mapped(self.path)

    def check(self) -> None:
        """Raise ValueError where the file does not hold images of this shape."""
        images = mapped(self.path)  # a data set that is only listed keeps no file open
        if images.shape != self.shape or images.dtype != np.uint8 or not images.flags.c_contiguous:
            raise ValueError(f"{self.path} does not hold {self.shape[0]:,} images {self.shape[1:]} of unsigned bytes")


@dataclass(frozen=True)
class GridImages:
    """The images of a full grid, by their factor values (B, K)."""

    images: StoredImages
    sizes: tuple[int, ...]
    rows: np.ndarray  # (number of combinations,) of images, by image number

    def __call__(self, factors: np.ndarray) -> np.ndarray:
        return self.images(self.rows[np.ravel_multi_index(np.asarray(factors).T, self.sizes)])


def _grid(factors: Factors, rows: np.ndarray, images: StoredImages) -> FactorGrid | None:
    """Return the grid of factors (N, K), or None unless each combination has exactly one image."""
    if math.prod(factors.sizes) != len(rows):
        return None
    numbers = np.ravel_multi_index(rows.T, factors.sizes)
    row_of = np.full(len(rows), -1)
    row_of[numbers] = np.arange(len(rows))
    if (row_of < 0).any():
        return None
    return FactorGrid(factors.names, factors.values, GridImages(images, factors.sizes, row_of))


def _load(
    images: StoredImages, labels: np.ndarray, splits: np.ndarray, factors: np.ndarray | None, grid: FactorGrid | None,
    split: str, download: bool = True,
) -> Split:  # fmt: skip
    """Return one of SPLITS, its images in a fixed random order, so that the first n are a random sample."""
    check_split(split)
    rows = np.flatnonzero(np.isin(splits, SPLIT_OF[split]))
    rows = rows[hash_order(len(rows))]
    return Split(
        partial(render_rows, images, rows), labels[rows].astype(np.int64),
        None if factors is None else factors[rows].astype(np.int64), grid, split,
    )  # fmt: skip
