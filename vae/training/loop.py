"""The training loop: one for every recipe, on CPU, one GPU or several machines (accelerate).

A run is a function of its recipe: the batch, the noise and the learning rate of step s depend on the seed
and s alone. So a run that is interrupted and resumed ends with the same weights as an uninterrupted one.
"""

from __future__ import annotations

import functools
import io
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from .. import store
from ..data import DATASETS, Split
from ..data.base import refuse_test
from ..models import FAMILIES, LatentModel, Output
from ..objectives import Batch
from . import checkpoints, graphs
from .batches import Batches, OnDevice, WholeBatches
from .pilot import Pilot, Terms
from .recipes import Recipe, ema_decay

CHECK_EVERY = 100  # steps of a recorded run between checks that its terms are finite
_SEED_LOCK = threading.Lock()  # torch's seed is global, and a cluster's worker may run several threads
MAX_UNSAVED = 240  # seconds of work that a kill may lose, not counting the time to write a checkpoint


class Adversarial(Protocol):
    """An objective with a discriminator."""

    @property
    def discriminator_learning_rate(self) -> float: ...

    def critic_loss(self, critic: nn.Module, out: Output, x: Tensor, generator: torch.Generator) -> Tensor: ...


class Critic:
    """An objective's discriminator with its optimiser."""

    def __init__(self, objective: Adversarial, network: nn.Module, recorded: bool = False):
        self.objective, self.network = objective, network
        self.optimizer = torch.optim.Adam(
            network.parameters(), lr=objective.discriminator_learning_rate, betas=(0.5, 0.9), capturable=recorded
        )

    @classmethod
    def of(cls, recipe: Recipe, recorded: bool = False) -> Critic | None:
        """Return the critic of a recipe's objective, or None where it has none."""
        network = recipe.objective.critic(recipe.config)
        return None if network is None else cls(cast(Adversarial, recipe.objective), network, recorded)

    def step(self, out: Output, x: Tensor, accelerator: Accelerator, generator: torch.Generator) -> None:
        """Take one step of the discriminator. No gradient reaches encoder or decoder."""
        loss = self.objective.critic_loss(self.network, out, x, generator)
        self.optimizer.zero_grad()
        accelerator.backward(loss.mean())
        self.optimizer.step()

    def state_dict(self) -> dict:
        network = getattr(self.network, "module", self.network)  # without accelerate's wrapper
        return {"network": network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])


class NotFinite(FloatingPointError):
    """An error for a step of which a term is NaN or infinite."""

    def __init__(self, name: str, step: int, term: str):
        super().__init__(f"{name}, step {step}: {term} is not finite; the last checkpoint is kept")
        self.step, self.term = step, term


class Stopped(Exception):
    """An error for a run that was stopped at a checkpoint before its last step; its message names the step."""


class Average:
    """The exponential moving average of a model's parameters; buffers are not averaged."""

    def __init__(self, model: LatentModel):
        self.weights = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: LatentModel, decay: float | Tensor) -> None:
        """Update the average after a step: decay * average + (1 - decay) * parameters."""
        for name, p in model.named_parameters():
            self.weights[name].lerp_(p, 1 - decay)

    def copy_to(self, model: LatentModel) -> None:
        """Copy the averaged parameters to a model; its buffers are unchanged."""
        model.load_state_dict(self.weights, strict=False)  # no buffers


