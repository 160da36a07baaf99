"""Sweeps of tiny recipes: planned, killed, resumed, tabled; the choice of a run and its adoption."""

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import filelock
import pytest

from tests.unit.training.test_loop import TINY, same, weights
from vae import __main__ as cli
from vae import folders, pipeline, store
from vae.latent import maps
from vae.models import NetworkConfig
from vae.objectives import BetaVAE, Schedule
from vae.training import candidates, sweep, tries
from vae.training.recipes import RECIPES

from ...long import LONG, some_long

ROOT = Path(__file__).parents[3]
SMALL = NetworkConfig((1, 64, 64), latent_dim=3, network="conv", encoder=(8,), decoder=(8,), channels=(2, 2, 2, 2))
RECIPE = dataclasses.replace(TINY, data="sprites", config=SMALL, steps=20, batch_size=8)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """An empty store, an empty folder for runs, and two tiny recipes on trial."""
    monkeypatch.setattr(store, "PRETRAINED", tmp_path / "pretrained")
    monkeypatch.setenv("VAE_RUNS", str(tmp_path / "runs"))
    (tmp_path / "pretrained").mkdir()
    monkeypatch.setattr(candidates, "CANDIDATES", {
        "tiny-a": RECIPE, "tiny-b": dataclasses.replace(RECIPE, objective=BetaVAE(Schedule(4.0, start=8.0, steps=2))),
    })  # fmt: skip
    monkeypatch.setattr(sweep, "evaluate", quick_figures)
    return tmp_path


def quick_figures(model, data, on, **options):
    """Stands in for the measures, which take seconds a run: a figure of the weights."""
    assert (data, on) == ("sprites", "validation")
    return {"mig": float(sum(p.double().abs().sum() for p in model.parameters())) % 1, "recon": 1.0, "map": [1]}, {}


def test_seeds():
    assert sweep.parse_seeds("0:3") == (0, 1, 2) and sweep.parse_seeds("4") == (4,)
    assert sweep.parse_seeds("0,2") == (0, 2)
    for bad in ("", "3:3", "a", "1,", "-1", "1,1", "0:2:1"):
        with pytest.raises(ValueError, match="--seeds takes"):
            sweep.parse_seeds(bad)


