"""Data augmentation: a small classifier trained on few labels, with and without images decoded by a model."""

from __future__ import annotations

from ...data import DatasetInfo
from ...models import LatentModel
from .. import downstream
from ..figures import Figure
from .base import MEASURES, Context, Measure
from .labels import choices

FEW = downstream.LABELS[1]
VARIANTS = {  # of the training images, as keys of the figure name them: label
    "alone": "no augmentation",
    "shifted": "shifts",
    "VAE": "VAE images",
    "shifted and VAE": "shifts and VAE images",
}
AUGMENTATION = Figure(
    "augmentation",
    f"accuracy of a classifier trained on {FEW} labelled images",
    digits=".1%",
    better="higher",
    tolerance=0.02,
    items={f"{FEW} {variant}": label for variant, label in list(VARIANTS.items())[1:]},
    baseline=f"augmentation.{FEW} alone",
    baseline_label=VARIANTS["alone"],
    protocol={
        "steps": downstream.STEPS,
        "batch": downstream.BATCH_SIZE,
        "choices": downstream.REPEATS,
        "shift": downstream.SHIFT,
        "images": None,
    },
    sentence="a convolutional classifier trained for {steps} steps of {batch} labelled images, mean over {choices} "
    "random choices of them; accuracy on {images:,} test images; shifts: by up to {shift} pixels; VAE images: half of "
    "each batch is decoded from codes between those of two images of one class",
)


@MEASURES.register("augmentation")
class Augmentation(Measure):
    figures = (
        AUGMENTATION,
        Figure(
            "augmentation_error",
            "standard errors over choices of labels",
            digits=".1%",
            of="augmentation",
            shown=False,
            tolerance=0.02,
        ),
    )
    position = 83
    task = "augmentation"

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.labelled and not model.num_classes

    def measure(self, context: Context) -> dict:
        n = choices(context, AUGMENTATION)
        context.describe(AUGMENTATION, choices=n)
        return downstream.augmentation(context.model, context.info.load("labelled"), context.split, context.n, n)
