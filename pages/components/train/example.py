"""The training that the page shows before a visitor has begun one: recorded, and kept as a file.

`python -m pages.components.train.example` records it again, on the machine's own time.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vae import live
from vae.live.film import Film
from vae.live.training import ENDED

FILE = Path(__file__).with_name("example.npz")
PLAN = live.Plan("mnist", family="vae", latent_dim=2, epochs=60)
MAX_FRAMES = 24  # of those that the training has left
EARLY = 1.7  # above 1, more of them are from the beginning, where most happens


class Recording(NamedTuple):
    """What a training has left: read like one that goes on."""

    scene: live.Scene
    film: Film

    def frames(self, after: int = -1) -> list[live.Frame]:
        return self.film.after(after)

    def curve(self) -> live.Curve:
        return self.film.curve()


@lru_cache(maxsize=1)
def recording() -> Recording:
    """Return the recorded training."""
    with np.load(FILE, allow_pickle=False) as file:
        arrays = dict(file)
    film = Film()
    for i in itertools.takewhile(lambda i: f"{i}/step" in arrays, itertools.count()):
        film.add(_part(live.Frame, arrays, f"{i}/"))
    return Recording(_part(live.Scene, arrays, "scene/"), film)


def _part(kind, arrays: dict[str, np.ndarray], prefix: str):
    values = {field.name: arrays[prefix + field.name] for field in fields(kind)}
    return kind(**{
        name: value.tobytes() if value.dtype == np.uint8 else value if value.ndim else value.item()
        for name, value in values.items()
    })  # fmt: skip


def _arrays(part, prefix: str) -> dict[str, np.ndarray]:
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return {
        prefix + name: np.frombuffer(value, np.uint8) if isinstance(value, bytes) else np.asarray(value)
        for name, value in values.items()
    }


def record() -> None:
    """Train by PLAN and write snapshots of it."""
    training = live.Training(PLAN, None, "example")
    while training.state not in ENDED:
        training.seen()
        time.sleep(1)
    frames, arrays = training.frames(), _arrays(training.scene, "scene/")
    chosen = (len(frames) - 1) * np.linspace(0, 1, MAX_FRAMES) ** EARLY
    for i, row in enumerate(np.unique(chosen.round().astype(int))):
        arrays |= _arrays(frames[row], f"{i}/")
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    record()
