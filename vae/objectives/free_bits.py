"""Free bits (Kingma et al. 2016): a dimension's KL costs nothing below a few tenths of a nat."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Output
from .base import Batch, Objective, Weight, register
from .terms import FreeBitsTerms, free_bits


@register("free_bits")
@dataclass(frozen=True)
class FreeBits(Objective):
    beta: Weight = 1.0  # of the KL
    nats: Weight = 0.25  # a dimension's mean KL below this is not penalised

    def terms(self, out: Output, batch: Batch) -> FreeBitsTerms:
        return free_bits(out, batch.x, beta=batch.weights["beta"], nats=batch.weights["nats"])
