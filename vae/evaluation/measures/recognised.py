"""The share of a model's samples that a classifier recognises."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ... import metrics
from ...data import DatasetInfo
from ...metrics.classifier import Classifier
from ...models import LatentModel
from ..figures import Figure
from ..judge import has_judge, head_sizes
from .base import BATCH, MEASURES, Context, Measure, decoded_samples

RECOGNISED = Figure(
    "recognised",
    "samples that a classifier recognises",
    digits=".1%",
    better="higher",
    baseline="recognised_test_images",
    baseline_label="test images",
    protocol={"samples": 2000, "seed": 0, "threshold": 0.95, "accuracy": None, "images": None},
    sentence="share of {samples:,} samples from the prior (seed {seed}) of which a classifier is sure: a probability "
    "above {threshold} for one class; the same share of {images:,} test images; test accuracy of the classifier "
    "{accuracy:.3f}",
)


@MEASURES.register("recognised")
class Recognised(Measure):
    figures = (
        RECOGNISED,
        Figure("recognised_test_images", "test images that a classifier recognises", of="recognised", shown=False),
    )
    position = 26

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.factors is None and has_judge(info)

    @torch.no_grad()
    def measure(self, context: Context) -> dict:
        model, parameters = context.model, context.parameters_of(RECOGNISED)
        judge = metrics.load_classifier(context.info.name, model.image_shape, head_sizes(context.info))
        n, threshold = min(parameters["samples"], context.n), parameters["threshold"]
        decoded = decoded_samples(model, n, parameters["seed"])
        context.describe(RECOGNISED, samples=n, images=n, accuracy=judge.accuracy[0])
        return {
            "recognised": share_recognised(judge, decoded, threshold),
            "recognised_test_images": share_recognised(judge, [context.split.batch(range(n))[0]], threshold),
        }


def share_recognised(classifier: Classifier, batches: Iterable[Tensor], threshold: float) -> float:
    """Return the share of images, in batches (B, C, H, W), whose largest class probability exceeds a threshold.

    The classifier has one head.
    """
    sure = [classifier(part)[0].softmax(1).amax(1) > threshold for x in batches for part in x.split(BATCH)]
    return float(torch.cat(sure).double().mean())
