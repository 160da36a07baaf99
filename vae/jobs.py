"""Background processes: a module run as a job, with its progress, limits of time and memory, and a way to cancel it.

The parent starts a `Job`; in the child the module calls `run`. They exchange files in a folder of the job. The
parent reads a child's files as data only: sizes are limited, and nothing is unpickled.

Everything here works on Linux, macOS and Windows. What differs between them depends on WINDOWS alone.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

import numpy as np
import psutil

from . import folders

WINDOWS = os.name == "nt"
POLL = 0.25  # seconds between two looks at a job's memory and time
NEW_CHILDREN = 2.0  # seconds between two searches for processes that a job has started, which take longer
GRACE = 1.0  # seconds between a request to terminate and a kill
REPORT_EVERY = 0.1  # seconds between two reports of one stage
RESULT_TTL = 600  # seconds an uncollected result is kept; a browser runs the timers of a hidden tab once a minute
EXIT_ABANDONED = 76  # exit status of a process whose parent has ended
MAX_TEXT = 4096  # bytes that are read of a child's progress or sentence
MAX_RESULT = 2**30  # bytes of a result's arrays
PROGRESS, SENTENCE, RESULT, LOG = "progress.json", "sentence", "result.npz", "log"
log = logging.getLogger(__name__)

Arrays = dict[str, np.ndarray]
Report = Callable[[str, float], None]  # report(stage, share): share is 0 to 1, of all the work
Result = TypeVar("Result")


class JobError(Exception):
    """An error for a job without a result; its message is one sentence for the user."""


class Busy(JobError):
    """An error for too many jobs at once."""


@dataclass(frozen=True)
class Progress:
    """The state of a running job."""

    stage: str
    share: float  # 0 to 1, of all the work


@dataclass(frozen=True)
class Limits:
    """The limits of one job, and of the number of jobs of its module."""

    seconds: float  # from start to end
    memory: int  # bytes, resident, of the process and all it has started
    at_once: int  # jobs of this module, of all sessions together


class Job(Generic[Result]):
    """A run of `python -m MODULE` in a process and a folder of its own, started by the constructor.

    title: the beginning of each sentence about the job, such as "The map fit". prepare(folder): writes the job's
    input. parse(arrays): checks the arrays that the module returned and makes the result of them.
    The constructor raises Busy where limits.at_once jobs of this module are running, and JobError where the
    input cannot be written or the process cannot be started.
    """

    _running: set[Job] = set()
    _running_lock = threading.Lock()

    def __init__(
        self,
        module: str,
        title: str,
        prepare: Callable[[Path], None],
        parse: Callable[[Arrays], Result],
        limits: Limits,
        environment: dict[str, str] | None = None,
    ):
        self.module, self.title, self.limits, self._parse = module, title, limits, parse
        self._reason = ""  # why the parent ended the job or dropped its result
        self._progress = Progress("starting", 0.0)
        self._lock, self._collected = threading.Lock(), threading.Event()
        self._count_in()
        try:
            self._temporary = tempfile.TemporaryDirectory(prefix="vae-job-", ignore_cleanup_errors=True)
            self.folder = Path(self._temporary.name)
            prepare(self.folder)
            self.process = self._start(environment or {})
        except BaseException as error:
            self._count_out()
            if hasattr(self, "_temporary"):
                self._temporary.cleanup()
            if isinstance(error, OSError):
                raise JobError(f"{title} could not be started ({error.strerror or error}).") from error
            raise
        self._tree = _Tree(self.process)
        threading.Thread(target=self._watch, name=f"watch {module}", daemon=True).start()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def progress(self) -> Progress:
        """Return what the process last reported, or "starting" before it has."""
        with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            reported = json.loads(_read_text(self.folder / PROGRESS))
            share = float(reported["share"])
            if math.isfinite(share):
                self._progress = Progress(_one_line(reported["stage"], 100), min(1.0, max(0.0, share)))
        return self._progress

    def cancel(self) -> None:
        """End the process and all it has started, and remove the job's folder; does nothing when called again."""
        self._end("was cancelled")
        self._clean()

    def result(self) -> Result:
        """Return the result of a job that has ended, and remove its folder. Raises JobError."""
        try:
            if self._reason:
                raise JobError(f"{self.title} {self._reason}.")
            with suppress(OSError):
                raise JobError(read_sentence(self.folder / SENTENCE))
            try:
                return self._parse(read_arrays(self.folder / RESULT))
            except FileNotFoundError:
                self._log_failure()
                raise JobError(
                    f"{self.title} ended without a result (exit {self.process.returncode}); nothing else is "
                    "affected, and you can try again."
                ) from None
            except Exception as error:  # a damaged zip, zlib and numpy raise different errors
                log.warning("the result of %s cannot be read: %r", self.module, error)
                raise JobError(
                    f"{self.title} ended with a result that cannot be read; nothing else is affected, and you can "
                    "try again."
                ) from error
        finally:
            self._clean()

    def _start(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / LOG).open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", self.module, str(self.folder), str(os.getpid()), str(self.limits.seconds)],
                cwd=Path(__file__).parents[1], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**folders.environment(), "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1", **environment}, **_detached(),
            )  # fmt: skip

    def _watch(self) -> None:
        """Hold the job to its limits until it ends, then keep its result for RESULT_TTL seconds."""
        deadline = time.monotonic() + self.limits.seconds
        while self.alive:
            with self._lock:
                memory = self._tree.memory()
            if memory > self.limits.memory:
                self._end(f"was stopped: it needed more than {self.limits.memory / 2**30:.3g} GB of memory")
            elif time.monotonic() > deadline:
                self._end(f"was stopped: it took longer than {_duration(self.limits.seconds)}")
            else:
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(POLL)
        self._end("")  # the processes that it has started and not ended
        self._count_out()
        if not self._collected.wait(RESULT_TTL):
            self._reason = self._reason or f"has ended; its result was not fetched within {_duration(RESULT_TTL)}"
            self._clean()

    def _end(self, reason: str) -> None:
        with self._lock:
            if self.alive:
                self._reason = reason
            self._tree.end()

    def _clean(self) -> None:
        self._collected.set()
        self._count_out()
        self._temporary.cleanup()

    def _count_in(self) -> None:
        with self._running_lock:
            others = sum(job.module == self.module for job in self._running)
            if others >= self.limits.at_once:
                raise Busy(f"{self.title} cannot start while {others} others run; try again in a minute.")
            self._running.add(self)

    def _count_out(self) -> None:
        with self._running_lock:
            self._running.discard(self)

    def _log_failure(self) -> None:
        """Log the end of the child's output for whoever runs the server."""
        with suppress(OSError), (self.folder / LOG).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 2000))
            output = file.read().decode("utf-8", "replace")
            log.warning("%s ended with status %s: %s", self.module, self.process.returncode, output)


