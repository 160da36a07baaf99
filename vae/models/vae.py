"""The variational autoencoder (Kingma & Welling 2014, Rezende et al. 2014).

With beta in its objective it is the beta-VAE (Higgins et al. 2017): the model is the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from . import blocks
from .base import FAMILIES, LatentModel, NetworkConfig, diagonal_normal, gaussian_posterior, precise


@FAMILIES.register("vae")
class VAE(LatentModel):
    """q(z|x) = N(mu(x), diag(sigma(x)^2)), p(z) = N(0, I), p(x|z) Bernoulli."""

    analytic_kl = recordable = plain_decoder = True

    def __init__(self, config: NetworkConfig):
        super().__init__(config)
        self.encoder = blocks.encoder(config, outputs=2 * config.latent_dim)
        self.decoder = blocks.decoder(config)
        # buffers, so that the prior moves with the model; not weights, so not saved
        self.register_buffer("prior_mu", torch.zeros(config.latent_dim), persistent=False)
        self.register_buffer("prior_sigma", torch.ones(config.latent_dim), persistent=False)

    def encode(self, x: Tensor, y: Tensor | None = None):
        mu, logvar = precise(self.encoder(self.as_images(x))).chunk(2, dim=1)  # each (B, D)
        return gaussian_posterior(mu, logvar)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(z.to(self.dtype))

    @property
    def prior(self):
        return diagonal_normal(self.prior_mu, self.prior_sigma)
