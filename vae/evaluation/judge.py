"""Trains the small classifiers that judge what models draw: `python -m vae classifier DATA`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn
from tqdm import tqdm

from .. import store
from ..data import DATASETS, DatasetInfo, Split
from ..metrics import classifier as judge
from ..training import checkpoints
from ..training.batches import Batches

STEPS, BATCH_SIZE, LEARNING_RATE = 3000, 128, 2e-3


def head_sizes(info: DatasetInfo) -> tuple[int, ...]:
    """How many answers each question has: one question a factor, or one for the class."""
    return info.grid.sizes if info.grid else (len(info.classes),)


def targets(split: Split, rows: np.ndarray) -> Tensor:
    """The right answers (B, K) int."""
    found = split.labels[:, None] if split.factors is None else split.factors
    return torch.from_numpy(np.asarray(found[rows]))


def fit_network(network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], steps: int) -> None:
    """Train a network that answers questions by logits, as a Classifier does, on batches of
    (x (B, C, H, W), y (B, K) int), `steps` of them; leaves it in eval mode."""
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
    """The share of right answers to each question, on these rows of a split."""
    found = [torch.stack([q.argmax(1) for q in network(x)], 1) for x, _ in split.batches(rows=rows)]
    right = torch.cat(found) == targets(split, rows)
    return tuple(right.double().mean(0).tolist())


def fit_classifier(data: str, folder: Path | None = None, steps: int = STEPS) -> judge.Classifier:
    """Train on the train and validation splits, measure on the test split, write <data>.safetensors."""
    info = DATASETS[data]
    folder = folder or judge.CLASSIFIERS
    checkpoints.try_writing(folder)
    # it judges models and chooses nothing, so that validation images may teach it as well
    train, test = info.load("train+validation"), info.load("test")
    torch.manual_seed(0)
    model = judge.Classifier(info.image_shape, head_sizes(info))
    rows = tqdm(Batches(len(train), BATCH_SIZE, 0, 0, steps), desc=f"classifier of {data}")
    fit_network(model, ((train.batch(part)[0], targets(train, part)) for part in rows), steps)
    model.accuracy = accuracy(model, test, np.arange(len(test)))
    told = ",".join(f"{value:.4f}" for value in model.accuracy)
    store.write_atomically(folder / f"{data}.safetensors", save(model.state_dict(), {"accuracy": told}))
    return model
