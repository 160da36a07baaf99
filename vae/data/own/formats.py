"""Files of well-known data sets, read as they are where the user has them.

Nothing is unpickled: of CIFAR-10's batches for Python only the opcodes are read, and nothing that they name is built.
Images are read in parts, so that a data set need not fit into memory.
"""

from __future__ import annotations

import gzip
import importlib.util
import math
import pickletools
import re
import struct
import tarfile
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from ..archives import path_of
from ..base import Factors
from ..formats import SUFFIXES
from ..images import UploadError
from .factors import FactorTable
from .files import Files, read
from .sources import NOT_STATED, Pixels, Source, decoded

MAX_SIDE = 1024  # pixels of an image in an array
MAX_IMAGES = 1_000_000
MAX_BATCH = 64 * 2**20  # bytes of a file that is read whole
MAX_TAR = 512 * 2**20  # bytes of an unpacked tar archive
TAR_BOMB = f"This archive unpacks to more than {MAX_TAR // 2**20} MB; it is not that of CIFAR-10."
CHUNK = 512  # images that are read at once
ERRORS = (
    OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, struct.error, zlib.error,
    zipfile.BadZipFile, tarfile.TarError, SyntaxError, tokenize.TokenError,  # the last two of numpy's headers
)  # fmt: skip

Found = dict[str, int]  # {name of a file, in lower case: its number}, by name


class Format(NamedTuple):
    """A data set that is recognised by the names of its files."""

    title: str
    pattern: str
    open: Callable[[Files, Found], Source]


def recognise(files: Files) -> Source | None:
    """Return the source of a known format; None where the files have none.

    Raises UploadError for files that have the names of one and cannot be read.
    """
    images = tuple(f".{suffix}" for suffix in SUFFIXES)
    paths = ((i, files.path(i)[-1].lower()) for i in range(len(files)))
    others = {name: i for i, name in paths if not name.endswith(images)}
    for known in FORMATS:
        found = {name: others[name] for name in sorted(others) if re.fullmatch(known.pattern, name)}
        if found:
            try:
                return known.open(files, found)
            except ERRORS as error:
                if isinstance(error, UploadError):
                    raise
                raise UploadError(f"This is not a file of {known.title}, or it is damaged.") from error
    return None


def _source(title: str, n: int, arrays: Callable[[], Iterator[np.ndarray]], licence: str = NOT_STATED) -> Source:
    """Return a source of n images. arrays: yields them in parts (B, H, W) or (B, H, W, 3) uint8."""
    return Source(
        title, n, lambda i: f"image {i + 1:,}", lambda: _one_by_one(arrays, n), licence=licence,
        notes=(f"The images are read as {title}.",),
    )  # fmt: skip


def _one_by_one(arrays: Callable[[], Iterator[np.ndarray]], n: int) -> Iterator[Pixels | UploadError]:
    done = 0
    try:
        for part in arrays():
            for pixels in part:
                done += 1
                yield pixels
    except ERRORS as error:
        problem = UploadError(f"This image cannot be read ({error}).")
        yield from (problem for _ in range(n - done))


