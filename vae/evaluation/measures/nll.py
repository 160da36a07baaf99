"""The marginal likelihood of binary images, by importance sampling."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch

from ... import metrics
from ...data import DatasetInfo
from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, Context, Measure

BATCH = 10  # images at a time
NLL = Figure(
    "nll",
    "NLL",
    "nats",
    ".2f",
    better="lower",
    baseline="negative_elbo",
    baseline_label="its own bound",
    errors=("nll_standard_error", "nll_distance_error"),
    # samples of each image; every `stride`th image is sampled
    protocol={"samples": 5000, "seed": 0, "stride": 5, "images": None, "sampled": None},
    sentence="importance sampling with {samples:,} posterior samples (seed {seed}) estimates -log p(x) in nats of "
    "every {stride}th test image, {sampled:,} in all; their mean gap to the negative ELBO is subtracted from the mean "
    "negative ELBO of all {images:,}; standard errors: of the mean over images, and of the gap",
    brief="NLL {value} nats",
    rank=1,
)


@MEASURES.register("nll")
class MarginalLikelihood(Measure):
    """The NLL of all images, estimated from every fifth: the mean bound of all images minus the mean distance between
    bound and NLL, which varies little between images."""

    figures = (
        NLL,
        Figure("nll_standard_error", "standard error of the NLL", "nats", ".2f", of="nll", shown=False),
        Figure(
            "nll_distance_error", "standard error of its gap to the bound", "nats", ".2f", of="nll", shown=False
        ),
    )
    position = 30

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.binary

    def measure(self, context: Context) -> dict:
        parameters, bound = context.parameters_of(NLL), context.terms.negative_elbo
        rows = np.arange(0, len(bound), parameters["stride"])
        # a faster memory layout; the results are the same
        model = copy.deepcopy(context.model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        batches = context.split.batches(BATCH, rows)
        tracked = context.tracked(batches, "importance sampling", math.ceil(len(rows) / BATCH))
        found = metrics.importance_nll(model, tracked, parameters["samples"], parameters["seed"])
        distance = bound[rows] - found.per_image
        context.describe(NLL, sampled=len(rows))
        return {
            "nll": float(bound.mean(dtype=float) - distance.mean(dtype=float)),
            # of the mean over images, and of the distance, which is estimated on every fifth image
            "nll_standard_error": float(found.per_image.std(ddof=1) / len(bound) ** 0.5),
            "nll_distance_error": float(distance.std(ddof=1) / len(rows) ** 0.5),
        }
