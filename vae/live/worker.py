"""The training process: waits for a task, trains, writes frames, and leaves a model in a folder.

It may be started before there is a task, because importing torch takes longer than all else before the first picture.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import torch

from .. import jobs
from ..data import DatasetInfo, Split
from ..models import LatentModel, NetworkConfig
from ..training.recipes import Recipe
from . import film, settings
from .control import Ear, Task
from .images import find, in_memory, training_split, validation_split
from .steering import Recorder, Steering
from .view import View

POLL = 0.02  # seconds between two looks for a task
RESULT = "result"  # the folder of the model, a root of a Store
BROKEN = "broken"  # the file with a sentence on a training that broke off and left its last snapshot


def work(folder: Path, report: jobs.Report) -> jobs.Arrays:
    """Wait for a task and do it. Raises JobError where no model can be left."""
    torch.set_num_threads(1)  # sums in another order would end in other weights
    report("waiting", 0.0)
    task = wait(folder)
    report("starting", 0.0)
    info, train, validation = read_images(task)
    recipe = task.plan.recipe(info)
    view = View(recipe, info, train, validation)
    film.write(view.scene, folder / film.SCENE)
    steering = Steering(task.plan, view, Recorder(folder), Ear(folder), report, task.seconds)
    steering.show_untrained(recipe.objective)
    model, broken = train_model(recipe, train, view, steering)
    if not view.step:
        raise jobs.JobError(broken or "Training was stopped before its first step, so there is no model.")
    save(model, task.plan.recipe(info, view.step, steering.moves), info, folder, report)
    if broken:
        (folder / BROKEN).write_text(broken, encoding="utf-8")
    return {}


def read_images(task: Task) -> tuple[DatasetInfo, Split, Split]:
    """Return the data set of a task, its training and its validation images. Raises JobError."""
    try:
        info = find(task.plan.data, task.data_folder)
        return info, in_memory(training_split(info, images=task.plan.images)), validation_split(info)
    except (OSError, ValueError) as error:
        raise jobs.JobError(f"The training cannot begin: {error}.") from error


def save(model: LatentModel, recipe: Recipe, info: DatasetInfo, folder: Path, report: jobs.Report) -> None:
    """Measure a model and write it to `result` in a job's folder. Raises JobError where that cannot be written."""
    from . import result  # scikit-learn and the measures take a second, which the first picture need not wait for

    try:
        result.write(model, recipe, info, folder / RESULT, report)
    except OSError as error:
        shutil.rmtree(folder / RESULT, ignore_errors=True)
        raise jobs.JobError(f"The model could not be saved: {error}.") from error


def train_model(recipe: Recipe, train: Split, view: View, steering: Steering) -> tuple[LatentModel, str]:
    """Train until the end that `steering` sets. Returns (the model, "").

    Where a term or a weight is no longer finite: (the last snapshot, a sentence on it).
    """
    from ..training import loop

    try:
        model = loop.train("the training", recipe, None, split=train, progress=False, device="cpu", pilot=steering)
        step, term = steering.steps, "a weight"
        if all(t.isfinite().all() for t in model.state_dict().values()):
            return model, ""
    except loop.NotFinite as error:
        step, term = error.step, {"recon": "the reconstruction error", "kl": "the KL"}.get(error.term, error.term)
    sentence = (
        f"Training stopped at step {step:,}: {term} is not finite. "
        + (f"The model is the snapshot of step {view.step:,}." if view.step else "There is no model.")
    )
    return loop.finished(view.model, train), sentence


def wait(folder: Path) -> Task:
    """Return the task as soon as it is written. A process that has to wait for it rehearses."""
    if task := Task.read(folder):
        return task
    rehearse()
    deadline = time.monotonic() + settings.SPARE
    while not (task := Task.read(folder)):
        if time.monotonic() > deadline:
            raise jobs.JobError("No training was started.")
        time.sleep(POLL)
    return task


def rehearse() -> None:
    """Take one step of a tiny training: libraries load a second's worth of modules at their first step."""
    from ..training import loop

    images = np.zeros((2, 1, 8, 8), np.uint8)
    split = Split(images.__getitem__, np.zeros(2, np.int64))
    recipe = Recipe("", "", "vae", "", NetworkConfig((1, 8, 8), 2), steps=1, batch_size=2)
    loop.train("a rehearsal", recipe, None, split=split, progress=False, device="cpu")


if __name__ == "__main__":
    jobs.run(work)
