"""The share of images that a classifier recognises, on a classifier whose probabilities are known."""

import torch
from torch import nn

from vae.evaluation.measures.recognised import share_recognised


class Known(nn.Module):
    """Gives class 0 the probability in an image's first pixel, and class 1 the rest."""

    def forward(self, x):
        p = x[:, 0, 0, 0]
        return [torch.stack([p, 1 - p], 1).log()]


def test_an_image_counts_if_one_class_is_above_the_threshold():
    x = torch.zeros(4, 1, 2, 2)
    x[:, 0, 0, 0] = torch.tensor([0.99, 0.5, 0.94, 0.02])
    assert share_recognised(Known(), [x], 0.95) == 0.5
    assert share_recognised(Known(), [x[:1], x[1:]], 0.9) == 0.75
    assert share_recognised(Known(), [x[1:2]], 0.95) == 0
