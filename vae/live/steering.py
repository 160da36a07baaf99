"""A training that is steered: it looks for requests before every step, and writes a frame at every quarter second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor

from .. import jobs
from ..objectives import Objective
from ..training.pilot import Pilot, Terms
from . import film
from .control import Control
from .plan import Plan
from .view import View

POLL = 0.02  # seconds between two looks at the requests in a pause
EVERY = 0.24  # seconds between two frames
SHARE = 0.08  # of the time that frames may take
RUNNING, PAUSED, FINISHING = "running", "paused", "ending"  # stages of the progress; others follow
log = logging.getLogger(__name__)


class Recorder:
    """Writes frames into a folder, from which the watching process takes them. A full disk costs frames only."""

    def __init__(self, folder: Path):
        self.folder, self.written = folder / film.FRAMES, 0
        self.folder.mkdir()

    def __call__(self, frame: film.Frame) -> None:
        try:
            film.write(frame, self.folder / f"{self.written:08d}.npz")
        except OSError as error:
            log.warning("the frame of step %s could not be written (%s)", f"{frame.step:,}", error)
        self.written += 1


class Steering(Pilot):
    """Runs, pauses and ends a training as it is asked to, and records it.

    listen: returns the requests so far. seconds: that training may take.
    """

    def __init__(
        self, plan: Plan, view: View, record: Callable[[film.Frame], None], listen: Callable[[], Control],
        report: jobs.Report, seconds: float,
    ):  # fmt: skip
        self.plan, self.view, self.record, self.listen, self.report = plan, view, record, listen, report
        self.seconds = seconds
        self.moves: list[tuple[int, float]] = []  # (step, beta)
        self.new_moves: list[tuple[int, float]] = []  # since the last frame
        self.per_epoch = view.scene.steps_per_epoch
        self.batches = self.epochs = 0  # requests for single ones that have been granted
        self.credit = 0  # steps that may be taken in a pause
        self.sums, self.summed = np.zeros(3), 0  # of recon, kl and loss since the last frame
        self.steps = 0  # taken
        self.shown = -1  # the step of the last frame
        self.due = 0.0  # of time.monotonic, of the next frame

    weights: Callable[[], dict[str, Tensor]]

    def show_untrained(self, objective: Objective) -> None:
        """Record the first frame, before the training loop is loaded."""
        self.weights = lambda: dict(self.view.model.state_dict())
        self._show(0, objective, self.listen().beta)

    def begin(self, weights: Callable[[], dict[str, Tensor]]) -> None:
        self.weights = weights
        self.began, self.deadline = time.monotonic(), time.monotonic() + self.seconds

    def before(self, step: int, objective: Objective) -> dict[str, float] | None:
        while not self._may_step(control := self.listen()):
            if control.mode == "stop" or time.monotonic() > self.deadline:
                self._end(step, objective)
                return None
            self._show(step, objective, control.beta)
            self.report(PAUSED, self._share(step))
            time.sleep(POLL)
        if time.monotonic() > self.deadline or self.plan.epochs and step >= self.plan.epochs * self.per_epoch:
            self._end(step, objective)
            return None
        if not self.moves or control.beta != self.beta:
            self._move(step, control.beta)
            self._show(step, objective, control.beta)  # so that no point of the curve averages over two betas
        elif time.monotonic() >= self.due:
            self._show(step, objective, self.beta)
        self.report(RUNNING, self._share(step))
        self.credit = max(0, self.credit - 1)
        return self._weights(step, objective)

    def after(self, step: int, terms: Terms) -> None:
        self.steps = step
        self.sums += [float(t.detach().mean()) for t in (terms.recon, terms.kl, terms.loss)]
        self.summed += 1

    @property
    def beta(self) -> float:
        """The weight that was last used."""
        return self.moves[-1][1] if self.moves else self.plan.beta

    def _may_step(self, control: Control) -> bool:
        """Return whether a step may be taken now, and count the requests for single batches and epochs."""
        self.credit += control.batches - self.batches + (control.epochs - self.epochs) * self.per_epoch
        self.batches, self.epochs = control.batches, control.epochs
        if control.mode == "go":
            self.credit = 0
        return control.mode == "go" or (control.mode == "pause" and self.credit > 0)

    def _weights(self, step: int, objective: Objective) -> dict[str, float]:
        """Return the objective's weights, with beta as it is set now."""
        weights = objective.at(step)
        return {name: self.beta if name == "beta" else value for name, value in weights.items()}

    def _move(self, step: int, beta: float) -> None:
        """Use a beta from a step on."""
        self.moves.append((step, beta))
        self.new_moves.append((step, beta))

    def _end(self, step: int, objective: Objective) -> None:
        self.report(FINISHING, 0.0)
        self._show(step, objective, self.beta)

    def _show(self, step: int, objective: Objective, beta: float) -> None:
        """Record a frame of a step, unless it has been. Weights that are not finite are not shown."""
        if step == self.shown:
            return
        began = time.monotonic()
        self.shown = step
        if self.view.show(self.weights(), step):
            mean = self.sums / self.summed if self.summed else np.full(3, np.nan)
            with suppress(FloatingPointError):  # the next step finds it too, and names its term
                frame = self.view.frame(beta, objective, self._weights(step, objective), mean)
                self.record(replace(frame, moves=np.array(self.new_moves, np.float64).reshape(-1, 2)))
                self.new_moves = []
        self.sums, self.summed = np.zeros(3), 0
        cost = time.monotonic() - began
        self.due = max(began + EVERY, began + cost / SHARE)

    def _share(self, step: int) -> float:
        """Return the share of the training that is done, by its steps or by its time."""
        by_time = (time.monotonic() - self.began) / self.seconds
        by_steps = step / (self.plan.epochs * self.per_epoch) if self.plan.epochs else 0.0
        return max(by_time, by_steps)
