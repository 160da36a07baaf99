"""The images that a training reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import folders
from ..data import DATASETS, DatasetInfo, Split, own

MAX_IN_MEMORY = 300 * 2**20  # bytes of a split's images; of more, each batch is read or rendered when it is needed
MAX_RENDERED = 20_000  # images that are rendered beforehand


def find(name: str, folder: Path | None = None) -> DatasetInfo:
    """Return the data set in a folder of own images. Without a folder: a registered one, or one of the user's own.

    Raises ValueError where there is none, or where it is damaged.
    """
    if folder is None and name in DATASETS:
        return DATASETS[name]
    folder = folder or folders.data() / name
    if not (folder / "data.json").is_file():
        raise ValueError(f"there is no data set {name[:60]!r} in {folder.parent}")
    return own.read(folder)


def training_split(info: DatasetInfo, name: str = "", images: int = 0) -> Split:
    """Return the training images of a split, by default of the one that needs no download; only the first so many if
    `images` is above 0."""
    split = info.load(name or info.offline[0])
    return split.first(images) if images else split


def validation_split(info: DatasetInfo) -> Split:
    """Return the validation images that need no download."""
    return info.load(info.offline[1])


def in_memory(split: Split) -> Split:
    """Return a split whose images are rendered once, where they are few enough."""
    size = len(split) * split.render(np.arange(1)).nbytes
    if size > MAX_IN_MEMORY or len(split) > MAX_RENDERED:
        return split
    images = split.render(np.arange(len(split)))  # (N, C, H, W)
    return replace(split, render=images.__getitem__)
