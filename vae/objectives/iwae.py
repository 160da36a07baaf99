"""The importance-weighted bound (Burda et al. 2016), with doubly reparametrised gradients (Tucker et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Output
from .base import Batch, Objective, register
from .terms import IWAETerms, iwae


@register("iwae")
@dataclass(frozen=True)
class IWAE(Objective):
    """The importance-weighted objective, see terms.iwae."""

    samples: int = 5  # codes sampled for each image
    dreg: bool = True  # whether the encoder's gradient is the doubly reparametrised one

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples < 1:
            raise ValueError(f"an importance-weighted bound needs one sample or more, not {self.samples}")

    @property
    def samples_per_image(self) -> int:
        return self.samples

    def terms(self, out: Output, batch: Batch) -> IWAETerms:
        return iwae(out, batch.x, self.samples, self.dreg)
