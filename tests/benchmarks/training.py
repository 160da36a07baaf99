"""Prints what a training before your eyes achieves, and when: seconds from Start, on this machine as busy as it is.

    python -m tests.benchmarks.training            all of it, about seven minutes
    python -m tests.benchmarks.training digits     one part: digits, mnist, own, loop, visitors
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from vae import Store, live
from vae.data import DATASETS, own
from vae.live import Frame, Plan, Training
from vae.live.training import ENDED

from ..browser.app_server import running_app
from .network import User

NEIGHBOURS = 5


def watch(
    training: Training, reached: Callable[[Frame], bool], seconds: float
) -> tuple[float | None, float, list[tuple[float, Frame]]]:
    """Watch a training until a frame has reached something, at most so long.

    Returns (seconds until then, seconds until the first frame, (seconds, frame) of all frames).
    """
    began, seen = time.monotonic(), []
    while (now := time.monotonic() - began) < seconds and training.state not in ENDED:
        training.seen()
        for frame in training.frames(seen[-1][1].step if seen else -1):
            seen.append((now, frame))
            if reached(frame):
                return now, seen[0][0], seen
        time.sleep(0.01)
    return None, seen[0][0] if seen else float("nan"), seen


def stopped(training: Training) -> tuple[float, float]:
    """Stop a training. Returns the seconds until it answers and until it has ended."""
    began = time.monotonic()
    training.send("stop")
    while training.state in ("running", "paused", "starting"):
        time.sleep(0.005)
    answered = time.monotonic() - began
    while training.state not in ENDED:
        training.seen()
        time.sleep(0.05)
    return answered, time.monotonic() - began


def accuracy(codes: np.ndarray, labels: np.ndarray) -> float:
    """Return how many validation codes have the class of most of their NEIGHBOURS nearest others."""
    classifier = KNeighborsClassifier(NEIGHBOURS + 1).fit(codes, labels)
    neighbours = labels[classifier.kneighbors(codes, return_distance=False)[:, 1:]]  # the first is the code itself
    votes = np.array([np.bincount(row, minlength=labels.max() + 1).argmax() for row in neighbours])
    return float((votes == labels).mean())


def digits(warm: bool) -> None:
    """8 x 8 digits to a plane in which neighbours have the same class."""
    if warm:
        live.warm_up()
        time.sleep(15)
    training = Training(Plan("digits8", latent_dim=2), owner="benchmark")

    def reached(frame: Frame) -> bool:
        return training.scene is not None and accuracy(frame.codes, training.scene.labels) >= 0.70

    found, first, _ = watch(training, reached, 60)
    start = "a process that was waiting" if warm else "a new process"
    print(f"digits, {start}: first picture {first:.2f} s (2), 5-neighbour accuracy .70 at {seconds(found)} (5)")
    print("   Stop answered after {:.2f} s (0.5), the model was there after {:.1f} s".format(*stopped(training)))


def mnist() -> None:
    """10,000 digits in two dimensions, to a cross-entropy and KL of 160 nats."""
    training = Training(Plan("mnist", latent_dim=2), owner="benchmark")
    found, first, seen = watch(training, lambda frame: frame.validation[:2].sum() <= 160, 60)
    rate = (len(seen) - 1) / (seen[-1][0] - seen[0][0])
    print(f"mnist: first picture {first:.2f} s (2), 160 nats at {seconds(found)} (60), {rate:.1f} frames/s (4)")
    passed = found or 60
    more = watch(training, lambda frame: False, 60 - passed)[2]
    seen += [(passed + when, frame) for when, frame in more]
    for at in (5, 10, 20, 30, 45, 60):
        last = [frame for when, frame in seen if when <= at][-1]
        print(f"   {at:2d} s: step {last.step:,}, {last.validation[:2].sum():.1f} nats")
    print("   Stop answered after {:.2f} s (0.5), the model was there after {:.1f} s".format(*stopped(training)))


def own_images(n: int = 500, dims: int = 16) -> None:
    """So many images of 64 x 64 pixels as a visitor's own, against a PCA of as many dimensions."""
    faces = DATASETS["faces"].load("validation").first(n)  # in random order
    files = []
    for i, pixels in enumerate(faces.render(np.arange(n))):
        file = io.BytesIO()
        Image.fromarray(pixels.transpose(1, 2, 0)).save(file, "PNG")
        files.append((f"{i}.png", file.getvalue()))
    with tempfile.TemporaryDirectory() as folder:
        source = own.open_source(files)
        info = own.build(source, own.check(source, 64), Path(folder) / "faces500", "Faces", 64)
        train, test = (info.load(name) for name in ("train", "test"))
        x, held_out = (s.render(np.arange(len(s))).reshape(len(s), -1) / 255 for s in (train, test))
        pca = PCA(dims).fit(x)
        by_pca = ((pca.inverse_transform(pca.transform(held_out)) - held_out) ** 2).sum(1).mean()
        training = Training(
            Plan(info.name, latent_dim=dims, likelihood="gaussian_optimal"), Path(folder) / "faces500", "benchmark"
        )
        watch(training, lambda frame: False, 120)
        answered, ended = stopped(training)
        store = Store([training.result()])
        model = store.load(store.available()[0].name)
        x_hat = model.reconstruct(test.batch(np.arange(len(test)))[0]).numpy().reshape(len(test), -1)
        error = ((x_hat - held_out) ** 2).sum(1).mean()
        print(f"{n} own images, {dims}-D, 120 s, {training.step:,} steps: squared error {error:.1f}, PCA {by_pca:.1f}")
        print(f"   Stop answered after {answered:.2f} s (0.5), the model was there after {ended:.1f} s")


