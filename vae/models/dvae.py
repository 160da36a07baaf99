"""The denoising VAE (Im et al. 2017): the encoder sees a noisy image, the decoder owes the clean one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .base import FAMILIES, NetworkConfig
from .vae import VAE


@FAMILIES.register("dvae")
class DenoisingVAE(VAE):
    """A VAE whose encoder learns from noisy images; what it is asked of later is left as it is.

    Each image has a noise of its own, of a standard deviation between 0 and config.noise, so that
    the encoder knows clean images too.
    """

    denoises = True

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        noise: float = 0.5  # largest standard deviation of what is added to training images

        def __post_init__(self):
            super().__post_init__()
            if not 0 < self.noise < float("inf"):
                raise ValueError(f"a denoising VAE needs noise of a standard deviation above 0, not {self.noise}")

    def forward(self, x, y=None, generator=None, refine=None):
        noisy = x = self.as_images(x)
        if self.training:
            std = torch.rand(len(x), 1, 1, 1, generator=generator, device=x.device)
            noisy = add_noise(x, self.config.noise * std, generator)
        return super().forward(noisy, y, generator, refine, target=x)


def add_noise(x: Tensor, std: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
    """x (B, C, H, W) in [0, 1] with Gaussian noise on every pixel, cut to [0, 1] again."""
    noise = torch.randn(x.shape, generator=generator, device=x.device)
    return (x + std * noise).clamp(0, 1)