class _Tree:
    """A process and all processes that it has started, directly or not, as far as they have been seen."""

    def __init__(self, root: subprocess.Popen[bytes]):
        self.root = root
        self.seen: set[psutil.Process] = set()  # a psutil.Process is not fooled by an id that is used again
        self.searched = -math.inf
        with suppress(psutil.Error):
            self.seen.add(psutil.Process(root.pid))

    def _search(self) -> list[psutil.Process]:
        """Return the processes that run, after a search for new ones."""
        for process in list(self.seen):
            with suppress(psutil.Error):
                self.seen.update(process.children(recursive=True))
        self.seen = {process for process in self.seen if _runs(process)}
        self.searched = time.monotonic()
        return list(self.seen)

    def memory(self) -> int:
        """Return their resident memory in bytes. Pages that processes share are counted for each."""
        if time.monotonic() - self.searched > NEW_CHILDREN:
            self._search()
        total = 0
        for process in self.seen:
            with suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def end(self) -> None:
        """Ask them to terminate; kill what still runs after GRACE seconds. On Windows both end a process at once."""
        self._signal(psutil.Process.terminate, self._search())
        for _ in range(3):  # a process may start others until the moment of its end
            if running := self._search():
                self._signal(psutil.Process.kill, running)
        self.root.poll()  # takes its exit status, so that no zombie stays

    def _signal(self, send: Callable[[psutil.Process], None], processes: list[psutil.Process]) -> None:
        """Send a signal to processes and wait until they have ended, at most GRACE seconds."""
        for process in processes:
            with suppress(psutil.Error):
                send(process)
        deadline = time.monotonic() + GRACE
        # an orphan may stay a zombie for ever, where process 1 of a container does not wait for it
        while any(map(_runs, processes)) and time.monotonic() < deadline:
            time.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _detached() -> dict[str, Any]:
    """Return the options of Popen for a child that a Ctrl-C in the parent's terminal does not reach."""
    if WINDOWS:
        names = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW")  # subprocess has them on Windows only
        return {"creationflags": sum(getattr(subprocess, name, 0) for name in names)}
    return {"start_new_session": True}


def _read_text(path: Path) -> str:
    """Return the beginning of a child's file. Raises OSError where it is missing or no file, such as a pipe."""
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        return file.read(MAX_TEXT).decode("utf-8", "replace")


