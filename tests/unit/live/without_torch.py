"""Stands in for vae.live.worker where a test is about the process of the pages: its snapshots need no torch, which
takes seconds to load."""

import itertools
import time

import numpy as np

from vae import jobs
from vae.live import Frame, Scene, film
from vae.live.control import Ear, Task

PICTURE = b"RIFF" + bytes(60)
SCENE = Scene(np.arange(9), PICTURE, 500, 4, 0)


def frame(step, **changes):
    values = dict(
        step=step, images_seen=128 * step, beta=1.5, train=np.full(3, float(step)), validation=np.arange(3.0) + step,
        kl=np.ones(4, np.float32), codes=np.full((9, 2), step, np.float32),
        extent=np.array([-3, 3, -3, 3], np.float32), plane=PICTURE, reconstructions=PICTURE, samples=PICTURE,
        moves=np.zeros((0, 2)),
    )  # fmt: skip
    return Frame(**{**values, **changes})


def work(folder, report):
    """Write snapshots until the visitor stops, and leave no model."""
    report("waiting", 0.0)
    while not Task.read(folder):
        time.sleep(0.02)
    ear = Ear(folder)
    film.write(SCENE, folder / film.SCENE)
    (folder / film.FRAMES).mkdir()
    for step in itertools.count():
        film.write(frame(step), folder / film.FRAMES / f"{step:08d}.npz")
        report("running", 0.1)
        if ear().mode == "stop":
            raise jobs.JobError("Stopped without a model.")
        time.sleep(0.1)


if __name__ == "__main__":
    jobs.run(work)
