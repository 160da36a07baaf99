"""The deterministic autoencoder (Hinton & Salakhutdinov 2006): what a VAE is without its noise and KL."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import blocks
from .base import FAMILIES, DiagonalNormal, LatentModel, NetworkConfig, PointMass, diagonal_normal, precise


@FAMILIES.register("ae")
class Autoencoder(LatentModel):
    """One code per image; no term of the objective shapes the latent space.

    It has no prior of its own. `prior` is the Gaussian that fit_prior fits to the codes of the training data
    (code_mu, code_sigma): samples from it may fall where no code lies.
    """

    deterministic = ex_post_prior = recordable = True
    has_elbo = False
    prior_name = "a Gaussian fitted to the training codes"

    code_mu: Tensor
    code_sigma: Tensor

    def __init__(self, config: NetworkConfig):
        super().__init__(config)
        self.encoder, self.decoder = self._networks(config)
        self.register_buffer("code_mu", torch.zeros(config.latent_dim))
        self.register_buffer("code_sigma", torch.ones(config.latent_dim))

    def _networks(self, config: NetworkConfig) -> tuple[nn.Module, nn.Module]:
        """Return the encoder, (B, C, H, W) -> codes (B, D), and the decoder, (B, D) -> logits."""
        return blocks.encoder(config, outputs=config.latent_dim), blocks.decoder(config)

    def encode(self, x: Tensor, y: Tensor | None = None) -> PointMass:
        return PointMass(precise(self.encoder(self.as_images(x))))

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(z.to(self.dtype))

    @property
    def prior(self) -> DiagonalNormal:
        return diagonal_normal(self.code_mu, self.code_sigma)

    @torch.no_grad()
    def fit_prior(self, codes: Tensor) -> None:
        """Fit the Gaussian to codes (N, D)."""
        self.code_mu.copy_(codes.mean(0))
        self.code_sigma.copy_(codes.std(0))