def read_sentence(path: Path) -> str:
    """Return a child's sentence for the user, in one line of at most 500 characters. Raises OSError where there is
    none."""
    return _one_line(_read_text(path), 500)


def _one_line(text: object, length: int) -> str:
    return " ".join(str(text).split())[:length]


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds > 60 else f"{seconds:g} seconds"


def read_arrays(path: Path, limit: float = math.inf) -> Arrays:
    """Return the arrays of an npz file that a child wrote; nothing is unpickled.

    Raises FileNotFoundError where it is missing or no file, ValueError where its arrays take more than `limit` bytes
    or MAX_RESULT, and what zipfile and numpy raise where it is damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    # opened here, because np.load leaves a damaged zip open
    with path.open("rb") as content:
        with zipfile.ZipFile(content) as archive:
            if (size := sum(entry.file_size for entry in archive.infolist())) > min(limit, MAX_RESULT):
                raise ValueError(f"its arrays take {size:,} bytes")
        content.seek(0)
        with np.load(content, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}


def part(report: Report | None = None, start: float = 0.0, stop: float = 1.0) -> Report:
    """Return a report of a part of some work: its shares 0 to 1 are the shares start to stop of the whole.

    report: that of the whole; None reports nothing.
    """

    def report_part(stage: str, share: float) -> None:
        if report is not None:
            report(stage, start + (stop - start) * share)

    return report_part


# ---- in the child


def run(work: Callable[[Path, Report], Arrays]) -> None:
    """Do the work of a job in this process, which a `Job` has started as `python -m MODULE FOLDER PARENT SECONDS`.

    work(folder, report) returns the arrays of the result. A JobError is an answer, and its sentence reaches the user.
    """
    folder, parent, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    # in case the parent cannot: this timer needs no interpreter, which an endless call of a library may hold
    faulthandler.dump_traceback_later(seconds + 5 * GRACE, exit=True)
    threading.Thread(target=_end_when_abandoned, args=(parent, folder), daemon=True).start()
    _lower_priority()  # pages come first
    try:
        arrays = work(folder, _Reporter(folder))
    except JobError as error:
        (folder / SENTENCE).write_text(str(error), encoding="utf-8")
        return
    with (folder / "writing").open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    os.replace(folder / "writing", folder / RESULT)


class _Reporter:
    """A report that writes the progress of the job in a folder, in one stage at most every REPORT_EVERY seconds."""

    def __init__(self, folder: Path):
        self.folder, self.stage, self.written = folder, "", -math.inf

    def __call__(self, stage: str, share: float) -> None:
        if stage == self.stage and time.monotonic() - self.written < REPORT_EVERY:
            return
        self.stage, self.written = stage, time.monotonic()
        temporary = self.folder / "progress.writing"
        temporary.write_text(json.dumps({"stage": stage, "share": share}), encoding="utf-8")
        with suppress(PermissionError):  # on Windows, while the parent reads it: the next report replaces it
            os.replace(temporary, self.folder / PROGRESS)


def _end_when_abandoned(parent: int, folder: Path) -> None:
    """End this process with its children, and remove its folder, once its parent has ended."""
    while not abandoned(parent):
        time.sleep(1)
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(EXIT_ABANDONED)


def _lower_priority() -> None:
    if WINDOWS:
        psutil.Process().nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 5))  # psutil has it on Windows only
    else:
        os.nice(5)


# ---- workers of a sweep


class StopRequest:
    """A context manager that turns Ctrl-C or SIGTERM into a request to stop; calling it returns whether one came.

    The request is a file, so that worker processes see it too. Inside the context the first signal requests
    a stop and a second one interrupts at once.
    """

    def __init__(self, folder: Path):
        self.path = folder / f"stop-{os.getpid()}"

    def __call__(self) -> bool:
        return self.path.exists()

    def __enter__(self) -> StopRequest:
        self.path.unlink(missing_ok=True)
        self._previous = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._request)
        return self

    def _request(self, number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        self.path.touch()

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self.path.unlink(missing_ok=True)


def leave_interrupts_to_parent() -> None:
    """Ignore Ctrl-C in a worker: its parent receives the same signal and stops it at a checkpoint."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def abandoned(parent: int) -> bool:
    """Return whether the process with this id, which started this one, has ended."""
    if not WINDOWS:
        return os.getppid() != parent
    # there an id stays that of the parent, and a virtual environment's python.exe stands between the two
    try:
        return psutil.Process(parent).create_time() > psutil.Process().create_time()  # a later process has the id
    except psutil.Error:  # a process of another user has the id, or none
        return True
