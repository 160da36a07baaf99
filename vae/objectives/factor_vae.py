"""FactorVAE (Kim & Mnih 2018): a discriminator estimates the total correlation, which is penalised."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..models import NetworkConfig, Output
from ..models.blocks import discriminator
from .base import Batch, Objective, Weight, register
from .terms import FactorVAETerms, discriminator_loss, factor_vae, permute_dims


@register("factor_vae")
@dataclass(frozen=True)
class FactorVAE(Objective):
    """The FactorVAE objective with its discriminator, see terms.factor_vae."""

    beta: Weight = 1.0  # of the KL; 1 in the paper
    gamma: float = 0.0  # of the total correlation
    discriminator_learning_rate: float = 1e-4  # constant

    def critic(self, config: NetworkConfig) -> nn.Module:
        return discriminator(config.latent_dim)

    def critic_loss(self, critic: nn.Module, out: Output, x: Tensor, generator: torch.Generator) -> Tensor:
        z = out.z.detach()
        return discriminator_loss(critic(z), critic(permute_dims(z, generator)))

    def terms(self, out: Output, batch: Batch) -> FactorVAETerms:
        assert batch.critic is not None  # the one that `critic` returned
        logits = batch.critic(out.z)
        return factor_vae(out, batch.x, gamma=self.gamma, logits=logits, beta=batch.weights["beta"])
