"""Background processes: a module run in a process of its own, its progress, time limits and stop requests.

Everything here works on every platform.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

EXIT_TIMED_OUT = 75  # exit status of a process that `end_after` ended


@dataclass(frozen=True)
class Progress:
    """The state of a running job."""

    stage: str
    share: float  # 0 to 1, of all the work


class Process:
    """A running `python -m MODULE FOLDER`, started by the constructor; its output goes to FOLDER/log."""

    def __init__(self, module: str, folder: Path, environment: dict[str, str] | None = None):
        self.folder = folder
        self._log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            cwd=Path(__file__).parents[1], stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
        )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def progress(self) -> Progress:
        """Return what the process last wrote with `write_progress`, or "starting" before it has."""
        try:
            return Progress(**json.loads((self.folder / "progress.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return Progress("starting", 0.0)

    def cancel(self) -> None:
        """Kill the process and wait until it has ended."""
        if self.alive:
            self.process.kill()
        self.process.wait()
        self._log.close()


def write_progress(folder: Path, stage: str, share: float) -> None:
    """Write the progress of the job in this folder, for `Process.progress` to read."""
    temporary = folder / "progress.writing"
    temporary.write_text(json.dumps({"stage": stage, "share": share}), encoding="utf-8")
    os.replace(temporary, folder / "progress.json")


def end_after(seconds: float) -> None:
    """End this process after so many seconds, when its result is no longer awaited."""
    timer = threading.Timer(seconds, os._exit, [EXIT_TIMED_OUT])
    timer.daemon = True
    timer.start()


def lower_priority() -> None:
    """Run this process at a lower priority, where the platform supports it."""
    if hasattr(os, "nice"):
        os.nice(5)


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
    """Return whether the parent process with this id has ended. Always False on Windows, where it cannot be seen."""
    return os.name == "posix" and os.getppid() != parent
