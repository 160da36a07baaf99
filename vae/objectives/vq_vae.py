"""The VQ-VAE's objective (van den Oord et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..models import Output
from ..models.vqvae import VQOutput
from .base import Batch, Objective, register
from .terms import VQVAETerms, vq_vae


@register("vq_vae")
@dataclass(frozen=True)
class VectorQuantised(Objective):
    """The VQ-VAE objective, see terms.vq_vae."""

    recordable: ClassVar[bool] = False
    commitment: float = 0.0  # weight of the encoder's distance from the codebook

    def terms(self, out: Output, batch: Batch) -> VQVAETerms:
        if not isinstance(out, VQOutput):
            raise ValueError("the objective vq_vae trains models of the family vqvae only")
        return vq_vae(out, batch.x, commitment=self.commitment)