def train(
    name: str,
    recipe: Recipe,
    folder: Path | None,
    split: Split | None = None,
    checkpoint_every: int = 1000,
    progress: bool = True,
    stop: Callable[[], bool] = lambda: False,
    device: str = "",
    on_step: Callable[[int, Terms], None] = lambda step, terms: None,
    pilot: Pilot | None = None,
) -> LatentModel:
    """Train a model by its recipe and return it in eval mode, on the CPU.

    folder: the folder of checkpoints; a run found there is resumed. None writes none. split: the data, by default the
    recipe's split. A run takes steps * num_processes batches in total. A checkpoint is written every
    `checkpoint_every` steps and every MAX_UNSAVED seconds. stop: called after each step; True stops the run at
    a checkpoint. device: "cpu", "cuda" or "", which uses a GPU if there is one. on_step: called after each step
    with the number of steps taken and the objective's terms, each (B,). pilot: watches and steers the run.
    Raises OSError when the data cannot be loaded or checkpoints cannot be written, ValueError when the folder
    holds another recipe's checkpoint and for the test split, Stopped when `stop` returned True, and
    NotFinite, naming step and term, when a term is not finite: the last checkpoint is kept.
    """
    # each process loads its own batches, so that no batch is sent between machines
    accelerator = Accelerator(
        cpu=device == "cpu",
        dataloader_config=DataLoaderConfiguration(dispatch_batches=False, even_batches=False),
        step_scheduler_with_optimizer=False,
    )
    if device == "cuda" and accelerator.device.type != "cuda":
        raise ValueError("torch finds no GPU on this machine: omit --device, or set it to cpu")
    split = split or DATASETS[recipe.data].load(recipe.split)
    refuse_test(split, "training")
    if folder:
        checkpoints.try_writing(folder)
    if recipe.images:
        split = split.first(recipe.images)
    on_gpu = accelerator.device.type == "cuda"
    recorded = graphs.recordable(recipe, accelerator.device) and accelerator.num_processes == 1
    with _SEED_LOCK:
        torch.manual_seed(recipe.seed)
        model = FAMILIES[recipe.family](recipe.config)
        critic = Critic.of(recipe, recorded and on_gpu)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, decoupled_weight_decay=True,
        capturable=recorded and on_gpu,
    )  # fmt: skip
    done = checkpoints.newest(folder) if folder else None
    if done and not recipe.same_as(done.recipe):
        raise ValueError(f"{folder} holds checkpoints of another recipe: move them away to start a new run")
    start, spent, origin = 0, 0.0, ""
    if done:
        start, spent, origin = asdict(done.progress).values()
        load_state(done, model, optimizer, critic)
    elif recipe.starts_from:
        pretrained = store.load(recipe.starts_from)
        model.load_state_dict(pretrained.state_dict())
        origin = store.card_of(pretrained).weights_sha256
    if not done and model.data_dependent_init:
        chosen = torch.randperm(len(split), generator=torch.Generator().manual_seed(recipe.seed))
        initialise = cast(Callable[[Tensor], None], model.initialise)  # see data_dependent_init
        initialise(split.batch(chosen[:1000].numpy())[0])

    world = accelerator.num_processes
    batches = Batches(
        len(split), recipe.batch_size, recipe.seed, start * world, recipe.steps * world
    )
    images = split
    if on_gpu and OnDevice.fits(split, accelerator.device):
        images = cast(Split, OnDevice(split, accelerator.device))  # it has all attributes of its split
    objective = recipe.objective
    dataset = WholeBatches(objective.dataset(images, recipe.seed))
    loader = DataLoader(dataset, batch_sampler=batches, collate_fn=lambda batch: batch)
    if recipe.config.network == "conv":
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    prepared, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    prepared.train()
    if critic:
        critic.network, critic.optimizer = accelerator.prepare(critic.network, critic.optimizer)
    average = Average(accelerator.unwrap_model(prepared)) if recipe.ema else None
    if average and done:
        for key, stored in checkpoints.tensors(done.files["average.safetensors"]).items():
            average.weights[key].copy_(stored)
    noise = torch.Generator(accelerator.device)
    # accelerate's own autocast is fixed once per process, but recipes differ
    autocast = torch.autocast(
        accelerator.device.type, torch.bfloat16, enabled=recipe.mixed_precision == "bf16"
    )
    bar = tqdm(
        total=recipe.steps, initial=start, desc=name, unit="step", mininterval=1.0,
        disable=not (progress and accelerator.is_main_process),
    )  # fmt: skip

    began, saved = time.thread_time(), time.monotonic()

    def save() -> None:
        if folder and accelerator.is_main_process:
            files = state_files(accelerator.unwrap_model(prepared), optimizer, critic, average)
            cost = spent + time.thread_time() - began
            if recorded and step > start:
                assert_finite(terms, name, step - 1)
            checkpoints.write(folder, recipe.hyperparameters(), checkpoints.Progress(step, cost, origin), files)

    def repeated(values: Tensor) -> Tensor:
        n = objective.samples_per_image
        return values.repeat(n, *[1] * (values.dim() - 1)) if n > 1 else values

    def take_step(x: Tensor, y: Tensor, decay: float | Tensor, *values: float | Tensor) -> Terms:
        """Take the part of a step that runs on the device. Returns the terms. values: the objective's weights."""
        if recipe.shift:
            x = shifted(x, recipe.shift, noise)
        if recipe.binarise:
            x = torch.bernoulli(x, generator=noise)
        with autocast:
            out = prepared(repeated(x), repeated(y) if objective.takes_label else None, noise, objective.refine)
        weights = dict(zip(names, values, strict=True))
        terms = objective.terms(out, Batch(x, y, weights, len(split), critic.network if critic else None))
        if not recorded:
            assert_finite(terms, name, step)
        optimizer.zero_grad()
        accelerator.backward(terms.loss.mean())
        if recipe.max_grad_norm:
            accelerator.clip_grad_norm_(prepared.parameters(), recipe.max_grad_norm)
        optimizer.step()
        if critic:
            critic.step(out, x, accelerator, noise)
        if average:
            average.update(accelerator.unwrap_model(prepared), decay)
        return terms

    names = tuple(objective.at(0))
    run_step: Callable[..., Terms] = take_step
    scalar: Callable[[float], float | Tensor] = float
    if recorded:  # a value that changes from step to step must be a tensor, or a replay would reuse the recorded one
        run_step = graphs.Recorded(take_step, noise)
        scalar = functools.partial(torch.tensor, dtype=torch.float32, device=accelerator.device)
        rate = torch.tensor(0.0, dtype=torch.float32, device=accelerator.device)
        for group in optimizer.param_groups:
            group["lr"] = rate

    def weights_now() -> dict[str, Tensor]:
        current = accelerator.unwrap_model(prepared).state_dict()
        return {**current, **average.weights} if average else current

    pilot = pilot or Pilot()
    pilot.begin(weights_now)
    step, between_steps = start, True
    try:
        for x, y in loader:
            if (weights := pilot.before(step, objective)) is None:
                break
            between_steps = False
            noise.manual_seed((recipe.seed * 100_003 + step) * world + accelerator.process_index)
            if recorded:
                rate.fill_(recipe.learning_rate_at(step))
            else:
                for group in optimizer.param_groups:
                    group["lr"] = recipe.learning_rate_at(step)
            terms = run_step(x, y, *map(scalar, (ema_decay(step), *weights.values())))
            if recorded and (step + 1) % CHECK_EVERY == 0:
                assert_finite(terms, name, step)
            step, between_steps = step + 1, True
            on_step(step, terms)
            pilot.after(step, terms)
            if step % 100 == 0:
                bar.update(100)
                bar.set_postfix(
                    recon=f"{terms.recon.mean():.1f}", kl=f"{terms.kl.mean():.2f}", refresh=False
                )
            if step % checkpoint_every == 0 or time.monotonic() - saved > MAX_UNSAVED:
                save()
                saved = time.monotonic()
            if step < recipe.steps and stop():
                save()
                raise Stopped(f"{name} stopped at step {step:,} of {recipe.steps:,}")
    except KeyboardInterrupt:
        # a run cannot be resumed from the middle of a step: then the last checkpoint is kept
        if between_steps:
            save()
        raise
    finally:
        bar.close()
    save()
    accelerator.wait_for_everyone()

    model = accelerator.unwrap_model(prepared)
    if average:
        average.copy_to(model)
    return finished(model, split)


