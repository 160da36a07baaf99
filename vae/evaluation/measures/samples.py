"""The accuracy of a classifier trained on a model's samples only (Ravuri & Vinyals 2019)."""

from __future__ import annotations

from ...data import DatasetInfo
from ...models import LatentModel
from .. import downstream
from ..figures import Figure
from .base import MEASURES, Context, Measure

FROM_SAMPLES = Figure(
    "accuracy_from_samples",
    "accuracy of a classifier trained on samples only",
    digits=".1%",
    better="higher",
    baseline=0.1,
    baseline_label="chance",
    tolerance=0.02,
    protocol={
        "samples": downstream.SAMPLES,
        "steps": downstream.SAMPLE_STEPS,
        "batch": downstream.BATCH_SIZE,
        "images": None,
    },
    sentence="a convolutional classifier trained on {samples:,} samples of the model and on no real image, {steps:,} "
    "steps of {batch}; accuracy on {images:,} test images",
)


@MEASURES.register("samples")
class FromSamples(Measure):
    figures = (FROM_SAMPLES,)
    position = 84
    task = "samples"

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return model.num_classes > 0

    def measure(self, context: Context) -> dict:
        samples = context.parameters_of(FROM_SAMPLES)["samples"]
        return downstream.from_samples(context.model, context.split, context.n, samples)
