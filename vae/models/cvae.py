"""The conditional VAE (Kingma et al. 2014, Sohn et al. 2015): the class y goes into both networks.

z is independent of y a priori, so it encodes what the class does not: style.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence

from . import blocks
from .base import FAMILIES, DiagonalNormal, NetworkConfig, gaussian_posterior, is_count, precise
from .vae import VAE


@FAMILIES.register("cvae")
class ConditionalVAE(VAE):
    """q(z|x, y), p(z) = N(0, I), p(x|z, y). y (B,) holds class numbers.

    An MLP takes the class as a one-hot vector beside the pixels; a convolutional encoder takes it as one more
    channel, a learned picture per class.
    """

    conditional = True
    recordable = False  # checking y reads its values

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        num_classes: int = 0  # type: ignore[misc]  # a class variable where it is not a field

        def __post_init__(self) -> None:
            super().__post_init__()
            if not is_count(self.num_classes) or self.num_classes < 2:
                raise ValueError(f"a conditional VAE needs num_classes of 2 or more, not {self.num_classes!r}")

    def __init__(self, config: Config):
        super().__init__(config)  # blocks.encoder and decoder add num_classes inputs
        if config.network == "conv":
            channels, height, width = config.image_shape
            self.class_picture = nn.Embedding(config.num_classes, height * width)
            self.encoder = blocks.encoder(config, outputs=2 * config.latent_dim, channels_in=channels + 1)

    def encode(self, x: Tensor, y: Tensor | None = None) -> DiagonalNormal:
        x = self.as_images(x)
        one_hot = self.one_hot(y, x.shape[0])
        if self.config.network == "conv":
            assert y is not None  # or one_hot would have raised
            picture = self.class_picture(y.long()).view(-1, 1, *x.shape[2:])
            inputs = torch.cat([x, picture], dim=1)  # (B, C + 1, H, W)
        else:
            inputs = torch.cat([x.flatten(1), one_hot], dim=1)
        mu, logvar = precise(self.encoder(inputs)).chunk(2, dim=1)  # each (B, D)
        return gaussian_posterior(mu, logvar)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(torch.cat([z.to(self.dtype), self.one_hot(y, z.shape[0])], dim=1))

    def class_score(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log p(x|z, y) - KL at the posterior mean, (B,) in nats, of x (B, C, H, W) and y (B,) int.

        That is an estimate of log p(x|y).
        """
        q = self.encode(x, y)
        kl = kl_divergence(q.base_dist, self.prior.base_dist).sum(1)  # (B,)
        return self.likelihood(q.mean, y).log_prob(x) - kl

    @torch.no_grad()
    def most_likely_class(self, x: Tensor) -> Tensor:
        """Return the class of the highest class_score: x (B, C, H, W) -> (B,) int. p(y) is uniform."""
        x = self.as_images(x)
        labels = [torch.full((len(x),), label, device=x.device) for label in range(self.num_classes)]
        return torch.stack([self.class_score(x, y) for y in labels]).argmax(0)
