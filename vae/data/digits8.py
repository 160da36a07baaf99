"""Handwritten digits, 8x8 grey, 1,797 of them, as scikit-learn holds them (Alpaydin & Kaynak 1998)."""

from __future__ import annotations

import numpy as np

from .base import DATASETS, DatasetInfo, Split, check_split, hash_order, validation_size
from .preparing import Preparation

TEST_IMAGES = 297
WHITE = 16  # of scikit-learn's grey levels: the number of pixels of a 4x4 block that have ink


def load(split: str, download: bool = True) -> Split:
    """Return one of SPLITS, chosen by a fixed hash of the images' numbers. The images come with scikit-learn."""
    from sklearn.datasets import load_digits  # here, because it takes half a second

    check_split(split)
    found = load_digits()
    images = np.rint(found.images * (255 / WHITE)).astype(np.uint8)[:, None]  # (N, 8, 8) -> (N, 1, 8, 8)
    order = hash_order(len(images))
    end = TEST_IMAGES + validation_size(len(images) - TEST_IMAGES)
    rows = {
        "test": order[:TEST_IMAGES], "validation": order[TEST_IMAGES:end], "train": np.sort(order[end:]),
        "train+validation": np.sort(order[TEST_IMAGES:]),
    }[split]  # fmt: skip
    return Split(images.__getitem__, found.target.astype(np.int64)).take(rows, split)


DATASETS.register("digits8")(DatasetInfo(
    name="digits8",
    title="8x8 digits",
    image_shape=(1, 8, 8),
    classes=tuple("0123456789"),
    licence="CC BY 4.0",
    source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository",
    load=load,
    noun="digits",
    preparation=Preparation("digit", light_on_dark=True, longer_side=8, stroke=1.4),
))  # fmt: skip
