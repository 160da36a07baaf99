"""The Gaussian total correlation: linear dependence between dimensions."""

from __future__ import annotations

from ... import metrics
from ...data import DatasetInfo
from ...metrics.disentanglement import GAUSSIAN_PROTOCOL
from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, Context, Measure


@MEASURES.register("total_correlation")
class TotalCorrelation(Measure):
    figures = (
        Figure(
            "total_correlation",
            "Gaussian total correlation",
            "nats",
            ".2f",
            group="code",
            better="lower",
            protocol={"images": None},
            sentence=GAUSSIAN_PROTOCOL,
        ),
    )
    position = 94

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.factors is not None and not model.discrete

    def measure(self, context: Context) -> dict:
        return {"total_correlation": metrics.total_correlation(context.codes).total_correlation}
