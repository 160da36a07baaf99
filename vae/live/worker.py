"""The training process: waits for a task, trains, writes frames, and leaves a model in a folder.

It may be started before there is a task, because importing torch takes longer than all else before the first picture.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import torch

from .. import jobs
from ..data import Split
from ..models import LatentModel
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
    task = wait(folder)
    info = find(task.plan.data, task.data_folder)
    train, validation = in_memory(training_split(info)), validation_split(info)
    recipe = task.plan.recipe(info)
    view = View(recipe, info, train, validation)
    film.write(view.scene, folder / film.SCENE)
    steering = Steering(task.plan, view, Recorder(folder), Ear(folder), report, task.seconds)
    steering.show_untrained(recipe.objective)
    model, broken = train_model(recipe, train, view, steering)

    from . import result  # scikit-learn and the measures take a second, which the first picture need not wait for

    steps = view.step
    ended = task.plan.recipe(info, max(1, steps), steering.moves)
    try:
        result.write(model, ended, info, folder / RESULT, jobs.part(report))
    except OSError as error:
        shutil.rmtree(folder / RESULT, ignore_errors=True)
        raise jobs.JobError(f"The model could not be saved ({error.strerror or error}).") from error
    if broken:
        (folder / BROKEN).write_text(broken, encoding="utf-8")
    return {}


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
        f"Training stopped at step {step:,}: {term} is not finite. The model is the snapshot of step {view.step:,}."
    )
    return loop.finished(view.model, train), sentence


def wait(folder: Path) -> Task:
    """Return the task as soon as it is written. Meanwhile the rest of the libraries is loaded."""
    deadline = time.monotonic() + settings.SPARE
    while not (task := Task.read(folder)):
        from ..training import loop  # noqa: F401

        if time.monotonic() > deadline:
            raise jobs.JobError("No training was started.")
        time.sleep(POLL)
    return task


if __name__ == "__main__":
    jobs.run(work)
