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
    baseline="accuracy_from_images",
    baseline_label="on as many real images",
    tolerance=0.02,
    protocol={
        "samples": downstream.SAMPLES,
        "steps": downstream.SAMPLE_STEPS,
        "batch": downstream.BATCH_SIZE,
        "images": None,
    },
    sentence="a convolutional classifier trained on {samples:,} samples of the model and on no real image, {steps:,} "
    "steps of {batch}; accuracy on {images:,} test images; the same classifier trained on as many training images",
)


@MEASURES.register("samples")
class FromSamples(Measure):
    figures = (
        FROM_SAMPLES,
        Figure(
            "accuracy_from_images",
            "accuracy of a classifier trained on as many real images",
            digits=".1%",
            of="accuracy_from_samples",
            shown=False,
            tolerance=0.02,
        ),
    )
    position = 84
    task = "samples"

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return model.num_classes > 0 and bool(info.offline)

    def measure(self, context: Context) -> dict:
        real = context.info.load(context.info.offline[0])  # training images that need no download
        samples = min(context.parameters_of(FROM_SAMPLES)["samples"], len(real))
        context.describe(FROM_SAMPLES, samples=samples)
        return downstream.from_samples(context.model, real, context.split, context.n, samples)
