"""The VAE-GAN (Larsen et al. 2016): a VAE trained with a discriminator of images.

As a model it is a VAE; its objective differs. The likelihood of pixels tolerates blur. The discriminator adds two
terms: whether the reconstruction looks real, and the distance of its features from the image's.
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
    """Images -> a logit (real or decoded) and the features it is computed from.

    Used in training only, so it is not part of the model.
    """

    def __init__(self, config: NetworkConfig):
        super().__init__()
        layers = blocks.halvings((config.image_shape[0], *config.channels))
        # Leaky, so that the decoder gets a gradient where a unit is negative.
        self.features = nn.Sequential(
            *[nn.LeakyReLU(0.2) if isinstance(layer, nn.ReLU) else layer for layer in layers]
        )
        smallest = blocks.smallest_map(config.image_shape, config.channels)
        self.judge = nn.Sequential(nn.Flatten(), nn.Linear(prod(smallest), 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B,) and features (B, F, h, w) of x (B, C, H, W) in [0, 1]."""
        features = self.features(2 * x - 1)
        return self.judge(features)[:, 0], features
