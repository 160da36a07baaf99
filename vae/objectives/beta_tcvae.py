"""beta-TCVAE (Chen et al. 2018): a weight on the total correlation alone."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Output
from .base import Batch, Objective, Weight, register
from .terms import BetaTCVAETerms, beta_tcvae


@register("beta_tcvae")
@dataclass(frozen=True)
class BetaTCVAE(Objective):
    """The beta-TCVAE objective, see terms.beta_tcvae."""

    beta: Weight = 1.0  # of the total correlation

    def terms(self, out: Output, batch: Batch) -> BetaTCVAETerms:
        return beta_tcvae(out, batch.x, beta=batch.weights["beta"], n_data=batch.n_data)
