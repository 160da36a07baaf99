"""Images, labels and factors as a notebook holds them: tensors, arrays, PIL images, lists.

Unambiguous input is converted, and a note says so; anything else raises ValueError with one sentence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from .base import MAX_FACTOR_VALUES, MAX_FACTORS, MAX_LABEL, DatasetInfo, Factors, Split

if TYPE_CHECKING:
    from torch import Tensor

EXPECTED = "(N, C, H, W) with 1 or 3 channels, in [0, 1], [-1, 1] or [0, 255]"
TOLERANCE = 1e-4  # by which rounded pixels may lie outside a range
MIN_BRIGHTEST = 128  # of images in [0, 255]: a set with a maximum of 2 has another range
MAX_SIDE = 512  # pixels
MAX_CLASSES = 1000
MAX_DISTINCT = 50  # values of a factor of floats; one with more is binned
BINS = 20
NO_CLASS = "all images"


class Images(NamedTuple):
    """Images as every model here sees them."""

    x: Tensor  # (N, C, H, W) float32 in [0, 1]
    signed: bool  # whether they were given in [-1, 1]
    notes: tuple[str, ...]  # one sentence for each conversion


def as_images(images: Any) -> Images:
    """Convert N images: a tensor or an array (N, C, H, W), (N, H, W, C) or (N, H, W), or a list of images or of PIL
    images of one size. Raises ValueError for ambiguous input."""
    notes: list[str] = []
    values = _stacked(images)
    if values.ndim == 3:
        values = values[:, None]
        notes.append("Images of shape (N, H, W) are used as one grey channel.")
    if values.ndim != 4 or not len(values):
        raise ValueError(f"images must have shape {EXPECTED}, not {tuple(values.shape)}")
    if values.shape[1] not in (1, 3) and values.shape[3] in (1, 3):
        values = values.transpose(0, 3, 1, 2)
        notes.append("Images of shape (N, H, W, C) are used as (N, C, H, W).")
    _, channels, height, width = values.shape
    if channels not in (1, 3):
        raise ValueError(f"images must have shape {EXPECTED}, not {tuple(values.shape)}")
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise ValueError(f"images may have up to {MAX_SIDE} x {MAX_SIDE} pixels, not {height} x {width}")
    import torch

    scaled, signed = _scaled(values, notes)
    return Images(torch.from_numpy(np.ascontiguousarray(scaled, np.float32)), signed, tuple(notes))


def _stacked(images: Any) -> np.ndarray:
    """Return images as one array of numbers."""
    if isinstance(images, Image.Image):
        images = [images]
    if hasattr(images, "detach"):  # a tensor, on any device
        images = images.detach().cpu()
        images = images.float() if str(images.dtype) == "torch.bfloat16" else images
        return _numbers(images.numpy())
    if isinstance(images, np.ndarray):
        return _numbers(images)
    if not isinstance(images, Sequence) or isinstance(images, (str, bytes)) or not len(images):
        raise ValueError(
            f"images must be a tensor, an array or a list of images, not {type(images).__name__}; "
            "of a torch Dataset, pass torch.stack([x for x, _ in data])"
        )
    if all(isinstance(image, Image.Image) for image in images):
        mode = "L" if all(image.mode in ("1", "L") for image in images) else "RGB"
        parts = [np.asarray(image.convert(mode)) for image in images]
    else:
        if any(isinstance(image, (tuple, dict)) for image in images):
            raise ValueError("images must be a list without labels: pass [x for x, _ in data]")
        try:
            parts = [_stacked(image) if hasattr(image, "detach") else np.asarray(image) for image in images]
        except ValueError as error:  # rows of different lengths
            raise ValueError("images must all have the same shape, with rows of one length") from error
    shapes = sorted({part.shape for part in parts})
    if len(shapes) > 1:
        raise ValueError(f"images must all have the same shape, not {shapes[0]} and {shapes[1]}")
    return _numbers(np.stack(parts))


def _numbers(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "biuf":
        raise ValueError(f"images must hold numbers, not {values.dtype}")
    return values


def _scaled(values: np.ndarray, notes: list[str]) -> tuple[np.ndarray, bool]:
    """Return values in [0, 1], and whether they were given in [-1, 1]."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("images must hold finite numbers, but some are NaN or infinite")
    if values.dtype.kind in "iu" and 0 <= low and 1 < high <= 255:
        notes.append(f"Images of type {values.dtype} are divided by 255.")
        return values / np.float32(255), False
    if values.dtype == np.float64:
        notes.append("Images of type float64 are converted to float32.")
    if -TOLERANCE <= low and high <= 1 + TOLERANCE:
        return values.astype(np.float32).clip(0, 1), False
    if -1 - TOLERANCE <= low and high <= 1 + TOLERANCE:
        notes.append("Images in [-1, 1] are shown in [0, 1]. The model gets and returns [-1, 1].")
        return ((values.astype(np.float32) + 1) / 2).clip(0, 1), True
    if 0 <= low and MIN_BRIGHTEST <= high <= 255:
        notes.append("Images in [0, 255] are divided by 255.")
        return values.astype(np.float32) / 255, False
    raise ValueError(
        f"images must lie in [0, 1], [-1, 1] or [0, 255], not from {low:g} to {high:g}: normalise them in the encoder"
    )


