"""The evidence lower bound (Kingma & Welling 2014), with a weight on the KL (beta-VAE, Higgins et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Output
from .base import Batch, Objective, Weight, register
from .terms import ELBO, elbo


@register("beta_vae")
@dataclass(frozen=True)
class BetaVAE(Objective):
    """The beta-VAE objective, see terms.elbo."""

    beta: Weight = 1.0  # of the KL

    def terms(self, out: Output, batch: Batch) -> ELBO:
        return elbo(out, batch.x, beta=batch.weights["beta"])
