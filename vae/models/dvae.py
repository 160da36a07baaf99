"""The denoising VAE (Im et al. 2017): the encoder sees a noisy image, the decoder owes the clean one."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Config
from .vae import VAE


class DenoisingVAE(VAE):
    """A VAE whose encoder learns from noisy images; what it is asked of later is left as it is.

    Each image has a noise of its own, of a standard deviation between 0 and config.noise, so that
    the encoder knows clean images too.
    """

    def __init__(self, config: Config):
        if not config.noise > 0:
            raise ValueError("a denoising VAE needs a standard deviation of noise above 0")
        super().__init__(config)

    def forward(self, x, y=None, generator=None, refine=None):
        x = self.as_images(x)
        if self.training:
            std = torch.rand(len(x), 1, 1, 1, generator=generator, device=x.device)
            x = add_noise(x, self.config.noise * std, generator)
        return super().forward(x, y, generator, refine)


def add_noise(x: Tensor, std: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
    """x (B, C, H, W) in [0, 1] with Gaussian noise on every pixel, cut to [0, 1] again."""
    noise = torch.randn(x.shape, generator=generator, device=x.device)
    return (x + std * noise).clamp(0, 1)
