"""Training of the small classifiers that judge samples and reconstructions: `python -m vae classifier DATA`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from .. import jobs, store
from ..data import DATASETS, DatasetInfo, Split
from ..metrics import classifier as judge
from ..training import checkpoints
from ..training.batches import Batches

STEPS, BATCH_SIZE, LEARNING_RATE = 3000, 128, 2e-3


def head_sizes(info: DatasetInfo) -> tuple[int, ...]:
    """Return the number of classes of each head: one head for each factor, or one for the class."""
    return (len(info.classes),) if info.factors is None else info.factors.sizes


def has_judge(info: DatasetInfo) -> bool:
    """Return whether a classifier of a data set ships with the project."""
    return (judge.CLASSIFIERS / f"{info.name}.safetensors").exists()


def targets(split: Split, rows: np.ndarray) -> Tensor:
    """Return the true classes (B, K) int of these rows (B,) of a split, one for each of K heads."""
    found = split.labels[:, None] if split.factors is None else split.factors
    return torch.from_numpy(np.asarray(found[rows]))


def fit_network(network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], steps: int) -> None:
    """Train a network with the interface of a Classifier on `steps` batches (x (B, C, H, W), y (B, K) int) and set it
    to eval mode."""
    network.train().requires_grad_(True)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for x, y in batches:
        losses = [nn.functional.cross_entropy(q, y[:, k]) for k, q in enumerate(network(x))]
        loss = sum(losses, start=torch.zeros(()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval().requires_grad_(False)


@torch.no_grad()
def accuracy(network: nn.Module, split: Split, rows: np.ndarray) -> tuple[float, ...]:
    """Return the accuracy of each head on these rows of a split."""
    found = [torch.stack([q.argmax(1) for q in network(x)], 1) for x, _ in split.batches(rows=rows)]
    right = torch.cat(found) == targets(split, rows)
    return tuple(right.double().mean(0).tolist())


def fit_classifier(
    data: str, folder: Path | None = None, steps: int = STEPS, progress: jobs.Report | None = None
) -> judge.Classifier:
    """Train on the train and validation splits, measure on the test split, write <data>.safetensors."""
    report = jobs.part(progress)
    info = DATASETS[data]
    folder = folder or judge.CLASSIFIERS
    checkpoints.try_writing(folder)
    # the classifier judges models and no choice depends on it, so it may be trained on validation images too
    train, test = info.load("train+validation"), info.load("test")
    torch.manual_seed(0)
    model = judge.Classifier(info.image_shape, head_sizes(info))

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for step, rows in enumerate(Batches(len(train), BATCH_SIZE, 0, 0, steps)):
            report(f"training the classifier of {data}", step / steps)
            yield train.batch(rows)[0], targets(train, rows)

    fit_network(model, batches(), steps)
    model.accuracy = accuracy(model, test, np.arange(len(test)))
    accuracies = ",".join(f"{value:.4f}" for value in model.accuracy)
    store.write_atomically(folder / f"{data}.safetensors", save(model.state_dict(), {"accuracy": accuracies}))
    return model
