"""Semi-supervised learning with a VAE, model M2 (Kingma et al. 2014).

A conditional VAE with a classifier q(y|x). For an image without a label the bound is averaged over q(y|x), which
trains the classifier on unlabelled images.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from . import blocks
from .base import FAMILIES, Output, Refine, precise, reparametrise
from .cvae import ConditionalVAE


@dataclass(frozen=True)
class M2Output(Output):
    """One pass with each of K classes: row k*B + b is image b under class k."""

    log_q_y: Tensor  # (B, K), log q(y | x)


@FAMILIES.register("m2")
class M2(ConditionalVAE):
    """q(y|x) q(z|x, y), p(y) uniform, p(z) = N(0, I), p(x|z, y)."""

    classifies = True

    @dataclass(frozen=True)
    class Config(ConditionalVAE.Config):
        def __post_init__(self) -> None:
            super().__post_init__()
            blocks.smallest_map(self.image_shape, self.channels)  # the classifier halves with any network

    def __init__(self, config: Config):
        super().__init__(config)
        # The classifier is convolutional, also with network "mlp".
        self.classifier = nn.Sequential(
            *blocks.halvings((config.image_shape[0], *config.channels)), nn.Flatten(),
            nn.Linear(prod(blocks.smallest_map(config.image_shape, config.channels)), 128), nn.ReLU(),
            nn.Linear(128, config.num_classes),
        )  # fmt: skip

    def classify(self, x: Tensor) -> Tensor:
        """Return log q(y | x) (B, num_classes) of x (B, C, H, W)."""
        return precise(self.classifier(self.as_images(x))).log_softmax(1)

    def most_likely_class(self, x: Tensor) -> Tensor:
        """Return the classifier's most probable class of x (B, C, H, W) -> (B,) int."""
        with torch.no_grad():
            return self.classify(x).argmax(1)

    def forward(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None,
        refine: Refine | None = None, target: Tensor | None = None,
    ) -> Output:
        """Run a conditional VAE with y; without, one pass for every class."""
        if y is not None:
            return super().forward(x, y, generator, refine, target)
        x = self.as_images(x)
        b, k = len(x), self.num_classes
        x_all = x.repeat(k, 1, 1, 1)  # (K*B, C, H, W)
        y_all = torch.arange(k, device=x.device).repeat_interleave(b)  # (K*B,)
        posterior = self.encode(x_all, y_all)
        noise = torch.randn(k * b, self.latent_dim, generator=generator, device=x.device)
        z = reparametrise(posterior, noise)
        likelihood = self.pixels(self.decode_logits(z, y_all), x_all if target is None else target.repeat(k, 1, 1, 1))
        return M2Output(posterior, z, likelihood, self.prior, self.classify(x))
