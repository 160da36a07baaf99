"""The idx files of MNIST: downloaded on demand, verified by the md5 of their content, read into arrays."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from .. import folders
from .base import SUBSETS, DatasetInfo, Split, check_split, hash_order, validation_size

GALLERIES = Path(__file__).parents[2] / "pretrained" / "galleries"

LABELLED = 3000  # training images that probes with few labels read
TRAIN, VALIDATION = SUBSETS
TRAIN_IMAGES, VALIDATION_IMAGES = 10_000, 1000
SHIPPED = ("test", "labelled", TRAIN, VALIDATION)

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


def raw_files(name: str) -> tuple[str, ...]:
    """Return the files of a data set's training images, relative to folders.data()."""
    return tuple(f"{name}/{file}" for file in FILES["train"])


def gallery_file(name: str, split: str) -> str:
    """Return the file in GALLERIES that holds a shipped split."""
    return f"{name}.npz" if split == "test" else f"{name}-{split}.npz"


def load(
    name: str, split: str, download: bool = True, *, mirrors: tuple[str, ...],
    content_md5: dict[str, str],
) -> Split:  # fmt: skip
    """Return one of SPLITS, "labelled": LABELLED images of "train", or the first images of "train" and "validation",
    TRAIN and VALIDATION.

    SHIPPED ship with the project, see gallery_file. The others are read from folders.data()/<name>, after a download
    where necessary. Raises OSError for missing or damaged files.
    """
    shipped = split in SHIPPED
    if not shipped:
        check_split(split)
    gallery = GALLERIES / gallery_file(name, split)
    if shipped and gallery.is_file():
        return _split(*read_gallery(gallery), split)
    if not download:
        raise OSError(f"{gallery.name} is missing" if shipped else f"the {split} split does not ship as a gallery")
    folder = folders.data() / name
    files = FILES["test" if split == "test" else "train"]
    images, labels = (parse(fetch(file, folder, mirrors, content_md5[file])) for file in files)
    whole = _split(images, labels, split)
    if split in ("test", "train+validation"):
        return whole
    order, size = hash_order(len(whole)), validation_size(len(whole))
    rows = {
        "validation": order[:size], "train": np.sort(order[size:]),
        "labelled": order[size : size + LABELLED], TRAIN: np.sort(order[size:])[:TRAIN_IMAGES],
        VALIDATION: order[:VALIDATION_IMAGES],
    }[split]  # fmt: skip
    return whole.take(rows, split)


def _split(images: np.ndarray, labels: np.ndarray, name: str) -> Split:
    images = images[:, None]  # (N, 28, 28) -> (N, 1, 28, 28)
    return Split(images.__getitem__, labels.astype(np.int64), name=name)


def check_gallery(info: DatasetInfo) -> None:
    """Raise OSError where the gallery that a data set's test images are read from is missing or cut short.

    Its images are not read: that takes a tenth of a second.
    """
    name = info.gallery_of or info.name
    if not info.gallery_of and "test" not in info.shipped:
        return  # rendered
    path = GALLERIES / gallery_file(name, "test")
    if not path.is_file():
        raise OSError(f"{path.name} is missing")
    if not zipfile.is_zipfile(path):
        raise OSError(f"{path.name} is damaged")


def gallery_length(info: DatasetInfo) -> int | None:
    """Return the number of test images in a data set's gallery, without reading them; None where they are rendered.

    Raises OSError where the gallery is missing or damaged.
    """
    check_gallery(info)
    name = info.gallery_of or info.name
    if not info.gallery_of and "test" not in info.shipped:
        return None
    with _opened(GALLERIES / gallery_file(name, "test")) as file:
        return len(file["labels"])


def read_gallery(gallery: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the images (N, H, W) uint8 and labels (N,) of a gallery. Raises OSError where it is damaged."""
    images, labels = read_arrays(gallery, "images", "labels")
    return images, labels


def read_arrays(gallery: Path, *names: str) -> tuple[np.ndarray, ...]:
    """Return these arrays of a gallery. Raises OSError where it is damaged or lacks one of them."""
    with _opened(gallery) as file:
        return tuple(file[name] for name in names)


@contextlib.contextmanager
def _opened(gallery: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """Open a gallery, whose arrays are read when they are asked for. Raises OSError where it is damaged."""
    try:
        with gallery.open("rb") as content, np.load(content, allow_pickle=False) as file:
            yield file
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise OSError(f"{gallery.name} is damaged") from error


def fetch(file: str, folder: Path, mirrors: tuple[str, ...], content_md5: str) -> bytes:
    """Return the uncompressed content of a gzipped file, from the folder or from the first mirror that works.

    The md5 is that of the content, so that a repacked copy of the same data is valid. Raises OSError when no
    mirror gives the right content.
    """
    import pooch  # here, because it takes a fifth of a second and a shipped gallery needs no download

    path = folder / file
    reasons = [f"{path}: no such file"]
    if path.exists():
        try:
            return _unpack(path, content_md5)
        except OSError as error:
            reasons = [str(error)]
    pooch.get_logger().setLevel("WARNING")  # otherwise each download prints advice on hashes
    for mirror in mirrors:
        temporary = None
        try:
            # a temporary name, so that a bad download never replaces a good file
            temporary = Path(pooch.retrieve(mirror + file, None, fname=file + ".part", path=folder))
            content = _unpack(temporary, content_md5)
            temporary.replace(path)
            return content
        except (OSError, ValueError) as error:
            reasons.append(f"{mirror}: {str(error)[:100]}")
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
    raise OSError(
        f"{file} could not be downloaded. Put it into {folder}, or set VAE_DATA to a folder that holds "
        f"{folder.name}/{file}. Tried: " + "; ".join(reasons)
    )


def _unpack(path: Path, content_md5: str) -> bytes:
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, zlib.error) as error:
        raise OSError(f"{path.name} is damaged: {error}") from error
    md5 = hashlib.md5(content).hexdigest()
    if md5 != content_md5:
        raise OSError(f"{path.name} has other content than expected (md5 {md5}, not {content_md5})")
    return content


def parse(content: bytes) -> np.ndarray:
    """Parse the bytes of an idx file into a uint8 array. Raises ValueError for anything but complete uint8 data."""
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("the content is not an idx file of unsigned bytes")
    ndim = content[3]
    if len(content) < 4 + 4 * ndim:
        raise ValueError("the idx file ends inside its header")
    shape = struct.unpack(f">{ndim}I", content[4 : 4 + 4 * ndim])
    body = np.frombuffer(content, np.uint8, offset=4 + 4 * ndim)
    if body.size != int(np.prod(shape, dtype=np.int64)):
        raise ValueError(f"the idx file has {body.size} bytes of data, but its header gives shape {shape}")
    return body.reshape(shape)
