"""AutoencoderKL, the first stage of latent diffusion (Rombach et al. 2022), built by the package diffusers.

Its code is a feature map of thousands of values, so z is the code's coordinates along a few directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from .. import extras
from .base import FAMILIES, DiagonalNormal, LatentModel, NetworkConfig, PointMass, check_counts, diagonal_normal
from .checks import precise
from .foreign import ImagePixels

BATCH = 16  # images in one call: feature maps of a large network take 100 MB for each


@FAMILIES.register("autoencoder_kl")
class AutoencoderKL(LatentModel):
    """The code of an image is the mean of q(z|x), and z are its coordinates along `axes` from `origin`.

    The standard deviation of the posterior is tiny and is left out. Neither the factor nor the shift by which a
    diffusion model scales codes is applied. The prior is a Gaussian fitted to coordinates; p(x|z) is a Gaussian around
    the decoded image.
    """

    deterministic = ex_post_prior = True
    has_elbo = False
    packages = ("diffusers",)
    prior_name = "a Gaussian fitted to the codes of some images"
    centre_name = "code"
    origin: Tensor
    axes: Tensor
    code_mu: Tensor
    code_sigma: Tensor

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        """channels: of the blocks, as "block_out_channels" of diffusers. The other fields have the names there."""

        likelihood: str = "gaussian"
        layers_per_block: int = 2
        latent_channels: int = 4
        norm_num_groups: int = 32
        mid_block_add_attention: bool = True
        use_quant_conv: bool = True
        use_post_quant_conv: bool = True

        def __post_init__(self) -> None:
            super().__post_init__()
            check_counts(self, "layers_per_block", "latent_channels", "norm_num_groups")
            factor = 2 ** (len(self.channels) - 1)
            if not self.channels or any(side % factor for side in self.image_shape[1:]):
                raise ValueError(f"height and width of an image must be multiples of {factor}")
            if any(width % self.norm_num_groups for width in self.channels):
                raise ValueError(f"the channels {self.channels} cannot be divided into {self.norm_num_groups} groups")

        @property
        def code_shape(self) -> tuple[int, int, int]:
            """Return (C, H, W) of the code."""
            factor = 2 ** (len(self.channels) - 1)
            return self.latent_channels, self.image_shape[1] // factor, self.image_shape[2] // factor

    config: AutoencoderKL.Config
    network: Any  # diffusers.AutoencoderKL

    def __init__(self, config: NetworkConfig):
        super().__init__(config)
        self.pixels = ImagePixels(config.sigma)
        self.network = network(self.config)
        dims, size = config.latent_dim, prod(self.config.code_shape)
        self.register_buffer("origin", torch.zeros(size))
        self.register_buffer("axes", torch.eye(dims, size))
        self.register_buffer("code_mu", torch.zeros(dims))
        self.register_buffer("code_sigma", torch.ones(dims))

    def code(self, x: Tensor) -> Tensor:
        """Encode images x (B, C, H, W) in [0, 1] to whole codes (B, F)."""
        parts = [self.network.encode(2 * part - 1).latent_dist.mean for part in self.as_images(x).split(BATCH)]
        return precise(torch.cat(parts)).flatten(1)

    def encode(self, x: Tensor, y: Tensor | None = None) -> PointMass:
        return PointMass((self.code(x) - self.origin) @ self.axes.T)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return the decoded images (B, C, H, W) in [0, 1]."""
        codes = (self.origin + z.to(self.dtype) @ self.axes).unflatten(1, self.config.code_shape)
        image = torch.cat([self.network.decode(part).sample for part in codes.split(BATCH)])
        return ((image + 1) / 2).clamp(0, 1)

    @property
    def prior(self) -> DiagonalNormal:
        return diagonal_normal(self.code_mu, self.code_sigma)

    @torch.no_grad()
    def fit_prior(self, codes: Tensor) -> None:
        """Fit the Gaussian to coordinates (N, D)."""
        self.code_mu.copy_(codes.mean(0))
        self.code_sigma.copy_(codes.std(0, correction=0).clamp(min=1e-6))


def network(config: AutoencoderKL.Config) -> Any:
    """Return the network as diffusers builds it. Raises MissingPackage without the package."""
    extras.require("AutoencoderKL models", "diffusers")
    import diffusers

    blocks = len(config.channels)
    return diffusers.AutoencoderKL(
        in_channels=config.image_shape[0], out_channels=config.image_shape[0],
        down_block_types=("DownEncoderBlock2D",) * blocks, up_block_types=("UpDecoderBlock2D",) * blocks,
        block_out_channels=config.channels, layers_per_block=config.layers_per_block,
        latent_channels=config.latent_channels, norm_num_groups=config.norm_num_groups,
        mid_block_add_attention=config.mid_block_add_attention, use_quant_conv=config.use_quant_conv,
        use_post_quant_conv=config.use_post_quant_conv,
    )  # fmt: skip
