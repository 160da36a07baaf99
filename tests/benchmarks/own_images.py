"""What a large data set of one's own adds to the memory: python -m tests.benchmarks.own_images [IMAGES]

Images are generated in a folder, checked and built as `vae data add` does, and read once in random order, as training
does, in one process (Linux only). Pages of the stored file that the system has cached count as shared memory: it can
take them back at any time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.memory_of_files import resident
from tests.unit.data.files import GREY, png
from vae.data import own

PER_FOLDER = 10_000
SIZE = 28
BATCH = 128


def generate(folder: Path, n: int) -> None:
    """Write n different grey PNG files of SIZE x SIZE pixels, PER_FOLDER to a subfolder."""
    random = np.random.default_rng(0)
    for i in range(n):
        if i % PER_FOLDER == 0:
            below = folder / f"{i // PER_FOLDER:03}"
            below.mkdir()
        pixels = np.zeros((SIZE, SIZE, 1), np.uint8)
        pixels[8:20, 8:20] = random.integers(0, 256, (12, 12, 1))
        (below / f"{i:07}.png").write_bytes(png(pixels, GREY))


def own_memory() -> float:
    """Return the memory of this process in MB, without files that are mapped into it."""
    return resident("RssAnon") / 1e6


def main(n: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "images"
        folder.mkdir()
        generate(folder, n)
        own.check(own.open_source([]), SIZE)  # what the first call imports
        start = own_memory()
        print(f"| {n:,} images of {SIZE}x{SIZE} | seconds | added memory | mapped files |\n|---|---|---|---|")
        peak = start

        def sample(stage: str = "", share: float = 0.0) -> None:
            nonlocal peak
            peak = max(peak, own_memory())

        def report(stage: str, began: float) -> None:
            nonlocal peak
            sample()
            mapped = resident("RssFile") / 1e6
            print(f"| {stage} | {time.time() - began:.0f} | {peak - start:.0f} MB | {mapped:.0f} MB |", flush=True)
            peak = start

        began = time.time()
        source = own.open_source(folder)
        report("listing", began)
        began = time.time()
        check = own.check(source, SIZE, sample)
        report("check", began)
        began = time.time()
        info = own.build(source, check, Path(place) / "built", "Generated", SIZE)
        report("build", began)
        del source, check
        began = time.time()
        split = info.load("train")
        order = np.random.default_rng(0).permutation(len(split))
        for first in range(0, len(order), BATCH):
            split.render(order[first : first + BATCH])
            sample()
        report("one epoch", began)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