def finished(model: LatentModel, split: Split) -> LatentModel:
    """Return a model whose weights are final, in eval mode on the CPU, with its prior fitted to the training codes
    where it has none of its own."""
    model = model.cpu().eval().requires_grad_(False)
    if model.ex_post_prior:
        fit_prior = cast(Callable[[Tensor], None], model.fit_prior)  # see ex_post_prior
        fit_prior(torch.from_numpy(mean_codes(model, split)))
    return model


def state_files(
    model: LatentModel, optimizer: torch.optim.Optimizer, critic: Critic | None, average: Average | None
) -> dict[str, bytes]:
    """Return the state of a run as the files of a checkpoint."""
    files = {
        "model.safetensors": checkpoints.content_of(model.state_dict()),
        "optimizer.pt": _pickled(optimizer.state_dict()),
    }
    if average:
        files["average.safetensors"] = checkpoints.content_of(average.weights)
    if critic:
        files["critic.pt"] = _pickled(critic.state_dict())
    return files


def load_state(
    done: checkpoints.Checkpoint, model: LatentModel, optimizer: torch.optim.Optimizer, critic: Critic | None
) -> None:
    """Load the state of a run from a checkpoint, except the averaged weights."""
    model.load_state_dict(checkpoints.tensors(done.files["model.safetensors"]))
    optimizer.load_state_dict(_unpickled(done.files["optimizer.pt"]))
    if critic:
        critic.load_state_dict(_unpickled(done.files["critic.pt"]))


def _pickled(state: dict) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def _unpickled(content: bytes) -> dict:
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def assert_finite(terms: Terms, name: str, step: int) -> None:
    """Raise NotFinite, naming step and term, unless the loss of every example is finite."""
    if not torch.isfinite(terms.loss).all():
        named = {k: t for k, t in terms._asdict().items() if isinstance(t, Tensor)}
        broken = next(name for name, t in named.items() if not t.isfinite().all())
        raise NotFinite(name, step, broken)


def shifted(x: Tensor, max_shift: int, generator: torch.Generator) -> Tensor:
    """Return images x (B, C, H, W), each shifted by up to max_shift pixels along both axes and padded with black."""
    height, width = x.shape[2:]
    padded = torch.nn.functional.pad(x, (max_shift,) * 4)
    offsets = torch.randint(2 * max_shift + 1, (len(x), 2), generator=generator, device=x.device).tolist()
    return torch.stack([
        image[:, down : down + height, right : right + width]
        for image, (down, right) in zip(padded, offsets, strict=False)
    ])  # fmt: skip


@torch.no_grad()
def mean_codes(model: LatentModel, split: Split, n: int = 10_000) -> np.ndarray:
    """Return the posterior means (n, D) of the first n images of a split."""
    codes = []
    for x, y in split.batches(rows=range(min(n, len(split)))):
        codes.append(model.encode(x, y if model.num_classes else None).mean)
    return torch.cat(codes).numpy()
