"""The objective of the quantised latent autoencoder (Hsu et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..models import Output
from ..models.qlae import QLAEOutput
from .base import Batch, Objective, register
from .terms import QLAETerms, qlae


@register("qlae")
@dataclass(frozen=True)
class QuantisedLatent(Objective):
    """The QLAE objective, see terms.qlae. The paper's weights."""

    recordable: ClassVar[bool] = False
    quantisation: float = 0.01  # weight of the values' distance from the encoder's output
    commitment: float = 0.01  # weight of the encoder's distance from the values

    def terms(self, out: Output, batch: Batch) -> QLAETerms:
        if not isinstance(out, QLAEOutput):
            raise ValueError("the objective qlae trains models of the family qlae only")
        return qlae(out, batch.x, quantisation=self.quantisation, commitment=self.commitment)
