"""Free bits (Kingma et al. 2016): the KL of a dimension is not penalised below a few tenths of a nat."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Output
from .base import Batch, Objective, Weight, register
from .terms import FreeBitsTerms, free_bits


@register("free_bits")
@dataclass(frozen=True)
class FreeBits(Objective):
    """The ELBO with free bits, see terms.free_bits."""

    beta: Weight = 1.0  # of the KL
    nats: Weight = 0.25  # a dimension's mean KL below this is not penalised

    def terms(self, out: Output, batch: Batch) -> FreeBitsTerms:
        return free_bits(out, batch.x, beta=batch.weights["beta"], nats=batch.weights["nats"])
