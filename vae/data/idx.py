"""MNIST's idx files: fetched on request, checked by the md5 of their content, read into arrays."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pooch

from .base import Split, check_split, hash_order, validation_size

GALLERIES = Path(__file__).parents[2] / "pretrained" / "galleries"

LABELLED = 3000  # training images that come with the project, so that probes with few labels need no download

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


def raw_files(name: str) -> tuple[str, ...]:
    """Return the files of data_folder() that a data set's training images are read from."""
    return tuple(f"{name}/{file}" for file in FILES["train"])


def gallery_file(name: str, split: str) -> str:
    """Return the file in GALLERIES that holds a shipped split."""
    return f"{name}.npz" if split == "test" else f"{name}-{split}.npz"


def data_folder() -> Path:
    """Where downloads live: the folder VAE_DATA names, else the user's cache."""
    return Path(os.environ.get("VAE_DATA") or pooch.os_cache("latent-space-explorer"))


def load(
    name: str, split: str, download: bool = True, *, mirrors: tuple[str, ...],
    content_md5: dict[str, str],
) -> Split:  # fmt: skip
    """Return one of SPLITS, or "labelled": LABELLED images of "train".

    "test" and "labelled" come with the project, as pretrained/galleries/<name>.npz and
    <name>-labelled.npz; the others are taken from data_folder()/<name>, or downloaded there first.
    Raises OSError for files that are missing or damaged.
    """
    if split != "labelled":
        check_split(split)
    shipped = split in ("test", "labelled")
    gallery = GALLERIES / gallery_file(name, split)
    if shipped and gallery.is_file():
        return _split(*read_gallery(gallery), split)
    if not download:
        raise OSError(f"{gallery.name} is missing" if shipped else f"the {split} split is no gallery")
    folder = data_folder() / name
    files = FILES["test" if split == "test" else "train"]
    whole = _split(*(parse(fetch(file, folder, mirrors, content_md5[file])) for file in files), split)
    if split in ("test", "train+validation"):
        return whole
    order, size = hash_order(len(whole)), validation_size(len(whole))
    rows = {
        "validation": order[:size], "train": np.sort(order[size:]),
        "labelled": order[size : size + LABELLED],
    }[split]  # fmt: skip
    return whole.take(rows, split)


def _split(images: np.ndarray, labels: np.ndarray, name: str) -> Split:
    images = images[:, None]  # (N, 28, 28) -> (N, 1, 28, 28)
    return Split(images.__getitem__, labels.astype(np.int64), name=name)


def read_gallery(gallery: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the images (N, H, W) uint8 and labels (N,) of a gallery. Raises OSError where it is damaged."""
    try:
        with np.load(gallery, allow_pickle=False) as file:
            return file["images"], file["labels"]
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise OSError(f"{gallery.name} is damaged") from error


def fetch(file: str, folder: Path, mirrors: tuple[str, ...], content_md5: str) -> bytes:
    """The uncompressed content of a gzipped file, from the folder or from the first good mirror.

    What is checked is the md5 of the content, so that a repacked copy of the same data is as
    good as the original. Raises OSError when no mirror gives the right content.
    """
    path = folder / file
    reasons = [f"{path}: no such file"]
    if path.exists():
        try:
            return _unpack(path, content_md5)
        except OSError as error:
            reasons = [str(error)]
    pooch.get_logger().setLevel("WARNING")  # else each download prints advice on hashes
    for mirror in mirrors:
        fresh = None
        try:
            # a name of its own, so that a bad download never stands in a good file's place
            fresh = Path(pooch.retrieve(mirror + file, None, fname=file + ".part", path=folder))
            content = _unpack(fresh, content_md5)
            fresh.replace(path)
            return content
        except (OSError, ValueError) as error:
            reasons.append(f"{mirror}: {str(error)[:100]}")
        finally:
            if fresh is not None:
                fresh.unlink(missing_ok=True)
    raise OSError(
        f"could not get {file}. Put it into {folder}, or point VAE_DATA to a folder that holds "
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
    """idx bytes -> uint8 array. Raises ValueError for anything but whole unsigned-byte data."""
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("not an idx file of unsigned bytes")
    ndim = content[3]
    if len(content) < 4 + 4 * ndim:
        raise ValueError("an idx file that ends inside its header")
    shape = struct.unpack(f">{ndim}I", content[4 : 4 + 4 * ndim])
    body = np.frombuffer(content, np.uint8, offset=4 + 4 * ndim)
    if body.size != int(np.prod(shape, dtype=np.int64)):
        raise ValueError(f"an idx file of {body.size} bytes that promises shape {shape}")
    return body.reshape(shape)
