"""One training, as the process of the pages sees it: its place in the queue, its frames, its end.

A training is a job (see jobs.py). It writes frames into its folder; a thread of this process takes them from there, so
that a film outlives its job. One training runs at a time, and the others wait in the order in which they came.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from .. import jobs
from . import film, settings
from .control import COMMANDS, Control, Task
from .film import Curve, Frame, Scene
from .plan import Plan, valid_beta

MODULE = "vae.live.worker"
TITLE = "The training"
POLL = 0.05  # seconds between two looks for new frames
MAX_RESULT = 200 * 2**20  # bytes of a model's folder
MAX_RESULT_FILES = 20
KEPT = 3600.0  # seconds that an ended training can be found, after it was last seen
FREE = 2**20  # bytes: below, the disk counts as full
FULL = "The disk of the server is full, so pictures of this training are missing."
ENDED = ("finished", "stopped", "failed")  # states that do not change any more
log = logging.getLogger(__name__)


class Training:
    """A training that has been asked for; the constructor puts it into the queue.

    data_folder: of a visitor's own images; None for a registered data set. owner: who asked, see `find`; an earlier
    training of the same owner is cancelled. abandoned: seconds after the last call of `seen` until it ends.
    Raises jobs.JobError where the server allows no training.
    """

    def __init__(
        self, plan: Plan, data_folder: Path | None = None, owner: str = "", abandoned: float = settings.ABANDONED
    ):
        self.plan, self.data_folder, self.owner, self.abandoned = plan, data_folder, owner, abandoned
        self.allowed = settings.seconds()
        if not self.allowed:
            raise jobs.JobError("This server does not allow training.")
        self.scene: Scene | None = None  # None until the first frame
        self.sentence = ""  # on what happened, where the state is "failed" or "stopped"
        self.warning = ""  # a sentence on what is missing, "" for nothing
        self._film, self._taken = film.Film(), 0
        self._control, self._moved = Control(beta=plan.beta), threading.Lock()
        self._job: jobs.Job[str] | None = None
        self._progress = jobs.Progress("starting", 0.0)
        self._end = ""  # one of ENDED
        self._kept: tempfile.TemporaryDirectory[str] | None = None  # where the model is
        self._seen = time.monotonic()
        _queue.join(self)
        threading.Thread(target=self._watch, name="watch a training", daemon=True).start()

    # ---- what a page asks

    @property
    def state(self) -> str:
        """Return queued, starting, running, paused, finishing, finished, stopped or failed."""
        if self._end:
            return self._end
        if self._job is None:
            return "queued"
        stage = self._progress.stage
        if stage in ("waiting", "starting"):  # waiting: a process that was started before there was a plan
            return "starting"
        return stage if stage in ("running", "paused") else "finishing"

    @property
    def stage(self) -> str:
        """Return what is being done now, in a few words: "fitting UMAP"; "" before and after the job."""
        return self._progress.stage if self._job and not self._end else ""

    @property
    def progress(self) -> float:
        """Return the share, 0 to 1, of the training, or of what follows it, that is done."""
        return float(self._end == "finished") if self._end else self._progress.share

    @property
    def place(self) -> int:
        """Return how many trainings are before this one in the queue; 0 once it has begun."""
        return _queue.place(self)

    @property
    def step(self) -> int:
        """Return the step of the newest frame."""
        return self._film.last.step if self._film.last else 0

    @property
    def beta(self) -> float:
        """Return the beta that was last asked for."""
        return self._control.beta

    @property
    def moves(self) -> list[tuple[int, float]]:
        """Return (step, beta) from which on each beta held, up to the newest frame."""
        return list(self._film.moves)

    def seen(self) -> None:
        """Note that the visitor is still there."""
        self._seen = time.monotonic()

    def frames(self, after: int = -1) -> list[Frame]:
        """Return the kept frames of more than so many steps."""
        return self._film.after(after)

    def curve(self) -> Curve:
        """Return the terms of all kept rows."""
        return self._film.curve()

    def command(self) -> str:
        """Return the command line that repeats the training up to its newest frame, bit for bit."""
        return self.plan.command(self.step or None, self.moves)

    def send(self, command: str) -> None:
        """Go on, pause, take one batch or one epoch, or stop. Raises ValueError for another command."""
        if command not in COMMANDS:
            raise ValueError(f"unknown command {command!r}: expected one of {', '.join(COMMANDS)}")
        with self._moved:
            control = self._control
            if control.mode == "stop":
                return
            mode = command if command in ("go", "stop") else "pause"
            self._ask(replace(
                control, mode=mode, batches=control.batches + (command == "batch"),
                epochs=control.epochs + (command == "epoch"),
            ))  # fmt: skip
        if command == "stop" and self._job is None:
            self._finish("stopped", "The training was taken out of the queue.")

    def set_beta(self, value: float) -> None:
        """Use another beta from the next step on. Raises ValueError for a value out of range."""
        if not valid_beta(value):
            raise ValueError(f"beta cannot be {value!r}")
        with self._moved:
            self._ask(replace(self._control, beta=float(value)))

    def cancel(self) -> None:
        """End at once, without a model."""
        self._finish("stopped", "The training was cancelled.")

    def result(self) -> Path:
        """Return the folder of the model: a root of a Store. It is removed with this object.

        Raises jobs.JobError where there is none.
        """
        if self._kept is None:
            raise jobs.JobError(self.sentence or "The training has not ended yet.")
        return Path(self._kept.name) / "result"

    # ---- the thread

    def _ask(self, control: Control) -> None:
        self._control = control
        if self._job is not None and not self._end:
            with suppress(OSError):  # a job that has just ended, or a full disk: the next request is another try
                control.write(self._job.folder)

    def _watch(self) -> None:
        """Start the job when it is this training's turn, take its frames, and note its end."""
        while not self._end:
            try:
                self._look()
            except Exception:  # otherwise the others would wait for this one for ever
                log.exception("a training cannot be watched any more")
                self._finish("failed", "The training stopped because of an error in the server.")
            time.sleep(POLL)
        _queue.leave(self)

    def _look(self) -> None:
        """Take the next step from the queue to the end."""
        if time.monotonic() - self._seen > self.abandoned:
            self._finish("stopped", "The training ended because its page was closed.")
        elif self._job is None:
            if _queue.place(self) == 0:
                self._start()
        elif self._job.alive:
            progress = self._job.progress()
            self._take_frames()
            self._progress = progress  # after the frames that it speaks of
        else:
            self._take_frames()
            self._collect(self._job)

    def _start(self) -> None:
        try:
            with self._moved:
                if self._end:
                    return
                job = _queue.new_job(self._take_result)
                self._control.write(job.folder)
                seconds = min(self.plan.seconds or self.allowed, self.allowed)
                Task(self.plan, self.data_folder, seconds).write(job.folder)
                self._job = job
        except OSError as error:
            self._finish("failed", f"The training could not be started ({error.strerror or error}).")
        except jobs.JobError as error:
            self._finish("failed", str(error))

    def _take_frames(self) -> None:
        """Read the frames that have been written since the last look, and remove their files."""
        assert self._job is not None
        folder = self._job.folder
        try:
            self.scene = self.scene or film.read(Scene, folder / film.SCENE)
            while (path := self._next_file(folder / film.FRAMES)) is not None:
                self._film.add(film.read(Frame, path))
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            pass
        except Exception as error:  # a damaged zip, zlib and numpy raise different errors
            log.warning("a frame of a training cannot be read: %r", error)
        if not self.warning and shutil.disk_usage(folder.parent).free < FREE:  # the folder may have been removed
            self.warning = FULL

    def _next_file(self, folder: Path) -> Path | None:
        """Return the file of the next frame, None where it is not written yet. One that a full disk has cost is left
        out as soon as a later one is there."""
        for name in sorted(os.listdir(folder)):
            stem = name.removesuffix(".npz")
            if name != stem and stem.isdigit() and int(stem) >= self._taken:
                self._taken = int(stem) + 1
                return folder / name
        return None

    def _collect(self, job: jobs.Job[str]) -> None:
        """Take the result of a job that has ended."""
        try:
            sentence = job.result()
            self._finish("failed" if sentence else "finished", sentence)
        except jobs.JobError as error:
            self._finish("failed", self.warning or str(error))

    def _take_result(self, folder: Path) -> str:
        """Move the model out of the job's folder, which is removed. Returns a sentence where the training broke off.

        Raises ValueError for a folder that is too large, and OSError.
        """
        files = [path for path in (folder / "result").rglob("*") if path.is_file() and not path.is_symlink()]
        if not files or len(files) > MAX_RESULT_FILES or sum(path.stat().st_size for path in files) > MAX_RESULT:
            raise ValueError("the model's folder is empty or too large")
        self._kept = tempfile.TemporaryDirectory(prefix="vae-trained-", ignore_cleanup_errors=True)
        shutil.move(folder / "result", self._kept.name)
        with suppress(OSError):
            return jobs.read_sentence(folder / "broken")
        return ""

    def _finish(self, end: str, sentence: str) -> None:
        """Note the end, once, and stop a job that still runs."""
        with self._moved:
            if self._end:
                return
            self.sentence, self._end = sentence, end
        if self._job is not None and self._job.alive:
            self._job.cancel()
        _queue.leave(self)


