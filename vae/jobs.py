"""Processes that work for long: a module run in one of its own, and what such a process does to end
in time. Nothing here needs more of the system than every platform has.
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

STOPPED_BY_ITSELF = 75  # exit status of a process that `end_after` ended


@dataclass(frozen=True)
class Progress:
    stage: str
    share: float  # 0 to 1, of all the work


class Process:
    """`python -m MODULE FOLDER`, started at once, with its output in FOLDER/log."""

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
        """What the process last wrote by `tell`."""
        try:
            return Progress(**json.loads((self.folder / "progress.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return Progress("starting", 0.0)

    def cancel(self) -> None:
        """End the process, whatever it does, and wait until it is gone."""
        if self.alive:
            self.process.kill()
        self.process.wait()
        self._log.close()


def tell(folder: Path, stage: str, share: float) -> None:
    """Let `Process.progress` know how far the work in this folder is."""
    fresh = folder / "progress.writing"
    fresh.write_text(json.dumps({"stage": stage, "share": share}), encoding="utf-8")
    os.replace(fresh, folder / "progress.json")


def end_after(seconds: float) -> None:
    """End this process if it still runs then: nobody waits for its result any more."""
    timer = threading.Timer(seconds, os._exit, [STOPPED_BY_ITSELF])
    timer.daemon = True
    timer.start()


def give_way() -> None:
    """Let other processes go first, where the system knows of it."""
    if hasattr(os, "nice"):
        os.nice(5)


class StopRequest:
    """Whether Ctrl-C or SIGTERM has asked this process to stop, told by a file, so that its workers see
    it too. A context: inside, the first signal asks, and a second one interrupts at once."""

    def __init__(self, folder: Path):
        self.path = folder / f"stop-{os.getpid()}"

    def __call__(self) -> bool:
        return self.path.exists()

    def __enter__(self) -> StopRequest:
        self.path.unlink(missing_ok=True)
        self._former = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._former[number] = signal.signal(number, self._ask)
        return self

    def _ask(self, number: int, frame) -> None:
        signal.signal(number, signal.default_int_handler)
        self.path.touch()

    def __exit__(self, *error) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self.path.unlink(missing_ok=True)


def leave_interrupts_to_parent() -> None:
    """Ignore Ctrl-C in a worker: its parent, which gets the same signal, stops it at a checkpoint."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def abandoned(parent: int) -> bool:
    """Return whether this process has lost the parent whose id it was given; never on Windows,
    which does not tell."""
    return os.name == "posix" and os.getppid() != parent
