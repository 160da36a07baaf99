"""Semi-supervised learning with a VAE, model M2 (Kingma et al. 2014).

A conditional VAE with a classifier q(y|x) beside it: where an image has no label, the bound is
averaged over the labels that the classifier holds possible, and that is how it learns from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from . import blocks
from .base import FAMILIES, Output, precise, reparametrise
from .cvae import ConditionalVAE


@dataclass(frozen=True)
class M2Output(Output):
    """One pass with every class: row k*B + b is image b as if its class were k, of K classes."""

    log_q_y: Tensor  # (B, K), log q(y | x)


@FAMILIES.register("m2")
class M2(ConditionalVAE):
    """q(y|x) q(z|x, y), p(y) uniform, p(z) = N(0, I), p(x|z, y)."""

    classifies = True

    @dataclass(frozen=True)
    class Config(ConditionalVAE.Config):
        def __post_init__(self):
            super().__post_init__()
            blocks.smallest_map(self.image_shape, self.channels)  # of the classifier, whatever the network

    def __init__(self, config: Config):
        super().__init__(config)
        # the classifier sees pixels as pixels, with the channels of the config
        self.classifier = nn.Sequential(
            *blocks.halvings((config.image_shape[0], *config.channels)), nn.Flatten(),
            nn.Linear(prod(blocks.smallest_map(config.image_shape, config.channels)), 128), nn.ReLU(),
            nn.Linear(128, config.num_classes),
        )  # fmt: skip

    def classify(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) -> log q(y | x) (B, num_classes)."""
        return precise(self.classifier(self.as_images(x))).log_softmax(1)

    def most_likely_class(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) -> (B,) int, by the classifier."""
        with torch.no_grad():
            return self.classify(x).argmax(1)

    def forward(self, x, y=None, generator=None, refine=None) -> Output:
        """With y, a conditional VAE's pass; without, one pass for every class."""
        if y is not None:
            return super().forward(x, y, generator, refine)
        x = self.as_images(x)
        b, k = len(x), self.num_classes
        x_all = x.repeat(k, 1, 1, 1)  # (K*B, C, H, W)
        y_all = torch.arange(k, device=x.device).repeat_interleave(b)  # (K*B,)
        posterior = self.encode(x_all, y_all)
        noise = torch.randn(k * b, self.latent_dim, generator=generator, device=x.device)
        z = reparametrise(posterior, noise)
        return M2Output(posterior, z, self.pixels(self.decode_logits(z, y_all), x_all), self.prior, self.classify(x))
