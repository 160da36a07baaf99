"""Samples from the prior beside real images, in the features of the data's classifier."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from ... import metrics
from ...data import DATASETS, DatasetInfo
from ...metrics.generation import NEIGHBOURS
from ...models import LatentModel
from ..figures import Figure
from ..judge import has_judge, head_sizes
from .base import BATCH, MEASURES, Context, Measure, decoded_samples

FRECHET = Figure(
    "frechet",
    "Fréchet distance of samples",
    digits=".1f",
    better="lower",
    baseline="frechet_train",
    baseline_label="training images",
    protocol={"samples": 5000, "seed": 0, "images": None, "features": None, "neighbours": NEIGHBOURS},
    sentence="{samples:,} samples from the prior (seed {seed}) against the first {images:,} test images; {features} "
    "features of the data's own classifier, not of Inception; baselines: as many training images instead of samples; "
    "precision and recall with {neighbours} neighbours",
)
SHARES = {"sample_precision": "precision of samples", "sample_recall": "recall of samples"}


@MEASURES.register("quality")
class SampleQuality(Measure):
    figures = (
        FRECHET,
        Figure("frechet_train", "Fréchet distance of training images", digits=".1f", of="frechet", shown=False),
        *(
            Figure(
                key,
                label,
                digits=".2f",
                better="higher",
                of="frechet",
                baseline=f"{key}_train",
                baseline_label="training images",
            )
            for key, label in SHARES.items()
        ),
        *(
            Figure(f"{key}_train", label.replace("samples", "training images"), of="frechet", shown=False)
            for key, label in SHARES.items()
        ),
    )
    position = 88

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return has_judge(info) and bool(info.offline)

    def measure(self, context: Context) -> dict:
        parameters = context.parameters_of(FRECHET)
        n = min(parameters["samples"], context.n)
        real = _features(context.info, (x for x, _ in context.split.batches(BATCH, range(n))))
        made = _features(context.info, decoded_samples(context.model, n, parameters["seed"]))
        context.describe(FRECHET, samples=n, images=n, features=real.shape[1])
        return {**_scores(real, made, ""), **_of_training_images(context.info.name, context.split.name, n)}


@torch.no_grad()
def _features(info: DatasetInfo, batches: Iterable[Tensor]) -> np.ndarray:
    """Return the features (n, F) that the data's classifier has of images."""
    judge = metrics.load_classifier(info.name, info.image_shape, head_sizes(info))
    return torch.cat([judge.features(x) for x in batches]).double().numpy()


def _scores(real: np.ndarray, other: np.ndarray, suffix: str) -> dict:
    shares = metrics.precision_recall(real, other)
    return {
        f"frechet{suffix}": metrics.frechet_distance(real, other),
        **{f"{key}{suffix}": share for key, share in zip(SHARES, shares, strict=True)},
    }


@functools.cache  # the same for every model of a data set
def _of_training_images(data: str, split: str, n: int) -> dict:
    """Return the scores of n random training images against the first n images of a split."""
    info = DATASETS[data]
    train, test = info.load(info.offline[0]), info.load(split)  # training images that need no download
    rows = np.sort(np.random.default_rng(0).choice(len(train), min(n, len(train)), replace=False))
    real = _features(info, (x for x, _ in test.batches(BATCH, range(n))))
    return _scores(real, _features(info, (x for x, _ in train.batches(BATCH, rows))), "_train")