def test_settings():
    found = sweep.parse_settings(["beta=4,6", "steps=10", "latent_dim=2,3", "ema=false", "channels=4x8,8x8"])
    assert found == {
        "beta": [4.0, 6.0], "steps": [10], "latent_dim": [2, 3], "ema": [False], "channels": [(4, 8), (8, 8)],
    }  # fmt: skip
    for bad, sentence in [
        ("bet=4", "no setting 'bet'; the nearest are beta"), ("beta", "--set takes a field"), ("beta=", "--set takes"),
        ("steps=1.5", "steps takes a value like 0, not '1.5'"), ("ema=1", "true or false"), ("seed=1", "no setting "
            "'seed'"),
        ("split=test", "must not read the test split"), ("batch_size=0", "must be 1 or more"),
        ("steps=-5", "must be 1 or more"),
        ("mixed_precision=fp99", "unknown mixed_precision"), ("latent_dim=0", "do not build a model"),
        ("activation=foo", "do not build a model"), ("channels=4x8x8x8x8x8x8x8", "do not build a model"),
        ("noise=0.3", "the family 'vae' has no setting noise"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=sentence):
            sweep.plan(["sprites-ada"], (0,), sweep.parse_settings([bad]))
    with pytest.raises(ValueError, match="names beta twice"):
        sweep.parse_settings(["beta=1", "beta=2"])


def test_a_plan_is_recipes_times_settings_times_seeds(world):
    runs = sweep.plan(["tiny-a", "tiny-b"], (0, 1), {"beta": [1.0, 2.0], "latent_dim": [3]})
    assert len(runs) == 8
    assert [run.label for run in runs[:3]] == [
        "beta=1.0,latent_dim=3,seed=0", "beta=1.0,latent_dim=3,seed=1", "beta=2.0,latent_dim=3,seed=0",
    ]  # fmt: skip
    assert runs[2].recipe.objective == BetaVAE(2.0) and runs[2].recipe.config.latent_dim == 3
    assert [run.recipe.seed for run in sweep.plan(["tiny-a"])] == [RECIPE.seed]
    with pytest.raises(ValueError, match="no recipe 'tiny-c'; the nearest are tiny-"):
        sweep.plan(["tiny-c"])


def test_a_sweep_records_tables_and_does_nothing_twice(world, capsys):
    assert cli.main(["sweep", "tiny-a", "--seeds", "0:2", "--set", "beta=1,3"]) == 0
    out = capsys.readouterr().out
    recorded = tries.read("tiny-a")
    assert len(recorded) == 4 and {t.split for t in recorded} == {"validation"}
    assert all(t.step == 20 and t.core_seconds > 0 and t.weights_sha256 for t in recorded)
    assert all("map" not in t.figures for t in recorded)  # numbers only
    values = sorted(t.figures["mig"] for t in recorded if t.recipe["objective"]["beta"] == 3)
    assert f"beta=3.0: median MIG {sum(values) / 2:.3f}, {values[0]:.3f} to {values[1]:.3f} over 2 runs" in out
    times = {path: path.stat().st_mtime_ns for path in (world / "runs").rglob("*.safetensors")}
    assert cli.main(["sweep", "tiny-a", "--seeds", "0:2", "--set", "beta=1,3"]) == 0
    assert times == {path: path.stat().st_mtime_ns for path in (world / "runs").rglob("*.safetensors")}
    assert len(tries.read("tiny-a")) == 4
    # the table outlives the folder of runs
    table = sweep.table("tiny-a")
    monkeypatched = {"runs": world / "elsewhere"}
    assert sweep.table("tiny-a", **monkeypatched) == table and "beta=3.0,seed=1" in table


class Clock:
    """The time of day; it jumps by an hour at each look after the first `looks`."""

    def __init__(self, looks):
        self.looks = looks

    def time(self):
        self.looks -= 1
        return time.time() + 3600 * max(0, -self.looks)


def test_minutes_stop_at_a_checkpoint_and_the_same_command_goes_on(world, capsys, monkeypatch):
    monkeypatch.setattr(sweep, "time", Clock(looks=4))
    assert cli.main(["sweep", "tiny-a", "tiny-b", "--minutes", "30"]) == 1
    out = capsys.readouterr().out
    assert "tiny-a seed=0: stopped (tiny-a stopped at step 4 of 20)" in out
    assert "tiny-b seed=0: stopped (not started: the time is up" in out
    assert (world / "runs" / "tiny-a" / "seed=0" / "step-00000004").is_dir()
    monkeypatch.undo()
    monkeypatch.setattr(store, "PRETRAINED", world / "pretrained")
    monkeypatch.setenv("VAE_RUNS", str(world / "runs"))
    monkeypatch.setitem(candidates.CANDIDATES, "tiny-a", RECIPE)
    monkeypatch.setattr(sweep, "evaluate", quick_figures)
    assert cli.main(["sweep", "tiny-a"]) == 0
    resumed = sweep.load_finished(sweep.plan(["tiny-a"])[0])
    cli.main(["sweep", "tiny-a", "--runs", str(world / "other")])
    assert same(weights(resumed), weights(sweep.load_finished(sweep.plan(["tiny-a"])[0], world / "other")))


def test_a_run_that_is_not_finite_counts_as_failed_and_the_others_go_on(world, capsys):
    assert cli.main(["sweep", "tiny-a", "--set", "learning_rate=1e30,1e-3"]) == 1
    out = capsys.readouterr().out
    assert "learning_rate=1e+30,seed=0: failed (tiny-a, step" in out and "is not finite" in out
    assert "learning_rate=0.001,seed=0: finished" in out
    failed, finished = tries.read("tiny-a")
    assert not failed.figures and "is not finite" in failed.reason and finished.figures
    assert finished.core_seconds > 0 and finished.step == 20
    assert "failed: tiny-a, step" in sweep.table("tiny-a")
    assert tries.best(RECIPE, tries.read("tiny-a"))[0] == finished


def test_a_folder_of_another_recipe_is_an_error_and_nothing_is_lost(world, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sweep, "time", Clock(looks=1))
        cli.main(["sweep", "tiny-a", "--minutes", "30"])
    monkeypatch.setitem(candidates.CANDIDATES, "tiny-a", dataclasses.replace(RECIPE, objective=BetaVAE(2.0)))
    capsys.readouterr()
    assert cli.main(["sweep", "tiny-a"]) == 1
    assert "error (" in (out := capsys.readouterr().out) and "checkpoints of another recipe" in out
    assert [p.name for p in (world / "runs" / "tiny-a" / "seed=0").glob("step-*")] == ["step-00000001"]
    assert not tries.read("tiny-a")


def test_one_process_trains_a_run_at_a_time(world, capsys):
    folder = world / "runs" / "tiny-a" / "seed=0"
    folder.mkdir(parents=True)
    with filelock.FileLock(folder / "lock"):
        assert cli.main(["sweep", "tiny-a"]) == 1
    assert "another process trains" in capsys.readouterr().out


def test_errors_before_anything_starts(world, capsys, monkeypatch):
    (world / "pretrained" / "tiny-a").mkdir()
    (world / "pretrained" / "tiny-a" / "tries.json").write_text('[{"recipe": ', encoding="utf-8")
    (world / "file").write_text("", encoding="utf-8")
    for arguments, sentence in [
        (["tiny-a"], "tries.json is damaged"),
        (["tiny-b", "--runs", str(world / "file" / "runs")], "cannot be written to"),
        (["tiny-b", "--processes", "0"], "--processes must be 1 or more"),
        (["tiny-b", "--backend", "dusk", "--scheduler", "a"], "no backend 'dusk'; the nearest are dask"),
        (["tiny-d"], "no recipe 'tiny-d'"), (["tiny-b", "--backend", "dask"], "must be given together"),
        (["tiny-b", "--scheduler", "tcp://127.0.0.1:1"], "must be given together"),
        (["tiny-b", "--minutes", "nan"], "--minutes must be 0 or more"),
    ]:
        assert cli.main(["sweep", *arguments]) == 1
        captured = capsys.readouterr()
        assert captured.err.startswith("error: ") and sentence in captured.err and captured.err.count("\n") == 1
    assert not list((world / "runs").rglob("step-*"))


def test_a_backend_that_is_not_installed_says_what_to_install(world, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert cli.main(["sweep", "tiny-a", "--backend", "ray", "--scheduler", "auto"]) == 1
    assert "pip install ray" in capsys.readouterr().err


def test_a_scheduler_that_does_not_answer_is_one_sentence(world, capsys, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(sweep, "CONNECT_TIMEOUT", 1)
    assert cli.main(["sweep", "tiny-a", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:9"]) == 1
    assert "no dask scheduler with workers answers at tcp://127.0.0.1:9; nothing" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts and says nothing
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        assert cli.main(["sweep", "tiny-a", "--backend", "dask", "--scheduler", address]) == 1
        assert f"answers at {address}" in capsys.readouterr().err


# ---- killed in the middle

LONGER = dataclasses.replace(RECIPE, steps=60)
TWO = {"tiny-a": LONGER, "tiny-b": dataclasses.replace(LONGER, objective=BetaVAE(4.0))}
PROGRAM = """
import sys
from pathlib import Path
from vae import __main__ as cli, store
from vae.training import candidates, sweep
from tests.unit.training.test_sweep import TWO, quick_figures
store.PRETRAINED = Path(sys.argv[1])
candidates.CANDIDATES = TWO
if sys.argv.pop(2) == "quick":  # workers know nothing of a stand-in
    sweep.evaluate = quick_figures
import vae.training.loop as loop
loop.MAX_UNSAVED = 0.1
sys.exit(cli.main(["sweep", "tiny-a", "tiny-b", "--seeds", "0:2", *sys.argv[2:]]))
"""


def start(world, name, *arguments, measures="quick"):
    pretrained = world / name / "pretrained"
    pretrained.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(pretrained), measures, *arguments], cwd=ROOT,
        encoding="utf-8",
        env={**os.environ, "VAE_RUNS": str(world / name / "runs"), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def here(world, name, monkeypatch):
    """The same sweep in this process; returns its exit status."""
    (world / name / "pretrained").mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(store, "PRETRAINED", world / name / "pretrained")
    monkeypatch.setattr(candidates, "CANDIDATES", TWO)
    monkeypatch.setattr(sweep, "evaluate", quick_figures)
    return cli.main(["sweep", "tiny-a", "tiny-b", "--seeds", "0:2", "--runs", str(world / name / "runs")])


def table_of(world, name):
    """Run, status and figures of each line; what a run cost differs from time to time."""
    found = {}
    for path in sorted((world / name / "pretrained").glob("*/tries.json")):
        for stored in json.loads(path.read_text(encoding="utf-8")):
            key = path.parent.name, stored["recipe"]["seed"]
            found[key] = stored["figures"], stored["step"], stored["weights_sha256"]
    return found


@pytest.mark.slow
def test_a_sweep_killed_in_the_middle_ends_in_the_same_table(tmp_path, monkeypatch):
    """Two recipes x two seeds, SIGKILL after a checkpoint of the first run."""
    assert here(tmp_path, "whole", monkeypatch) == 0
    killed = start(tmp_path, "killed")
    until = time.monotonic() + 120
    while not list((tmp_path / "killed" / "runs").glob("*/*/step-*")):
        assert killed.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert len(table_of(tmp_path, "killed")) < 4
    assert here(tmp_path, "killed", monkeypatch) == 0
    assert table_of(tmp_path, "killed") == table_of(tmp_path, "whole") and len(table_of(tmp_path, "whole")) == 4


@pytest.mark.parametrize(
    "processes, number",
    [
        ("1", signal.SIGTERM),
        pytest.param("1", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("2", signal.SIGTERM, marks=[pytest.mark.slow, *LONG]),
    ],
)
def test_a_sweep_that_is_asked_to_stop_stops_at_a_checkpoint(tmp_path, number, processes):
    asked = start(tmp_path, "asked", "--processes", processes, "--set", "steps=100000")
    runs, until = tmp_path / "asked" / "runs", time.monotonic() + 120
    while not list(runs.glob("*/*/step-*")):
        assert asked.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    first = max(int(path.name[5:]) for path in runs.glob("*/*/step-*"))
    asked.send_signal(number)
    out, _ = asked.communicate(timeout=120)
    assert asked.returncode == 1 and "stopped at step" in out and "not started" in out and "Traceback" not in out
    assert max(int(path.name[5:]) for path in runs.glob("*/*/step-*")) >= first
    assert not list(runs.glob("stop-*"))


def test_two_sweeps_at_once_lose_no_record(tmp_path):
    def record(seed):
        tries.record("tiny", tries.Try(dataclasses.replace(RECIPE, seed=seed).hyperparameters(), {"mig": 0.1}),
            tmp_path)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(record, range(40)))
    assert sorted(t.seed for t in tries.read("tiny", tmp_path)) == list(range(40))
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["tries.json"]


def test_records_in_many_folders_share_one_lock_and_leave_nothing_behind(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(folders, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    for root in ("a", "b", "c"):
        (tmp_path / root).mkdir()
        tries.record("tiny", tries.Try(RECIPE.hyperparameters(), {"mig": 0.1}), tmp_path / root)
    assert not list((tmp_path / "temporary").iterdir())
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tries.lock"]


def test_a_table_of_figures_that_cannot_be_written_is_named_and_leaves_no_part(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"tries.json could not be written \(No space left on device\)"):
        tries.record("tiny", tries.Try(RECIPE.hyperparameters(), {"mig": 0.1}), tmp_path)
    assert not list((tmp_path / "tiny").iterdir())


def test_an_error_nobody_thought_of_ends_one_run_and_not_the_others(world, capsys, monkeypatch):
    def broken(name, recipe, folder, **options):
        raise AttributeError("what is this")

    monkeypatch.setattr(sweep, "train", broken)
    assert cli.main(["sweep", "tiny-a", "tiny-b"]) == 1
    out = capsys.readouterr().out
    assert "tiny-a seed=0: error (AttributeError: what is this)" in out and "tiny-b seed=0: error" in out


@contextlib.contextmanager
def dask_cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@contextlib.contextmanager
def ray_cluster():
    pytest.importorskip("ray")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ray = [sys.executable, "-m", "ray.scripts.scripts"]
    options = ["--num-cpus=2", f"--port={port}", "--include-dashboard=false", "--disable-usage-stats"]
    subprocess.run([*ray, "start", "--head", "--node-ip-address=127.0.0.1", *options], check=True, timeout=120)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run([*ray, "stop", "--force"], check=True, timeout=120)


CLUSTERS = {"loky": contextlib.nullcontext, "dask": dask_cluster, "ray": ray_cluster}


@pytest.mark.slow
@pytest.mark.parametrize("backend", some_long(CLUSTERS, ["loky"]))
def test_processes_side_by_side_end_in_the_table_of_one(tmp_path, backend):
    """Two local processes, or two workers of a cluster."""
    alone = start(tmp_path, "alone", measures="real")
    out, _ = alone.communicate(timeout=600)
    assert alone.returncode == 0, out
    expected = table_of(tmp_path, "alone")
    assert len(expected) == 4 and all("mig" in figures for figures, _, _ in expected.values())
    with CLUSTERS[backend]() as address:
        where = ["--backend", backend, "--scheduler", address] if address else ["--processes", "2"]
        beside = start(tmp_path, "beside", *where, measures="real")
        out, _ = beside.communicate(timeout=600)
        assert beside.returncode == 0, out
    assert table_of(tmp_path, "beside") == expected
    assert len(list((tmp_path / "beside" / "runs").glob("*/*/finished"))) == 4


# ---- the choice

def test_the_best_run_is_chosen_on_validation_images_alone():
    def tried(mig, seed, split="validation", **changes):
        return tries.Try(dataclasses.replace(RECIPE, seed=seed, **changes).hyperparameters(), {"mig": mig}, split)

    found = [tried(0.2, 0), tried(0.5, 1), tried(0.3, 2), tried(0.1, 0, objective=BetaVAE(4.0))]
    winner, selection = tries.best(RECIPE, found)
    assert winner.seed == 1
    assert selection["rule"] == "the largest MIG on validation images" and selection["split"] == "validation"
    assert selection["values"] == [0.2, 0.5, 0.3] and selection["seeds"] == [0, 1, 2]
    assert (selection["median"], selection["spread"], selection["runs"]) == (0.3, [0.2, 0.5], 4)
    with pytest.raises(ValueError, match="the choice of a run must not read the test split"):
        tries.best(RECIPE, [*found, tried(0.9, 3, "test")])
    with pytest.raises(ValueError, match="no finished run"):
        tries.best(RECIPE, [tries.Try(RECIPE.hyperparameters(), split="validation", reason="step 3: recon")])
    mixed = [tries.Try(RECIPE.hyperparameters(), {"recon": 3.0}, "validation"), *found]
    assert tries.best(RECIPE, mixed)[0] == winner  # what lacks the figure is no candidate
    smaller = [dataclasses.replace(t, figures={"negative_elbo": t.figures["mig"]}) for t in found[:3]]
    assert tries.best(RECIPE, smaller)[0].seed == 0


def test_a_winner_is_adopted_with_its_figures_map_and_choice(world, monkeypatch, capsys):
    monkeypatch.setattr(maps, "fit_umap", lambda codes, seed, progress, exact: codes[:, :2].copy())
    monkeypatch.setattr(pipeline, "MAP_POINTS", 200)
    measured = []

    def figures(model, data, **options):
        measured.append(options.get("on", "test"))
        return {"mig": 0.25, "recon": 1.0, "kl_per_dim": [3.0, 2.0, 1.0]}, {"mig": "told"}

    monkeypatch.setattr(pipeline, "measure", figures)
    with pytest.raises(ValueError, match="no finished run"):
        pipeline.adopt("tiny-a")
    cli.main(["sweep", "tiny-a", "--seeds", "0:3"])
    best = max(tries.read("tiny-a"), key=lambda t: t.figures["mig"])
    monkeypatch.setitem(RECIPES, "tiny-a", RECIPE)
    capsys.readouterr()
    assert cli.main(["adopt", "tiny-a"]) == 0
    assert f"tiny-a: seed {best.seed}, the largest MIG on validation images" in capsys.readouterr().out
    card, model = store.Store().read_card("tiny-a"), store.load("tiny-a")
    assert measured == ["test"]
    assert card.recipe["seed"] == best.seed and card.weights_sha256 == best.weights_sha256
    assert card.selection["seeds"] == [0, 1, 2] and card.figures["mig"] == 0.25 and card.map["points"] == 200
    assert store.Store().read_map("tiny-a").codes.shape == (200, 3)
    assert (store.PRETRAINED / "tiny-a" / "traversals.webp").exists()
    assert "| tiny-a | MIG |" in (store.PRETRAINED / "README.md").read_text(encoding="utf-8")
    assert same(weights(model), weights(sweep.load_finished(sweep.plan(["tiny-a"], (best.seed,))[0])))


def test_settings_that_won_have_to_stand_in_the_recipe_first(world, capsys):
    cli.main(["sweep", "tiny-a", "--set", "beta=1,2,3"])
    best = max(tries.read("tiny-a"), key=lambda t: t.figures["mig"])
    expected = best.differences(RECIPE)
    capsys.readouterr()
    if expected:
        assert cli.main(["adopt", "tiny-a"]) == 1
        assert f"the best run of tiny-a has beta={expected['beta']!r}" in capsys.readouterr().err
    # once they do, the weights are found, though the folder has the settings in its name
    written = dataclasses.replace(RECIPE, **expected)
    found = sweep.load_finished(sweep.Run("tiny-a", written), weights_sha256=best.weights_sha256)
    assert found.config == RECIPE.config
    with pytest.raises(OSError, match="holds no finished run"):
        sweep.load_finished(sweep.Run("tiny-a", written), weights_sha256="0" * 64)
    assert not (world / "pretrained" / "tiny-a" / "model.safetensors").exists()


def test_weights_that_are_not_on_this_machine_are_missed_in_one_sentence(world, capsys):
    cli.main(["sweep", "tiny-a"])
    capsys.readouterr()
    assert cli.main(["adopt", "tiny-a", "--runs", str(world / "new machine")]) == 1
    assert "`python -m vae sweep tiny-a --seeds 0` trains it on this machine" in capsys.readouterr().err
    finished = world / "runs" / "tiny-a" / "seed=0" / "finished" / "model.safetensors"
    finished.write_bytes(bytes(len(finished.read_bytes())))
    assert cli.main(["adopt", "tiny-a"]) == 1  # damaged is missing
    assert cli.main(["sweep", "tiny-a"]) == 0  # and is measured again from the checkpoint
    assert sweep.read_finished(finished.parents[1], RECIPE) is not None
