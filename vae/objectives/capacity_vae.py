"""Capacity-controlled beta-VAE (Burgess et al. 2018): the KL is kept near a capacity that rises during training."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Output
from .base import Batch, Objective, Weight, register
from .terms import CapacityVAETerms, capacity_vae


@register("capacity_vae")
@dataclass(frozen=True)
class CapacityVAE(Objective):
    """The capacity-controlled objective, see terms.capacity_vae."""

    gamma: float = 0.0  # weight of |KL - capacity|
    capacity: Weight = 0.0  # nats

    def terms(self, out: Output, batch: Batch) -> CapacityVAETerms:
        return capacity_vae(out, batch.x, gamma=self.gamma, capacity=batch.weights["capacity"])
