"""The variational autoencoder (Kingma & Welling 2014, Rezende et al. 2014).

The beta-VAE (Higgins et al. 2017) is the same model with another objective.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import blocks
from .base import FAMILIES, DiagonalNormal, LatentModel, NetworkConfig, diagonal_normal, gaussian_posterior, precise


@FAMILIES.register("vae")
class VAE(LatentModel):
    """q(z|x) = N(mu(x), diag(sigma(x)^2)), p(z) = N(0, I), p(x|z) by config.likelihood."""

    analytic_kl = recordable = True

    prior_mu: Tensor
    prior_sigma: Tensor

    def __init__(self, config: NetworkConfig):
        super().__init__(config)
        self.encoder, self.decoder = self._networks(config)
        # Buffers move with the model to a device; these are not saved.
        self.register_buffer("prior_mu", torch.zeros(config.latent_dim), persistent=False)
        self.register_buffer("prior_sigma", torch.ones(config.latent_dim), persistent=False)

    def _networks(self, config: NetworkConfig) -> tuple[nn.Module, nn.Module]:
        """Return the encoder, (B, C, H, W) -> mu and logvar (B, 2D), and the decoder, (B, D) -> logits."""
        return blocks.encoder(config, outputs=2 * config.latent_dim), blocks.decoder(config)

    def encode(self, x: Tensor, y: Tensor | None = None) -> DiagonalNormal:
        mu, logvar = precise(self.encoder(self.as_images(x))).chunk(2, dim=1)  # each (B, D)
        return gaussian_posterior(mu, logvar)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(z.to(self.dtype))

    @property
    def prior(self) -> DiagonalNormal:
        return diagonal_normal(self.prior_mu, self.prior_sigma)
