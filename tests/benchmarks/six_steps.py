"""Train every recipe for six steps and print what it ends with: python -m tests.benchmarks.six_steps [NAME ...]

A line is a recipe's name and the first 16 digits of the SHA-256 of the weights that train() returns, averaged ones where
the recipe asks for them; "late" is the same of six steps near the run's end. A change that should leave training alone
leaves every line alone, on one machine with one version of torch: diff the output from before it and after it.
"""  # noqa: E501

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from vae.data import DATASETS, Split
from vae.training.candidates import CANDIDATES
from vae.training.loop import Stopped, train
from vae.training.recipes import RECIPES

EVERY = {**RECIPES, **{f"{name} on trial": recipe for name, recipe in CANDIDATES.items()}}
IMAGES = 240  # more than mnist-few may see, and fewer than six batches hold, so that a second epoch begins
SMALL = dict(steps=6, batch_size=50, warmup_steps=2)


def split_of(recipe) -> Split:
    """Return images for a recipe: the data set's own where they are drawn from factors, since pairs need them, and
    else random ones, which need no file."""
    info = DATASETS[recipe.data]
    if info.grid is not None:
        return info.load(recipe.split)
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *info.image_shape), dtype=np.uint8)
    return Split(lambda rows: images[rows], np.arange(IMAGES) % len(info.classes), name=recipe.split)


def weights_after_six(recipe) -> list[dict[str, Tensor]]:
    """Return the weights that train() returns after six steps."""
    with tempfile.TemporaryDirectory() as folder:
        return [run(replace(recipe, **SMALL), Path(folder)).state_dict()]


def weights_late(recipe) -> list[dict[str, Tensor]]:
    """Return the weights, and their average where there is one, after six steps that begin at 95 % of a recipe's own.

    A checkpoint of the first six steps is given another number, and the run goes on from there: with the learning rate,
    the beta and the capacity of late steps.
    """  # noqa: E501
    recipe = replace(recipe, **{**SMALL, "steps": recipe.steps})
    late = int(0.95 * recipe.steps)
    with tempfile.TemporaryDirectory() as folder:
        early = stopped(recipe, Path(folder))
        told = json.loads((early / "progress.json").read_text(encoding="utf-8"))
        (early / "progress.json").write_text(json.dumps({**told, "step": late}), encoding="utf-8")
        early.rename(early.with_name(f"step-{late:08d}"))
        end = stopped(recipe, Path(folder))
        if end.name != f"step-{late + 6:08d}":
            raise RuntimeError(f"the run went on from another step than {late}, to {end.name}")
        return [load_file(file) for file in sorted(end.glob("*.safetensors"))]


def stopped(recipe, folder: Path) -> Path:
    """Train six steps of a longer run and return the folder of its last checkpoint."""
    asked = []
    try:
        run(recipe, folder, stop=lambda: asked.append(1) or len(asked) == 6)
    except Stopped:
        return max(folder.glob("step-*"))
    raise RuntimeError("the run ended before it was stopped")


def run(recipe, folder: Path, **others):
    return train("six steps", recipe, folder, split=split_of(recipe), progress=False, device="cpu", **others)


def digest(found: list[dict[str, Tensor]]) -> str:
    """Return 16 digits that stand for weights."""
    content = b"".join(weights[key].numpy().tobytes() for weights in found for key in sorted(weights))
    return hashlib.sha256(content).hexdigest()[:16]


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    for name, recipe in EVERY.items():
        if names and name not in names:
            continue
        # from random weights, so that no line depends on a shipped model's ...
        alone = replace(recipe, starts_from="")
        print(f"{name}  {digest(weights_after_six(alone))}", flush=True)
        print(f"{name}, late  {digest(weights_late(alone))}", flush=True)
        if recipe.starts_from:  # ... but for this one
            print(f"{name}, from {recipe.starts_from}  {digest(weights_after_six(recipe))}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
