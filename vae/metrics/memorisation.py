"""Memorisation: distances of samples to their nearest training images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..data import Split
from ..models.checks import check_images

CHUNK = 4000  # training images at a time


@torch.no_grad()
def nearest_images(x: Tensor, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance (N,) and the row (N,) of the split's image nearest to each of x (N, C, H, W) in [0, 1].

    Distances are Euclidean, over pixels. A model memorises if its samples lie closer to its training images than test
    images do (Meehan et al. 2020). Raises ValueError for images of another shape than the split's, and for an empty
    split.
    """
    if not len(split):
        raise ValueError("the split has no images to compare with")
    check_images(x, split.batch([0])[0].shape[1:], look=False)
    found, rows = torch.full((len(x),), torch.inf), torch.zeros(len(x), dtype=torch.long)
    for number, (images, _) in enumerate(split.batches(CHUNK)):
        distances, nearest = torch.cdist(x.flatten(1), images.flatten(1)).min(1)
        nearer = distances < found
        found[nearer], rows[nearer] = distances[nearer], nearest[nearer] + number * CHUNK
    return found.numpy(), rows.numpy()
