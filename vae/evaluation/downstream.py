"""Downstream tasks: outlier detection, and classifiers trained on few labels or on a model's samples.

Labels are those of the training images that ship with the project; accuracies are on test images. The files of
measures/ name and describe the figures; their protocols contain the constants of this file.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from .. import metrics
from ..data import DATASETS, DatasetInfo, Split
from ..metrics.classifier import Classifier
from ..models import LatentModel
from ..models.base import reparametrise
from ..training.loop import shifted
from .corruptions import CORRUPTIONS
from .judge import accuracy, fit_network

BATCH = 500
EMPTY = "empty"
LABELS = (50, 200, 1000)  # labelled images that a classifier gets
FEW = 100  # labels for a linear classifier on codes, and for a semi-supervised model's own classifier
REPEATS = 5  # random choices of labelled images; figures are means over them
STEPS, BATCH_SIZE = 300, 64  # to train a small classifier
SHIFT = 2  # pixels
# Of the classifier that a semi-supervised model is compared with. Of five strengths and two numbers of steps, these
# were the best on validation images.
ALONE_STEPS = 4000
MAX_ROTATION, MAX_SHEAR, MAX_SCALING = 25.0, 25.0, 0.25  # degrees, degrees, share of the size
SAMPLES = 10_000  # from a conditional model, the only training data of a classifier
SAMPLE_STEPS = 1500


def outlier_images(kind: str, x: Tensor, generator: torch.Generator) -> Tensor:
    """Turn images x (B, C, H, W) into outliers of a kind, one of `outlier_kinds`.

    x: images of the data set that kind names, which are returned unchanged, or else of the model's own data.
    """
    if kind == EMPTY:
        return torch.zeros_like(x)
    return CORRUPTIONS[kind](x, generator) if kind in CORRUPTIONS else x


def outlier_kinds(info: DatasetInfo) -> tuple[str, ...]:
    """Return the kinds of outliers that a data set's models are tested on: names of other data sets, corruptions,
    and an empty picture."""
    return *info.out_of_distribution, *CORRUPTIONS, EMPTY


def anomalies(model: LatentModel, info: DatasetInfo, n: int, seed: int = 0) -> dict:
    """Return AUROC and ROC curve of n test images against n outliers, for each score and each kind of outlier:
    auroc_<score>_<kind>, roc_<score>_<kind>."""
    own, others = info.load("test"), {name: DATASETS[name].load("test") for name in info.out_of_distribution}

    def scores(kind: str | None) -> metrics.Scores:
        noise, posterior = torch.Generator().manual_seed(1), torch.Generator().manual_seed(seed)
        found = []
        source = own if kind is None else others.get(kind, own)
        for x, _ in source.batches(BATCH, range(n)):
            x = x if kind is None else outlier_images(kind, x, noise)
            found.append(metrics.outlier_scores(model, x, posterior))
        return metrics.Scores(
            np.concatenate([part.squared_error for part in found]),
            _joined([part.negative_elbo for part in found]),
            _joined([part.excess for part in found]),
        )

    inliers = scores(None)
    figures: dict[str, float | list[float]] = {}
    for kind in outlier_kinds(info):
        outliers = scores(kind)
        for score in metrics.Scores._fields:
            if getattr(inliers, score) is not None:
                curve = metrics.roc(getattr(inliers, score), getattr(outliers, score))
                figures[f"auroc_{score}_{kind}"] = curve.auroc
                figures[f"roc_{score}_{kind}"] = curve.true_positive_rates.tolist()
    return figures


def _joined(parts: list[np.ndarray | None]) -> np.ndarray | None:
    """Return the scores (N,) of all batches; None where the model has no such score."""
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None


# ---- labels

def choose(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return random rows (count,) of labels (N,), equally many of each class. Raises ValueError where there are too
    few."""
    order = np.random.default_rng(seed).permutation(len(labels))
    classes = np.unique(labels)
    rows = np.concatenate([order[labels[order] == k][: count // len(classes)] for k in classes])
    if len(rows) < count // len(classes) * len(classes):
        raise ValueError(f"{len(labels)} labelled images are too few for {count} labels, equally many of each class")
    return rows


def few_labels(
    labelled_codes: np.ndarray, labelled: Split, codes: np.ndarray, split: Split, n: int, repeats: int,
    count: int = FEW,
) -> dict:  # fmt: skip
    """Return the accuracy of a linear classifier trained on `count` labels, on codes and on pixels: accuracy_codes,
    accuracy_pixels.

    labelled_codes (M, D): codes of the labelled split. codes (n, D): codes of the first n images of the split to
    classify.
    """
    from sklearn.linear_model import LogisticRegression

    figures = {}
    pixels = _pixels(labelled, len(labelled)), _pixels(split, n)
    for name, known, judged in [("codes", labelled_codes, codes), ("pixels", *pixels)]:
        scale = known.std()  # one scale for all dimensions: separate scales would amplify collapsed ones
        right = []
        for seed in range(repeats):
            rows = choose(labelled.labels, count, seed)
            linear = LogisticRegression(max_iter=2000).fit(known[rows] / scale, labelled.labels[rows])
            right.append(linear.score(judged / scale, split.labels[:n]))
        figures[f"accuracy_{name}"] = float(np.mean(right))
    return figures


def _pixels(split: Split, n: int) -> np.ndarray:
    """Return the pixels (n, C * H * W) of the first n images."""
    return torch.cat([x for x, _ in split.batches(BATCH, range(n))]).flatten(1).numpy()


def augmentation(model: LatentModel, labelled: Split, split: Split, n: int, repeats: int) -> dict:
    """Return the accuracy of a small classifier trained on few labels: without augmentation, with shifted images, with
    images decoded by a VAE, with both.

    The keys of `augmentation` are "50 alone" and so on. augmentation_error holds the standard errors of these means
    over choices of labels.
    """
    variants = {
        "alone": lambda x, y, g: x,
        "shifted": lambda x, y, g: shifted(x, SHIFT, g),
        "VAE": lambda x, y, g: augmented(model, x, y, g),
        "shifted and VAE": lambda x, y, g: shifted(augmented(model, x, y, g), SHIFT, g),
    }
    found, errors = {}, {}
    for count in LABELS:
        for name, vary in variants.items():
            right = []
            for seed in range(repeats):
                x, y = labelled.batch(choose(labelled.labels, count, seed))
                classifier = fit(Classifier(model.image_shape, (int(labelled.labels.max()) + 1,)), x, y, vary, seed)
                right.append(accuracy(classifier, split, np.arange(n))[0])
            found[f"{count} {name}"] = float(np.mean(right))
            errors[f"{count} {name}"] = _standard_error(right)
    return {"augmentation": found, "augmentation_error": errors}


def labels_alone(
    model: LatentModel, labelled: Split, split: Split, n: int, repeats: int, count: int = FEW
) -> dict:
    """Return accuracies on n test images: accuracy_labels_alone, of a semi-supervised model's classifier trained
    on `count` labelled images with augmentation and without the model; its standard error over choices of labels,
    accuracy_labels_alone_error; and accuracy_with_model, of the model's own classifier."""
    right, own = [], cast(nn.Module, model.classifier)
    for seed in range(repeats):
        x, y = labelled.batch(choose(labelled.labels, count, seed))
        vary = lambda x, y, g: shifted(random_affine(x, g), SHIFT, g)  # noqa: E731
        network = fit(SingleHead(copy.deepcopy(own)), x, y, vary, seed, ALONE_STEPS)
        right.append(accuracy(network, split, np.arange(n))[0])
    return {
        "accuracy_labels_alone": float(np.mean(right)),
        "accuracy_labels_alone_error": _standard_error(right),
        "accuracy_with_model": accuracy(SingleHead(own), split, np.arange(n))[0],
    }


def _standard_error(values: list[float]) -> float:
    """Return the standard error of a mean; 0 of one value."""
    return float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0


def from_samples(model: LatentModel, real: Split, split: Split, n: int, samples: int = SAMPLES) -> dict:
    """Return the accuracy of a classifier trained on a conditional model's samples only, accuracy_from_samples (Ravuri
    & Vinyals 2019), and on as many random images of `real`, accuracy_from_images."""
    with torch.no_grad():
        y = torch.arange(samples) % model.num_classes
        z = model.sample(samples, generator=torch.Generator().manual_seed(0))
        x = torch.cat([model.decode(zs, ys) for zs, ys in zip(z.split(BATCH), y.split(BATCH), strict=False)])
    rows = np.random.default_rng(0).permutation(len(real))[:samples]
    found = {}
    for name, (images, labels) in {"samples": (x, y), "images": real.batch(rows)}.items():
        classifier = Classifier(model.image_shape, (model.num_classes,))
        fit(classifier, images, labels, lambda x, y, g: x, 0, SAMPLE_STEPS)
        found[f"accuracy_from_{name}"] = accuracy(classifier, split, np.arange(n))[0]
    return found


class SingleHead(nn.Module):
    """An adapter from a network that returns logits to the interface of a Classifier with one head."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.network(x)]


def fit(
    network: nn.Module, x: Tensor, y: Tensor, vary: Callable, seed: int, steps: int = STEPS
) -> nn.Module:
    """Train a classifier from random weights on x (N, C, H, W), y (N,). vary(x, y, generator) augments each batch."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in network.modules():
            reset = getattr(layer, "reset_parameters", None)
            if callable(reset):
                reset()

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for _ in range(steps):
            rows = torch.randint(len(x), (BATCH_SIZE,), generator=generator)
            yield vary(x[rows], y[rows], generator), y[rows, None]

    fit_network(network, batches(), steps)
    return network


@torch.no_grad()
def augmented(model: LatentModel, x: Tensor, y: Tensor, generator: torch.Generator, share: float = 0.5) -> Tensor:
    """Replace a share of the images x (B, C, H, W) by decoded codes (DeVries & Taylor 2017).

    A code is interpolated between posterior samples of the image and of another image of its class in the batch.
    """
    count = int(share * len(x))
    posterior = model.encode(x)
    z = reparametrise(posterior, torch.randn(len(x), model.latent_dim, generator=generator))
    # a partner of the same class, or the image itself where it is the only one of its class
    alike = (y[:, None] == y[None, :]).float()
    partner = torch.multinomial(alike, 1, generator=generator)[:, 0]
    way = torch.rand(len(x), 1, generator=generator)
    made = model.decode(z + way * (z[partner] - z))
    return torch.cat([made[:count], x[count:]])


def random_affine(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return images x (B, C, H, W), each rotated, sheared and scaled about its centre by random amounts of at most
    MAX_ROTATION, MAX_SHEAR and MAX_SCALING, and padded with black."""
    angle, shear, scale = (2 * torch.rand(3, len(x), generator=generator) - 1).unbind()
    angle, slope = torch.deg2rad(MAX_ROTATION * angle), torch.tan(torch.deg2rad(MAX_SHEAR * shear))
    scale = 1 + MAX_SCALING * scale
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    rotation = torch.stack([angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero], 1).view(-1, 2, 3)
    shearing = torch.stack([one, slope, zero, one], 1).view(-1, 2, 2)
    grid = nn.functional.affine_grid(shearing @ rotation / scale[:, None, None], list(x.shape), align_corners=False)
    return nn.functional.grid_sample(x, grid, align_corners=False)
