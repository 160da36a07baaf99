"""The accuracy of a model's own classifier q(y|x)."""

from __future__ import annotations

import torch

from ...data import DatasetInfo
from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, Context, Measure


@MEASURES.register("accuracy")
class Accuracy(Measure):
    figures = (
        Figure(
            "accuracy",
            "accuracy of its classifier",
            digits=".1%",
            better="higher",
            baseline=0.1,
            baseline_label="chance",
            protocol={"images": None},
            sentence="share of {images:,} test images whose label q(y|x) ranks first",
            brief="accuracy {value}",
        ),
    )
    position = 40

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return model.classifies

    def measure(self, context: Context) -> dict:
        right = [context.model.most_likely_class(x) == y for x, y in context.batches()]
        return {"accuracy": float(torch.cat(right).double().mean())}
