"""The training loop: one for every recipe, on CPU, one GPU or several machines (accelerate).

A run is a function of its recipe: the batch, the noise and the learning rate of step s follow
from the seed and s alone. So a run that was interrupted and resumed ends where an
uninterrupted one does.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm import tqdm

from ..data import DATASETS, Split
from ..models import FAMILIES, LatentModel, Output
from ..objectives import ELBO, BetaTCVAE, beta_tcvae, elbo
from .recipes import Recipe


class Batches(Sampler):
    """Batch b of the endless shuffled stream, b = start..stop-1: a function of seed and b."""

    def __init__(self, n: int, batch_size: int, seed: int, start: int, stop: int):
        self.n, self.batch_size, self.seed = n, min(batch_size, n), seed
        self.start, self.stop = start, stop
        self.drop_last = True

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self):
        per_epoch = self.n // self.batch_size
        epoch = None
        for b in range(self.start, self.stop):
            if b // per_epoch != epoch:
                epoch = b // per_epoch
                generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
                order = torch.randperm(self.n, generator=generator).numpy()
            first = b % per_epoch * self.batch_size
            yield order[first : first + self.batch_size]


class WholeBatches(Dataset):
    """A split as a torch Dataset that is asked for a whole batch at a time."""

    def __init__(self, split: Split):
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index):
        return self.__getitems__([index])

    def __getitems__(self, indices):
        return self.split.batch(indices)


def train(
    name: str,
    recipe: Recipe,
    folder: Path,
    split: Split | None = None,
    checkpoint_every: int = 1000,
    progress: bool = True,
) -> LatentModel:
    """Train a model by its recipe and return it in eval mode, on the CPU.

    folder: where checkpoints live; a run found there is resumed. split: the data, by default
    the recipe's train split. A run takes steps * num_processes batches in all.
    Raises OSError when the data cannot be had, ValueError when the folder holds another recipe's
    checkpoint, and FloatingPointError, naming step and term, when a term is no longer finite:
    the last checkpoint stays as it is.
    """
    # each process asks for its own batches: nothing has to be sent between machines
    accelerator = Accelerator(
        dataloader_config=DataLoaderConfiguration(dispatch_batches=False, even_batches=False),
        step_scheduler_with_optimizer=False,
    )
    split = split or DATASETS[recipe.data].load("train")
    torch.manual_seed(recipe.seed)
    model = FAMILIES[recipe.family](recipe.config)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)
    start = resume(folder, model, optimizer, recipe)

    world = accelerator.num_processes
    batches = Batches(
        len(split), recipe.batch_size, recipe.seed, start * world, recipe.steps * world
    )
    loader = DataLoader(WholeBatches(split), batch_sampler=batches, collate_fn=lambda batch: batch)
    if recipe.config.network == "conv":
        model = model.to(memory_format=torch.channels_last)
    prepared, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    prepared.train()
    noise = torch.Generator(accelerator.device)
    bar = tqdm(
        total=recipe.steps, initial=start, desc=name, unit="step", mininterval=1.0,
        disable=not (progress and accelerator.is_main_process),
    )  # fmt: skip

    step = start
    try:
        for x, y in loader:
            noise.manual_seed((recipe.seed * 100_003 + step) * world + accelerator.process_index)
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate_at(step)
            out = prepared(x, y, generator=noise)
            terms = objective(recipe, out, x, len(split))
            if not torch.isfinite(terms.loss).all():
                broken = next((n for n in ("recon", "kl") if not getattr(terms, n).isfinite().all()), "loss")
                raise FloatingPointError(
                    f"{name}, step {step}: {broken} is not finite; the last checkpoint is kept"
                )
            optimizer.zero_grad()
            accelerator.backward(terms.loss.mean())
            optimizer.step()
            step += 1
            if step % 100 == 0:
                bar.update(100)
                bar.set_postfix(
                    recon=f"{terms.recon.mean():.1f}", kl=f"{terms.kl.mean():.2f}", refresh=False
                )
            if step % checkpoint_every == 0 and accelerator.is_main_process:
                checkpoint(folder, accelerator.unwrap_model(prepared), optimizer, recipe, step)
    except KeyboardInterrupt:
        if accelerator.is_main_process:
            checkpoint(folder, accelerator.unwrap_model(prepared), optimizer, recipe, step)
        raise
    finally:
        bar.close()
    if accelerator.is_main_process:
        checkpoint(folder, accelerator.unwrap_model(prepared), optimizer, recipe, step)
    accelerator.wait_for_everyone()

    model = accelerator.unwrap_model(prepared).cpu().eval().requires_grad_(False)
    if hasattr(model, "fit_prior"):
        model.fit_prior(_codes(model, split))
    return model


def objective(recipe: Recipe, out: Output, x: torch.Tensor, n_data: int) -> ELBO | BetaTCVAE:
    """The recipe's objective, with recon, kl and loss per example. Raises ValueError for an
    unknown one."""
    if recipe.objective == "elbo":
        return elbo(out, x, beta=recipe.beta)
    if recipe.objective == "beta_tcvae":
        return beta_tcvae(out, x, beta=recipe.beta, n_data=n_data)
    raise ValueError(f"unknown objective {recipe.objective!r}")


def _codes(model: LatentModel, split: Split, n: int = 10_000) -> torch.Tensor:
    """Mean codes (n, D) of the first images of a split."""
    codes = []
    with torch.no_grad():
        for first in range(0, min(n, len(split)), 500):
            x, y = split.batch(range(first, min(first + 500, len(split))))
            codes.append(model.encode(x, y).mean)
    return torch.cat(codes)


def checkpoint(folder: Path, model: LatentModel, optimizer, recipe: Recipe, step: int) -> None:
    """Write folder/step-<n>/ in one atomic move; weights and optimiser state are files apart."""
    final, fresh = folder / f"step-{step:08d}", folder / "writing"
    if final.exists():
        return
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    weights = {name: t.contiguous() for name, t in model.state_dict().items()}
    save_file(weights, fresh / "model.safetensors")
    torch.save(optimizer.state_dict(), fresh / "optimizer.pt")
    (fresh / "recipe.json").write_text(_as_json(recipe))
    os.replace(fresh, final)
    for old in sorted(folder.glob("step-*"))[:-1]:
        shutil.rmtree(old)


def _as_json(recipe: Recipe) -> str:
    """What of a recipe decides the weights, as text; titles do not."""
    parts = {k: v for k, v in asdict(recipe).items() if k not in ("title", "description")}
    return json.dumps(parts, indent=1, sort_keys=True)


def resume(folder: Path, model: LatentModel, optimizer, recipe: Recipe) -> int:
    """Load the newest checkpoint of a folder, if there is one, and return its step, else 0.

    Raises ValueError for a checkpoint of another recipe: what came out would be neither's.
    """
    found = sorted(folder.glob("step-*"))
    if not found:
        return 0
    newest = found[-1]
    if (newest / "recipe.json").read_text() != _as_json(recipe):
        raise ValueError(f"{newest} was trained by another recipe: move it away to begin anew")
    model.load_state_dict(load_file(newest / "model.safetensors"))
    optimizer.load_state_dict(torch.load(newest / "optimizer.pt", weights_only=True))
    return int(newest.name.removeprefix("step-"))