def dataset(
    images: Images, labels: Any = None, factors: Any = None, at_most: int | None = None
) -> tuple[DatasetInfo, list[str]]:
    """Return images with labels and known factors as a data set with one split, "test", and notes on conversions.

    labels: N classes, integers or text. factors: {name: N values}, a data frame, or an array (N, K). at_most: only the
    first so many images. Raises ValueError where labels or factors do not fit the images.
    """
    n, *shape = images.x.shape
    classes, indices = _classes(labels, n)
    table, values, notes = _factors(factors, n)
    pixels, indices = (images.x[:at_most] * 255).round().byte().numpy(), indices[:at_most]
    values = None if values is None else values[:at_most]
    split = Split(pixels.__getitem__, indices, values, name="test")
    digest = hashlib.sha256(pixels.tobytes() + indices.tobytes())
    digest.update(b"" if values is None else values.tobytes())
    info = DatasetInfo(
        name=f"images-{digest.hexdigest()[:10]}", title="Your images", classes=classes,
        image_shape=(shape[0], shape[1], shape[2]), licence="yours", source="given to vae.explore",
        load=partial(_load, split), binary=bool(np.isin(pixels, (0, 255)).all()), factor_table=table,
    )  # fmt: skip
    return info, notes


def _load(split: Split, name: str, download: bool = True) -> Split:
    if name != "test":
        raise OSError(f"these images have no {name} split")
    return split


def _classes(labels: Any, n: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names of the classes, and their indices (N,) int64."""
    if labels is None:
        return (NO_CLASS,), np.zeros(n, np.int64)
    values = _column(labels, n, "labels")
    names, indices = np.unique(values, return_inverse=True)
    if len(names) > MAX_CLASSES:
        raise ValueError(f"labels may have {MAX_CLASSES:,} classes, not {len(names):,}")
    return tuple(map(_text, names)), indices.astype(np.int64)


def _factors(factors: Any, n: int) -> tuple[Factors | None, np.ndarray | None, list[str]]:
    """Return the known factors, their values (N, K) as indices, and notes."""
    if factors is None:
        return None, None, []
    columns = _columns(factors, n)
    if not 0 < len(columns) <= MAX_FACTORS:
        raise ValueError(f"there may be 1 to {MAX_FACTORS} factors, not {len(columns)}")
    names, values, notes = [], [], []
    for name, column in columns.items():
        if column.dtype.kind == "f" and len(np.unique(column)) > MAX_DISTINCT:
            edges = np.linspace(column.min(), column.max(), BINS + 1)
            column = ((edges[:-1] + edges[1:]) / 2)[np.digitize(column, edges[1:-1])]
            notes.append(f"The factor {name} has many values, so it is divided into {BINS} bins of equal width.")
        found, indices = np.unique(column, return_inverse=True)
        if len(found) > MAX_FACTOR_VALUES:
            raise ValueError(f"the factor {name!r} may have {MAX_FACTOR_VALUES:,} values, not {len(found):,}")
        names.append(tuple(map(_text, found)))
        values.append(indices)
    return Factors(tuple(columns), tuple(names)), np.stack(values, 1).astype(np.int64), notes


def _columns(factors: Any, n: int) -> dict[str, np.ndarray]:
    if hasattr(factors, "columns"):  # a data frame
        factors = {name: factors[name] for name in factors.columns}
    if not isinstance(factors, Mapping):
        array = _stacked(factors) if hasattr(factors, "detach") else np.asarray(factors)
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2:
            raise ValueError(f"factors must have shape (N, K), not {array.shape}")
        factors = {f"factor {k + 1}": array[:, k] for k in range(array.shape[1])}
    return {_text(name): _column(values, n, f"the factor {name}") for name, values in factors.items()}


def _column(values: Any, n: int, what: str) -> np.ndarray:
    """Return N numbers or texts. Raises ValueError for another number of them."""
    array = _stacked(values) if hasattr(values, "detach") else np.asarray(values)
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.flat):  # text of pandas
        array = array.astype(str)
    if array.shape != (n,):
        raise ValueError(f"{what} must have {n:,} values, one for each image, not shape {array.shape}")
    if array.dtype.kind not in "biufUS" or array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{what} must hold numbers or text, without NaN")
    return array


def _text(value: object) -> str:
    """Return a value as a label."""
    if isinstance(value, np.floating):
        return f"{value:.4g}"
    return str(value)[:MAX_LABEL] or "(empty)"
