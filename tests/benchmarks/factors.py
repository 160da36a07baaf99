"""How long a single image and each metric take: python -m tests.benchmarks.factors

Medians of repeated calls on one core, and each as a multiple of a plain torch reconstruction of
one sprite in the same run, so that a busy machine does not mislead.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import time

import numpy as np

import vae
from vae import metrics
from vae.data import DATASETS


def median_ms(call, repeats: int) -> float:
    call()  # what is read or compiled once
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def main() -> None:
    model = vae.load("sprites-vae")
    split = DATASETS["sprites"].load("test")
    x, _ = split.batch([0])
    reconstruct = median_ms(lambda: model.decode(model.encode(x).mean), 200)
    rows = {"one sprite encoded and decoded by torch": reconstruct}
    for name in ("sprites", "rooms"):
        grid = DATASETS[name].grid
        factors = grid.sample(1, np.random.default_rng(0))
        rows[f"one image of {name} drawn from its factors"] = median_ms(
            lambda: grid.render(factors), 200  # noqa: B023
        )
    codes = np.random.default_rng(0).normal(size=(len(split), 10))
    for metric in (metrics.mig, metrics.sap, metrics.modularity, metrics.factor_vae_score):
        rows[f"{metric.__name__} of {len(codes):,} codes, without baseline"] = median_ms(
            lambda: metric(codes, split.factors, baseline=False), 3  # noqa: B023
        )
    print("| | ms | times the first row |\n|---|---|---|")
    for title, ms in rows.items():
        print(f"| {title} | {ms:.2f} | {ms / reconstruct:.2f} |")


if __name__ == "__main__":
    main()