class _Queue:
    """The trainings that run or wait, in the order in which they came, and the one spare process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.waiting: list[Training] = []
        self.of_owner: dict[str, Training] = {}
        self.spare: _Spare | None = None

    def join(self, training: Training) -> None:
        with self.lock:
            now = time.monotonic()
            self.of_owner = {
                owner: other for owner, other in self.of_owner.items() if not other._end or now - other._seen < KEPT
            }
            earlier = self.of_owner.get(training.owner)
            self.of_owner[training.owner] = training
            self.waiting.append(training)
        if earlier is not None:
            earlier.cancel()

    def leave(self, training: Training) -> None:
        with self.lock:
            if training in self.waiting:
                self.waiting.remove(training)

    def place(self, training: Training) -> int:
        with self.lock:
            return self.waiting.index(training) if training in self.waiting else 0

    def new_job(self, take: Callable[[Path], str]) -> jobs.Job[str]:
        """Return the spare process, else a new one. take: what is done with its folder when it has ended."""
        with self.lock:
            spare, self.spare = self.spare, None
            if spare is None or not spare.alive:
                spare = _Spare()
            spare.take = take
            return spare

    def warm_up(self) -> None:
        with self.lock:
            if not self.waiting and settings.seconds() and (self.spare is None or not self.spare.alive):
                with suppress(jobs.JobError):
                    self.spare = _Spare()


class _Spare(jobs.Job[str]):
    """A training process that waits for its task."""

    def __init__(self) -> None:
        self.take: Callable[[Path], str] = lambda folder: ""
        limit = settings.SPARE + settings.seconds() + settings.FINISHING
        super().__init__(
            MODULE, TITLE, lambda folder: None, lambda arrays: self.take(self.folder),
            jobs.Limits(limit, settings.MEMORY, at_once=2), {"NUMBA_NUM_THREADS": "1"},
        )  # fmt: skip


_queue = _Queue()


def find(owner: str) -> Training | None:
    """Return the newest training of an owner, as long as it runs or was seen within the last hour."""
    return _queue.of_owner.get(owner)


def warm_up() -> None:
    """Start the process of the next training now, so that its first picture comes within a second of its start.

    Does nothing where there is one, where a training runs, and where the server allows none. The process ends after
    a quarter of an hour.
    """
    _queue.warm_up()
