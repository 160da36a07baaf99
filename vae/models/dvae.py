"""The denoising VAE (Im et al. 2017): the encoder sees a noisy image, the decoder reconstructs the clean one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .base import FAMILIES, NetworkConfig, Output, Refine
from .vae import VAE


@FAMILIES.register("dvae")
class DenoisingVAE(VAE):
    """A VAE that adds noise to its inputs in training mode only.

    The standard deviation is uniform between 0 and config.noise for each image, so that the encoder sees clean images
    too.
    """

    denoises = True

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        noise: float = 0.5  # largest standard deviation of the noise on training images

        def __post_init__(self) -> None:
            super().__post_init__()
            if not 0 < self.noise < float("inf"):
                raise ValueError(f"a denoising VAE needs noise of a standard deviation above 0, not {self.noise}")

    config: Config

    def forward(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None,
        refine: Refine | None = None, target: Tensor | None = None,
    ) -> Output:
        noisy = x = self.as_images(x)
        if self.training:
            std = torch.rand(len(x), 1, 1, 1, generator=generator, device=x.device)
            noisy = add_noise(x, self.config.noise * std, generator)
        return super().forward(noisy, y, generator, refine, x if target is None else target)


def add_noise(x: Tensor, std: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Add Gaussian noise to every pixel of x (B, C, H, W) and clip to [0, 1]."""
    noise = torch.randn(x.shape, generator=generator, device=x.device)
    return (x + std * noise).clamp(0, 1)