def loop() -> None:
    """Images a second of processor time with and without frames, in turns, so that a busy machine slows both."""
    import torch

    from vae.live import steering
    from vae.live.control import Control, Ear
    from vae.live.images import in_memory, training_split, validation_split
    from vae.live.view import View
    from vae.training.loop import train

    torch.set_num_threads(1)
    steering.time.monotonic = time.process_time
    for data, dims, steps in (("mnist", 2, 600), ("mnist", 16, 600), ("rooms", 10, 60)):
        info, plan = DATASETS[data], Plan(data, latent_dim=dims)
        recipe, split, ratios = plan.recipe(info, steps), in_memory(training_split(info)), []
        for _ in range(5):
            began = time.process_time()
            train("plain", recipe, None, split=split, progress=False, device="cpu")
            plain = time.process_time() - began
            with tempfile.TemporaryDirectory() as folder:
                Control().write(Path(folder))
                view = View(recipe, info, split, validation_split(info))
                pilot = steering.Steering(
                    plan, view, steering.Recorder(Path(folder)), Ear(Path(folder)), lambda stage, share: None, 600.0
                )  # fmt: skip
                pilot.show_untrained(recipe.objective)
                began = time.process_time()
                train("live", recipe, None, split=split, progress=False, device="cpu", pilot=pilot)
                ratios.append(plain / (time.process_time() - began))
        speed = steps * recipe.batch_size / plain
        print(f"loop, {data}, {dims}-D: {np.median(ratios):.2f} (0.90) of the {speed:,.0f} images/s without frames")


async def releases(address: str, n: int = 80) -> list[float]:
    """Return the milliseconds from a slider's release to the end of the run that answers it, of one visitor."""
    found = []
    async with User(address, "mnist-vae-16d") as user:
        for k in range(n):
            began = time.perf_counter()
            await user.commit(k)
            found.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(0.2)
    return found[5:]  # the first ones load torch


def visitors() -> None:
    """Another visitor's releases of a slider, without and with a training, in turns."""
    found: dict[bool, list[float]] = {False: [], True: []}
    with running_app() as address:
        asyncio.run(releases(address, 20))
        for _ in range(3):
            for trains in found:
                training = Training(Plan("mnist", latent_dim=2), owner="benchmark") if trains else None
                while training and training.state != "running":
                    time.sleep(0.05)
                found[trains] += asyncio.run(releases(address))
                if training:
                    training.cancel()
    without, during = (np.quantile(times, 0.95) for times in found.values())
    print(f"another visitor's release, p95: {without:.0f} ms, during a training {during:.0f} ms, "
          f"{during / without:.2f} times as long (1.20)")  # fmt: skip


def seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"


PARTS = {
    "digits": lambda: (digits(False), digits(True)), "mnist": mnist, "own": own_images, "loop": loop,
    "visitors": visitors,
}  # fmt: skip

if __name__ == "__main__":
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; in brackets what is asked for")
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