def _parts(file: BinaryIO, n: int, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield n arrays of a shape, CHUNK at a time, from a file of their bytes. Raises EOFError after the last whole one
    where it ends early."""
    size = math.prod(shape)
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        content = file.read(count * size)
        whole = len(content) // size
        yield np.frombuffer(content, np.uint8, whole * size).reshape(whole, *shape)
        if whole < count:
            raise EOFError("the file ends early")


# ---- dSprites: 737,280 images 64x64, black and white (Matthey et al. 2017)

DSPRITES_FACTORS = ("color", "shape", "scale", "orientation", "x", "y")
DSPRITES_SHAPES = ("square", "ellipse", "heart")


def _dsprites(files: Files, found: Found) -> Source:
    (i,) = found.values()
    with files.open(i) as file, zipfile.ZipFile(file) as archive:
        with archive.open("imgs.npy") as member:
            shape, dtype = _npy_header(cast(BinaryIO, member))
        with archive.open("latents_classes.npy") as member:
            classes_shape, classes_dtype = _npy_header(cast(BinaryIO, member))
            n, k = classes_shape
            if shape != (n, 64, 64) or dtype != np.uint8 or k != len(DSPRITES_FACTORS) or n > MAX_IMAGES:
                raise ValueError("other arrays")
            content = member.read(n * k * classes_dtype.itemsize)
        classes = np.frombuffer(content, classes_dtype).reshape(n, k)

    def arrays() -> Iterator[np.ndarray]:
        with files.open(i) as file, zipfile.ZipFile(file) as archive, archive.open("imgs.npy") as member:
            _npy_header(cast(BinaryIO, member))
            for part in _parts(cast(BinaryIO, member), n, (64, 64)):
                yield np.where(part > 0, np.uint8(255), np.uint8(0))

    source = _source("dSprites", n, arrays, "Apache 2.0")
    return _with_factors(source, DSPRITES_FACTORS, classes, {"shape": DSPRITES_SHAPES})


def _npy_header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    """Return (shape, type) of an .npy file, which is read up to its data. Raises ValueError for Python objects."""
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = readers[version](file)
    if fortran or dtype.kind not in "iu":
        raise ValueError("not an array of whole numbers")
    return shape, dtype


def _with_factors(
    source: Source, names: tuple[str, ...], columns: np.ndarray, values: Mapping[str, tuple[str, ...]]
) -> Source:
    """Return a source with known factors (N, K), any numbers. values: names of the values of some factors."""
    kept, labels, rows = [], [], []
    for name, column in zip(names, columns.T, strict=True):
        found, indices = np.unique(column, return_inverse=True)
        if len(found) > 1:  # a constant one says nothing
            kept.append(name)
            given = values.get(name, ())
            labels.append(given if len(given) == len(found) else tuple(f"{value:.4g}" for value in found))
            rows.append(indices.astype(np.int32))
    table = FactorTable(Factors(tuple(kept), tuple(labels)), np.stack(rows, 1))
    return replace(source, table=table)


# ---- 3D Shapes: 480,000 images 64x64 in colour (Burgess & Kim 2018)

SHAPES3D_FACTORS = ("floor hue", "wall hue", "object hue", "scale", "shape", "orientation")


def _shapes3d(files: Files, found: Found) -> Source:
    if importlib.util.find_spec("h5py") is None:
        raise UploadError("Files of 3D Shapes need the package h5py: run `pip install h5py`.")
    import h5py

    (i,) = found.values()
    with files.open(i) as file, h5py.File(file, "r") as content:
        n, *shape = content["images"].shape
        labels = content["labels"]
        fits = shape == [64, 64, 3] and content["images"].dtype == np.uint8 and 0 < n <= MAX_IMAGES
        if not fits or labels.shape != (n, len(SHAPES3D_FACTORS)) or labels.dtype != np.float64:
            raise ValueError("other arrays")
        columns = np.array(labels)

    def arrays() -> Iterator[np.ndarray]:
        with files.open(i) as file, h5py.File(file, "r") as content:
            for first in range(0, n, CHUNK):
                yield content["images"][first : first + CHUNK]

    return _with_factors(_source("3D Shapes", n, arrays, "Apache 2.0"), SHAPES3D_FACTORS, columns, {})


# ---- idx files, as MNIST, Fashion-MNIST, EMNIST and KMNIST have them


def _idx(files: Files, found: Found) -> Source:
    images = {name: i for name, i in found.items() if "idx3" in name}
    if not images:
        raise UploadError("There are idx files of labels, but none of images (images-idx3-ubyte).")
    shapes = {i: _idx_shape(files, i, 3) for i in images.values()}
    if len({shape[1:] for shape in shapes.values()}) > 1:
        raise UploadError("The idx files hold images of different sizes.")
    counts = [_idx_labels(files, found, name, shapes[i][0]) for name, i in images.items()]

    def arrays() -> Iterator[np.ndarray]:
        for i, (n, *shape) in shapes.items():
            with _unzipped(files, i) as file:
                file.read(4 + 4 * 3)
                yield from _parts(file, n, tuple(shape))

    source = _source("MNIST's idx files", sum(shape[0] for shape in shapes.values()), arrays)
    if any(labels is None for labels in counts):
        return source
    labels = np.concatenate([part for part in counts if part is not None])
    used, indices = np.unique(labels, return_inverse=True)
    return replace(source, classes=tuple(map(str, used)), labels=indices.astype(np.int32))


def _idx_labels(files: Files, found: Found, name: str, n: int) -> np.ndarray | None:
    """Return the labels (n,) of a file of images; None where there is no file of labels beside it."""
    i = found.get(name.replace("images", "labels").replace("idx3", "idx1"))
    if i is None:
        return None
    if _idx_shape(files, i, 1) != (n,):
        raise UploadError("The idx files of images and of labels have different lengths.")
    with _unzipped(files, i) as file:
        file.read(4 + 4)
        content = file.read(n)
    if len(content) < n:
        raise EOFError("the file of labels ends early")
    return np.frombuffer(content, np.uint8)


def _idx_shape(files: Files, i: int, dimensions: int) -> tuple[int, ...]:
    """Return the shape of an idx file of unsigned bytes. Raises ValueError for another file or too large a shape."""
    with _unzipped(files, i) as file:
        header = file.read(4 + 4 * dimensions)
    if header[:4] != bytes([0, 0, 8, dimensions]):
        raise ValueError("not an idx file of unsigned bytes")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    if not 0 < shape[0] <= MAX_IMAGES or not all(0 < side <= MAX_SIDE for side in shape[1:]):
        raise ValueError("a shape beyond reason")
    return shape


def _unzipped(files: Files, i: int) -> BinaryIO:
    return cast(BinaryIO, gzip.open(files.open(i))) if files.path(i)[-1].lower().endswith(".gz") else files.open(i)


# ---- CIFAR-10: 60,000 images 32x32 in colour (Krizhevsky 2009)

CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR_BYTES = 3 * 32 * 32
TEXTS = {"SHORT_BINSTRING", "BINSTRING", "BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"}
NUMBERS = {"BININT1", "BININT2", "BININT"}


def _cifar(files: Files, found: Found) -> Source:
    batches = list(found.values())
    labels = [_cifar_batch(files, i)[1] for i in batches]

    def arrays() -> Iterator[np.ndarray]:
        for i in batches:
            yield _cifar_batch(files, i)[0].transpose(0, 2, 3, 1)

    source = _source("CIFAR-10", sum(map(len, labels)), arrays)
    return replace(source, classes=CIFAR_CLASSES, labels=np.concatenate(labels).astype(np.int32))


def _cifar_batch(files: Files, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the images (N, 3, 32, 32) uint8 and labels (N,) of a batch, of either version."""
    content = read(files, i, MAX_BATCH)
    if files.path(i)[-1].lower().endswith(".bin"):
        rows = np.frombuffer(content, np.uint8).reshape(-1, 1 + CIFAR_BYTES)
        pixels, labels = rows[:, 1:], rows[:, 0]
    else:
        pixels, labels = _cifar_opcodes(content)
    if not len(pixels) or len(pixels) != len(labels) or labels.max() >= len(CIFAR_CLASSES):
        raise ValueError("images and labels do not fit each other")
    return pixels.reshape(-1, 3, 32, 32), labels


def _cifar_opcodes(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels (N, 3072) and labels (N,) of a batch for Python: the one long text among its opcodes, and the
    numbers after the text "labels". Nothing is executed or built."""
    pixels, key = b"", ""
    labels: list[int] = []
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in TEXTS and isinstance(argument, (str, bytes)):
            text = argument if isinstance(argument, str) else argument.decode("latin-1")
            if len(text) >= CIFAR_BYTES:
                pixels = text.encode("latin-1")
            else:
                key = text
        elif opcode.name in NUMBERS and key == "labels" and isinstance(argument, int):
            labels.append(argument)
    return np.frombuffer(pixels, np.uint8).reshape(-1, CIFAR_BYTES), np.array(labels, np.uint8)


class _Unpacked:
    """A file packed by gzip. At most MAX_TAR of its bytes are read, and MAX_BATCH at once, whatever a tar's headers
    say: tarfile reads an extended header whole, and unpacks what it passes over."""

    def __init__(self, file: BinaryIO):
        self._file = gzip.open(file)

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int) -> bytes:
        if not 0 <= size <= MAX_BATCH or self.tell() + size > MAX_TAR:
            raise UploadError(TAR_BOMB)
        return self._file.read(size)

    def seek(self, position: int) -> int:
        if position > MAX_TAR:
            raise UploadError(TAR_BOMB)
        return self._file.seek(position)


class TarFiles:
    """The files of a tar archive packed by gzip."""

    def __init__(self, file: BinaryIO):
        self._archive = tarfile.TarFile(fileobj=cast(BinaryIO, _Unpacked(file)))
        self._members = [member for member in self._archive if member.isfile()]

    def __len__(self) -> int:
        return len(self._members)

    def path(self, i: int) -> Sequence[str]:
        return path_of(self._members[i].name) or ["unnamed"]

    def open(self, i: int) -> BinaryIO:
        return cast(BinaryIO, self._archive.extractfile(self._members[i]))


def _cifar_archive(files: Files, found: Found) -> Source:
    (i,) = found.values()
    source = recognise(TarFiles(files.open(i)))
    if source is None:
        raise ValueError("no batches")
    return source


# ---- CelebA: 202,599 photos of faces with 40 attributes (Liu et al. 2015)

CELEBA_CLASS = "Smiling"


def _celeba(files: Files, found: Found) -> Source:
    (table,) = found.values()
    lines = read(files, table, MAX_BATCH).decode("ascii").replace(",", " ").splitlines()
    start = next((number for number, line in enumerate(lines) if CELEBA_CLASS in line.split()), None)
    if start is None:
        raise ValueError("no line names the attributes")
    names = tuple(name.replace("_", " ") for name in lines[start].split() if name != "image_id")
    rows = {line.split(maxsplit=1)[0].lower(): line for line in lines[start + 1 :] if line}
    images = np.array([i for i in range(len(files)) if files.path(i)[-1].lower() in rows])
    if not len(images):
        raise UploadError("The list of CelebA's attributes is here, but none of its images.")
    values = np.array([rows[files.path(int(i))[-1].lower()].split()[1:] for i in images]).astype(int)
    if values.shape != (len(images), len(names)):
        raise ValueError("other columns")
    source = Source(
        "CelebA", len(images), lambda i: files.path(int(images[i]))[-1], lambda: decoded(files, images),
        licence="CelebA: non-commercial research only", notes=("The images are read as CelebA.",),
    )  # fmt: skip
    known = _with_factors(source, names, values, dict.fromkeys(names, ("no", "yes")))
    smiling = values[:, names.index(CELEBA_CLASS)] > 0
    return replace(known, classes=("not smiling", "smiling"), labels=smiling.astype(np.int32))


FORMATS = (
    Format("dSprites", r".*\.npz", _dsprites),
    Format("3D Shapes", r".*\.(h5|hdf5)", _shapes3d),
    Format("MNIST", r".*(images|labels)[.-]idx[13]-ubyte(\.gz)?", _idx),
    Format("CIFAR-10", r"(data_batch_\d|test_batch)(\.bin)?", _cifar),
    Format("CIFAR-10", r"cifar-10-(python|binary)\.tar\.gz", _cifar_archive),
    Format("CelebA", r"list_attr_celeba\.(txt|csv)", _celeba),
)
