"""Trains the small classifiers that judge what models draw: `python -m vae classifier DATA`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from ..data import DATASETS, DatasetInfo, Split
from ..metrics import classifier as judge
from .loop import Batches

STEPS, BATCH_SIZE, LEARNING_RATE = 3000, 128, 2e-3


def answers(info: DatasetInfo) -> tuple[int, ...]:
    """How many answers each question has: one question a factor, or one for the class."""
    return info.grid.sizes if info.grid else (len(info.classes),)


def truth(split: Split, rows: np.ndarray) -> torch.Tensor:
    """The right answers (B, K) int."""
    found = split.labels[:, None] if split.factors is None else split.factors
    return torch.from_numpy(np.asarray(found[rows]))


def fit_classifier(data: str, folder: Path | None = None, steps: int = STEPS) -> judge.Classifier:
    """Train on the train split, measure on the test split, write <data>.safetensors."""
    info = DATASETS[data]
    train, test = info.load("train"), info.load("test")
    torch.manual_seed(0)
    model = judge.Classifier(info.image_shape, answers(info))
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for rows in tqdm(Batches(len(train), BATCH_SIZE, 0, 0, steps), desc=f"classifier of {data}"):
        x, y = train.batch(rows)[0], truth(train, rows)
        loss = sum(torch.nn.functional.cross_entropy(q, y[:, k]) for k, q in enumerate(model(x)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval().requires_grad_(False)
    right = []
    for first in range(0, len(test), 500):
        rows = np.arange(first, min(first + 500, len(test)))
        found = torch.stack([q.argmax(1) for q in model(test.batch(rows)[0])], 1)
        right.append(found == truth(test, rows))
    model.accuracy = tuple(torch.cat(right).double().mean(0).tolist())
    folder = folder or judge.CLASSIFIERS
    folder.mkdir(parents=True, exist_ok=True)
    accuracy = ",".join(f"{value:.4f}" for value in model.accuracy)
    save_file(model.state_dict(), folder / f"{data}.safetensors", {"accuracy": accuracy})
    return model
