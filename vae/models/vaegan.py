"""The VAE-GAN (Larsen et al. 2016): a VAE whose pictures a second network judges.

As a model it is a VAE; what differs is what it learnt from. Beside the likelihood of pixels, which
blur pays, a discriminator's view of the picture counts: whether it looks drawn, and whether its
features are those of the image.
"""

from __future__ import annotations

from math import prod

from torch import Tensor, nn

from . import blocks
from .base import FAMILIES, NetworkConfig
from .vae import VAE


@FAMILIES.register("vaegan")
class VAEGAN(VAE):
    """Encoder, latent space and decoder of a VAE."""


class ImageDiscriminator(nn.Module):
    """Images -> a logit (real, or made by the decoder) and the features that it is judged by.

    Needed for training alone, so no part of the model that is kept.
    """

    def __init__(self, config: NetworkConfig):
        super().__init__()
        layers = blocks.halvings((config.image_shape[0], *config.channels))
        # leaky, so that the decoder gets a gradient where a feature is off
        self.features = nn.Sequential(
            *[nn.LeakyReLU(0.2) if isinstance(layer, nn.ReLU) else layer for layer in layers]
        )
        self.judge = nn.Sequential(nn.Flatten(), nn.Linear(prod(blocks.smallest_map(config.image_shape, config.channels)), 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, C, H, W) in [0, 1] -> logits (B,), features (B, F, h, w)."""
        features = self.features(2 * x - 1)
        return self.judge(features)[:, 0], features
