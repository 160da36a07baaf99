"""Training on two processes, each with half of the batch.

accelerate joins the processes that `accelerate launch` has started. Without GPUs it needs MPI to start them; torchrun,
which it calls for GPUs, starts them everywhere.
"""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.training.test_loop import TINY
from vae.data import DATASETS
from vae.metrics.reconstruction import average_terms
from vae.models import NetworkConfig
from vae.training import loop

ROOT = Path(__file__).parents[3]
SMALL = NetworkConfig((1, 64, 64), latent_dim=4, network="conv", encoder=(64,), decoder=(64,), channels=(8, 8, 16, 16))
RECIPE = dataclasses.replace(TINY, data="sprites", config=SMALL, steps=200, batch_size=64, learning_rate=2e-3)
SEEDS = (0, 1, 2)
LAUNCH = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]


def train(seed, result):
    """Train the recipe in all processes that were launched. The first one writes the bound on validation images, in
    nats per image."""
    processes = int(os.environ.get("WORLD_SIZE", 1))
    recipe = dataclasses.replace(RECIPE, seed=seed, batch_size=RECIPE.batch_size // processes)
    model = loop.train("on several machines", recipe, None, progress=False, device="cpu")
    if int(os.environ.get("RANK", 0)) == 0:
        terms = average_terms(model, DATASETS["sprites"].load("validation").first(2000).batches(500))
        Path(result).write_text(
            json.dumps({"processes": processes, "bound": terms.recon + terms.kl}), encoding="utf-8"
        )


def bound(folder, *launcher, seed):
    """Return the bound of a training by another Python, after `launcher`."""
    result = folder / "result.json"
    command = [sys.executable, *launcher, __file__, str(seed), str(result)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=600)
    found = json.loads(result.read_text(encoding="utf-8"))
    assert found["processes"] == (2 if launcher else 1)
    return found["bound"]


@pytest.mark.slow
@pytest.mark.long
def test_two_processes_end_within_the_spread_of_one(tmp_path):
    one = [bound(tmp_path, seed=seed) for seed in SEEDS]
    two = [bound(tmp_path, *LAUNCH, seed=seed) for seed in SEEDS]
    print(f"one process: {one}, two: {two}")
    spread = max(one) - min(one)
    assert spread > 0
    assert all(min(one) - spread < value < max(one) + spread for value in two)


if __name__ == "__main__":
    train(int(sys.argv[1]), sys.argv[2])
