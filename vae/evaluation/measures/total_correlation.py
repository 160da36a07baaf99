"""How far dimensions depend on each other linearly."""

from __future__ import annotations

from ... import metrics
from ...metrics.disentanglement import GAUSSIAN_PROTOCOL
from ..figures import Figure
from .base import MEASURES, Context, Measure


@MEASURES.register("total_correlation")
class TotalCorrelation(Measure):
    figures = (
        Figure(
            "total_correlation", "Gaussian total correlation", "nats", ".2f", group="code", better="lower",
            protocol={"images": None}, sentence=GAUSSIAN_PROTOCOL,
        ),
    )  # fmt: skip
    place = 94

    def applies(self, model, info) -> bool:
        return info.grid is not None and not model.discrete

    def measure(self, context: Context) -> dict:
        return {"total_correlation": metrics.total_correlation(context.codes).total_correlation}
