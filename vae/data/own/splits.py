"""Train, validation and test by the content of images, so that copies of an image are in one split."""

from __future__ import annotations

import numpy as np

from ..base import MAX_VALIDATION

TRAIN, VALIDATION, TEST = 0, 1, 2
SHARE = 0.1  # of the different images that are for validation, and as many for testing
MIN_PART = 10  # different images in each
MAX_TEST = 2 * MAX_VALIDATION
COMMON = 0.01  # of all images: a content with more copies is for training, unless too few others are left


def split_by_content(digests: np.ndarray) -> np.ndarray:
    """Return the split (N,) uint8 of images with these digests (N,) uint64 of their content.

    The order of the digests decides, so that an image stays in its split, but for a few, when others are added.
    """
    contents, which, copies = np.unique(digests, return_inverse=True, return_counts=True)
    part = max(MIN_PART, round(SHARE * len(contents)))
    test, validation = min(part, MAX_TEST), min(part, MAX_VALIDATION)
    order = np.lexsort((contents, copies > max(1, COMMON * len(digests))))
    split_of = np.full(len(contents), TRAIN, np.uint8)
    split_of[order[:test]] = TEST
    split_of[order[test : test + validation]] = VALIDATION
    return split_of[which]
