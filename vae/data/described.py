"""A data set that only a card describes: a model of the user's own, with a gallery of its images beside it."""

from __future__ import annotations

from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import idx
from .base import DatasetInfo, Factors, Split, parse_factors
from .preparing import parse_preparation

# the fields of DatasetInfo that a card may set, and their types
FIELDS: dict[str, type] = {
    "title": str, "classes": tuple, "licence": str, "source": str, "noun": str, "preparation": dict,
    "binary": bool, "start": int, "factors": dict,
}  # fmt: skip


def described(
    name: str, image_shape: tuple[int, int, int], description: dict[str, Any], galleries: list[Path]
) -> DatasetInfo:
    """Return a data set as a card describes it.

    description: FIELDS, of which "title" and "classes" are required. galleries: folders that may hold <name>.npz, its
    test images: "images" (N, H, W), or (N, C, H, W) in colour, uint8, "labels" (N,), indices into the classes, and
    where the description has "factors", an array of this name (N, K), indices of their values.
    Raises ValueError, with one sentence, for a description that is incomplete or has a wrong type.
    """
    values: dict[str, Any] = {"licence": "", "source": "", **_renewed(description)}
    if isinstance(values.get("classes"), list):
        values["classes"] = tuple(values["classes"])
    for key, value in values.items():
        if key not in FIELDS:
            raise ValueError(f"its card describes its data set with an unknown field {key[:60]!r}")
        if not isinstance(value, FIELDS[key]) or isinstance(value, bool) != (FIELDS[key] is bool):
            raise ValueError(f"the field {key!r} of its data set's description has the wrong type")
    if missing := [key for key in ("title", "classes") if not values.get(key)]:
        raise ValueError(f"its data set {name[:60]!r} is not known here, and its card does not give its {missing[0]}")
    if not all(isinstance(label, str) for label in values["classes"]):
        raise ValueError("the classes of its data set must be text")
    values["factor_table"] = parse_factors(values.pop("factors")) if "factors" in values else None
    load = partial(
        _load, name, image_shape, len(values["classes"]), values.get("start", 0), values["factor_table"], galleries
    )
    values["preparation"] = parse_preparation(values.get("preparation", {}))
    return DatasetInfo(name=name, image_shape=image_shape, load=load, **values)


def _renewed(description: dict[str, Any]) -> dict[str, Any]:
    """Return a description without the fields of cards written before data sets had a preparation."""
    values = dict(description)
    values.pop("centred", None)
    if "white_on_black" in values:
        light_on_dark = values.pop("white_on_black") is True
        values.setdefault("preparation", {"light_on_dark": light_on_dark})
    return values


def description(info: DatasetInfo) -> dict[str, Any]:
    """Return the fields by which a card describes a data set, so that it can be shown where it is not registered."""
    defaults = {f.name: f.default for f in fields(DatasetInfo)}
    values = {key: getattr(info, key) for key in FIELDS if key != "factors"}
    values = {key: value for key, value in values.items() if value != defaults[key]}
    if info.factor_table is not None:
        table = info.factor_table
        values["factors"] = {"names": list(table.names), "values": [list(names) for names in table.values]}
    return {key: asdict(value) if key == "preparation" else value for key, value in values.items()}


def _load(
    name: str, image_shape: tuple[int, int, int], classes: int, start: int, table: Factors | None,
    galleries: list[Path], split: str, download: bool = True,
) -> Split:  # fmt: skip
    """Return the split "test", the only one there is. Raises OSError for others, and for a damaged gallery."""
    path = next((folder / f"{name}.npz" for folder in galleries if (folder / f"{name}.npz").is_file()), None)
    if split != "test" or path is None:
        raise OSError(f"{name}.npz is missing" if split == "test" else f"{name} has no {split} split")
    names = ("images", "labels") if table is None else ("images", "labels", "factors")
    images, labels, *rest = idx.read_arrays(path, *names)
    images = images[:, None] if images.ndim == 3 else images
    n = len(images)
    if images.dtype != np.uint8 or images.shape != (n, *image_shape) or labels.shape != (n,) or not n > start >= 0:
        raise OSError(f"{name}.npz holds arrays that do not fit its data set")
    if not _are_indices(labels, classes):
        raise OSError(f"{name}.npz holds labels that are not classes of its data set")
    factors = None
    if table is not None:
        if rest[0].shape != (n, len(table.sizes)) or not _are_indices(rest[0], table.sizes):
            raise OSError(f"{name}.npz holds factors that are not those of its data set")
        factors = rest[0].astype(np.int64)
    return Split(images.__getitem__, labels.astype(np.int64), factors, name=split)


def _are_indices(values: np.ndarray, sizes: int | tuple[int, ...]) -> bool:
    """Return whether values (N,) or (N, K) are whole numbers from 0 to below sizes, which may differ by column."""
    return values.dtype.kind in "iu" and bool((values >= 0).all() and (values < np.array(sizes)).all())
