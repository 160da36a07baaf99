"""VAE-GAN (Larsen et al. 2016): an image discriminator, whose features add a reconstruction term to the pixels'."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..models import NetworkConfig, Output
from ..models.vaegan import ImageDiscriminator
from .base import Batch, Objective, Weight, register
from .terms import VAEGANTerms, real_or_made_loss, vae_gan


@register("vae_gan")
@dataclass(frozen=True)
class AdversarialVAE(Objective):
    """The VAE-GAN objective with its discriminator, see terms.vae_gan."""

    beta: Weight = 1.0  # of the KL
    feature_weight: float = 0.0  # of the distance between the discriminator's features
    adversarial_weight: float = 0.0  # of the discriminator's loss on x_hat
    discriminator_learning_rate: float = 1e-4  # constant

    def critic(self, config: NetworkConfig) -> nn.Module:
        return ImageDiscriminator(config)

    def critic_loss(self, critic: nn.Module, out: Output, x: Tensor, generator: torch.Generator) -> Tensor:
        made = out.likelihood.mean.detach()
        return real_or_made_loss(critic(x)[0].float(), critic(made)[0].float())

    def terms(self, out: Output, batch: Batch) -> VAEGANTerms:
        assert batch.critic is not None  # the one that `critic` returned
        real, (logits, made) = batch.critic(batch.x)[1], batch.critic(out.likelihood.mean)
        return vae_gan(
            out, batch.x, real, made, logits, batch.weights["beta"], self.feature_weight, self.adversarial_weight
        )
