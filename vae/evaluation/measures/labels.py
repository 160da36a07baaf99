"""Few labels: the accuracy of a linear classifier on codes, and of a model's own classifier."""

from __future__ import annotations

from ...data import DatasetInfo
from ...models import LatentModel
from ...training.loop import mean_codes
from .. import downstream
from ..figures import Figure
from .base import MEASURES, Context, Measure

CODES = Figure(
    "accuracy_codes",
    f"accuracy with {downstream.FEW} labels, linear classifier on codes",
    digits=".1%",
    better="higher",
    baseline="accuracy_pixels",
    baseline_label="on pixels",
    protocol={"labels": downstream.FEW, "choices": downstream.REPEATS, "images": None},
    sentence="logistic regression (all features scaled by one factor) on {labels} labelled training images, mean over "
    "{choices} random choices of them; accuracy on {images:,} test images",
)
ALONE = Figure(
    "accuracy_labels_alone",
    "accuracy of the same classifier, trained on the labelled images alone",
    digits=".1%",
    better="higher",
    errors=("accuracy_labels_alone_error",),
    shown=False,
    tolerance=0.02,  # training accumulates differences in rounding between processors
    protocol={
        "labels": downstream.FEW,
        "rotation": downstream.MAX_ROTATION,
        "shear": downstream.MAX_SHEAR,
        "scale": 100 * downstream.MAX_SCALING,
        "shift": downstream.SHIFT,
        "steps": downstream.ALONE_STEPS,
        "batch": downstream.BATCH_SIZE,
        "choices": downstream.REPEATS,
        "images": None,
    },
    sentence="the model's classifier trained on {labels} labelled training images alone, {steps:,} steps of {batch}; "
    "images rotated by up to {rotation:g} degrees, sheared by up to {shear:g} degrees, scaled by up to {scale:g} % "
    "and shifted by up to {shift} pixels; mean over {choices} random choices of the images; accuracy on {images:,} "
    "test images",
)


def choices(context: Context, figure: Figure) -> int:
    """Return how many random choices of labels a figure averages over: one if only part of the images is measured."""
    return context.parameters_of(figure)["choices"] if context.whole else 1


@MEASURES.register("labels")
class FewLabels(Measure):
    figures = (
        CODES,
        Figure(
            "accuracy_pixels",
            f"accuracy with {downstream.FEW} labels, linear classifier on pixels",
            digits=".1%",
            of="accuracy_codes",
            shown=False,
        ),
    )
    position = 81
    task = "labels"

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.labelled and not model.classifies

    def measure(self, context: Context) -> dict:
        labelled, n = context.info.load("labelled"), choices(context, CODES)
        context.describe(CODES, choices=n)
        labels = context.parameters_of(CODES)["labels"]
        codes = mean_codes(context.model, labelled)
        return downstream.few_labels(codes, labelled, context.codes, context.split, context.n, n, labels)


@MEASURES.register("labels_alone")
class LabelsAlone(Measure):
    figures = (
        ALONE,
        Figure(
            "accuracy_labels_alone_error",
            "its standard error over choices of labels",
            digits=".1%",
            of="accuracy_labels_alone",
            shown=False,
            tolerance=0.02,
        ),
        Figure(
            "accuracy_with_model",
            "accuracy of its classifier, beside the baseline",
            digits=".1%",
            better="higher",
            of="accuracy_labels_alone",
            baseline="accuracy_labels_alone",
            baseline_label="trained on the labelled images alone, with augmentation",
        ),
    )
    position = 82
    task = "labels"

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.labelled and model.classifies

    def measure(self, context: Context) -> dict:
        labelled, n = context.info.load("labelled"), choices(context, ALONE)
        context.describe(ALONE, choices=n)
        labels = context.parameters_of(ALONE)["labels"]
        return downstream.labels_alone(context.model, labelled, context.split, context.n, n, labels)
