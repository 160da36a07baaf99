"""What the watching process asks of the training one: a task, and requests in a small file that is replaced."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from .plan import Plan

TASK, FILE = "task.json", "control.json"
COMMANDS = ("go", "pause", "batch", "epoch", "stop")


class Task(NamedTuple):
    """What is to be trained."""

    plan: Plan
    data_folder: Path | None  # of a visitor's own images; None for a registered data set
    seconds: float  # that training may take

    def write(self, folder: Path) -> None:
        """Write the task, at which the work on it begins. Raises OSError."""
        stored = {"plan": self.plan.stored(), "data_folder": str(self.data_folder or ""), "seconds": self.seconds}
        _replace(folder / TASK, stored)

    @classmethod
    def read(cls, folder: Path) -> Task | None:
        """Return the task, None where none is written yet."""
        try:
            stored = json.loads((folder / TASK).read_text(encoding="utf-8"))
        except OSError:
            return None
        data_folder = Path(stored["data_folder"]) if stored["data_folder"] else None
        return cls(Plan(**stored["plan"]), data_folder, stored["seconds"])


@dataclass(frozen=True)
class Control:
    """Everything that has been asked so far.

    Single batches and epochs are counted, so that two requests within one look at the file are two.
    """

    mode: str = "go"  # "go", "pause" or "stop"
    batches: int = 0  # single batches asked for so far
    epochs: int = 0
    beta: float = 1.0

    def write(self, folder: Path) -> None:
        """Replace the file. Raises OSError."""
        _replace(folder / FILE, asdict(self))


class Ear:
    """Reads the requests in a folder; cheap enough to ask before every step."""

    def __init__(self, folder: Path):
        self.path, self.seen, self.control = folder / FILE, (0, 0), Control()

    def __call__(self) -> Control:
        """Return what has been asked so far."""
        try:
            status = self.path.stat()
            if (now := (status.st_mtime_ns, status.st_ino)) != self.seen:
                self.control = Control(**json.loads(self.path.read_text(encoding="utf-8")))
                self.seen = now
        except OSError:  # on Windows, while it is replaced: the next look finds it
            pass
        return self.control


def _replace(path: Path, content: dict) -> None:
    temporary = path.with_name(f"{path.name}.writing")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, path)
