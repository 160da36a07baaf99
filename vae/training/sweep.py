"""`python -m vae sweep`: recipes x seeds x settings, each run resumable, its figures kept in tries.json.

A run lives in RUNS/<name>/<settings>, outside the checkout. What a finished run measured on validation
images is appended to pretrained/<name>/tries.json, which is committed, so that it outlives the machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import logging
import math
import os
import threading
import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from statistics import median
from typing import Callable, Iterator

import filelock
import joblib
import platformdirs
import torch

from .. import jobs, store
from ..evaluation.evaluate import evaluate
from ..evaluation.figures import FIGURES
from ..models import FAMILIES, LatentModel
from ..objectives import OBJECTIVES, Objective, Schedule
from . import candidates, checkpoints, tries
from .loop import Stopped, train
from .recipes import DESCRIPTIVE_FIELDS, Recipe, defaults, nearest

NLL_SAMPLES = 1000  # importance samples a validation image, where pixels are binary
CLUSTERS = {"dask": "distributed", "ray": "ray"}  # joblib's backends for a cluster, and what each needs
log = logging.getLogger(__name__)
CONNECT_TIMEOUT = 10  # seconds until a scheduler counts as silent


@dataclass(frozen=True)
class Run:
    """One training of a sweep."""

    name: str
    recipe: Recipe
    settings: dict = field(default_factory=dict)  # in what it differs from the recipe on trial, but for the seed

    @property
    def label(self) -> str:
        return ",".join(f"{k}={v}" for k, v in {**self.settings, "seed": self.recipe.seed}.items())

    def folder(self, runs: Path) -> Path:
        return runs / self.name / self.label


@dataclass(frozen=True)
class Result:
    """How a run ended; figures and weights of a finished one."""

    status: str  # "finished", "stopped", "failed" (a term was not finite) or "error" (it can be tried again)
    reason: str = ""
    step: int = 0
    core_seconds: float = 0.0
    starts_from_sha256: str = ""
    figures: dict = field(default_factory=dict)
    weights: bytes = b""  # a safetensors file


def runs_folder() -> Path:
    """Return where runs live: the folder VAE_RUNS names, else one below the user's data folder."""
    return Path(os.environ.get("VAE_RUNS") or platformdirs.user_data_path("latent-space-explorer", appauthor=False) / "runs")


# ---- what is asked for

def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds that "0:3" (0, 1, 2), "0,2" or "4" name. Raises ValueError."""
    try:
        first, colon, stop = text.partition(":")
        found = tuple(range(int(first), int(stop))) if colon else tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 0 or len(set(found)) < len(found):
        raise ValueError(f"--seeds takes a range such as 0:3 or a list such as 0,2, not {text!r}")
    return found


def parse_settings(texts: list[str]) -> dict[str, list]:
    """Return {field: values} of settings such as "beta=4,6", fields of a recipe, of its objective or of
    its config.

    Raises ValueError for an unknown field, with the nearest names, and for a value of another type.
    """
    kinds = [*OBJECTIVES.values(), *(family.Config for family in FAMILIES.values()), Recipe]
    types = {name: default for kind in kinds for name, default in defaults(kind).items()}
    types |= {"steps": 0, "latent_dim": 0}
    refused = {*DESCRIPTIVE_FIELDS, "seed", "family", "data", "config", "objective", "image_shape"}
    known = {name: default for name, default in types.items() if name not in refused}
    found = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals or not values:
            raise ValueError(f"--set takes a field and its values, such as beta=4,6, not {text!r}")
        if name not in known:
            raise ValueError(f"there is no setting {name!r}; the nearest are {nearest(name, known)}")
        if name in found:
            raise ValueError(f"--set names {name} twice: give its values in one list")
        found[name] = [_value(name, value, known[name]) for value in values.split(",")]
    return found


def _value(name: str, text: str, like):
    try:
        if isinstance(like, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(like, tuple):  # widths: 256x128
            return tuple(int(part) for part in text.split("x"))
        return type(like)(text)
    except (ValueError, KeyError):
        example = "true or false" if isinstance(like, bool) else f"a value like {like!r}"
        raise ValueError(f"{name} takes {example}, not {text!r}") from None


def plan(names: list[str], seeds: tuple[int, ...] = (), settings: dict[str, list] | None = None) -> list[Run]:
    """Return the runs of recipes x settings x seeds; without seeds, of each recipe's own seed."""
    runs = []
    for name in dict.fromkeys(names):
        recipe = candidates.find(name)
        for values in itertools.product(*(settings or {}).values()):
            chosen = dict(zip(settings or {}, values))
            changed = _with(name, recipe, chosen)
            runs += [Run(name, replace(changed, seed=seed), chosen) for seed in seeds or (recipe.seed,)]
    return runs


def _with_weights(name: str, objective: Objective, values: dict) -> Objective:
    """Return an objective with other values of its fields; a schedule keeps its start and its steps."""
    known = [f.name for f in fields(objective)]
    if other := [key for key in values if key not in known]:
        raise ValueError(f"the objective of {name} has no {other[0]}; it has {', '.join(known)}")
    now = {key: getattr(objective, key) for key in values}
    return replace(objective, **{
        key: replace(now[key], end=value) if isinstance(now[key], Schedule) else value for key, value in values.items()
    })  # fmt: skip


def _with(name: str, recipe: Recipe, settings: dict) -> Recipe:
    """Return a recipe with other values of fields, its own, its config's or its objective's. Raises ValueError for a
    field of another family or objective, and unless the config builds a model."""
    of_recipe = {k: v for k, v in settings.items() if k in {f.name for f in fields(Recipe)}}
    of_config = {k: v for k, v in settings.items() if k in {f.name for f in fields(recipe.config)}}
    of_objective = {k: v for k, v in settings.items() if k not in {**of_config, **of_recipe}}
    of_families = {f.name for family in FAMILIES.values() for f in fields(family.Config)}
    if other := [k for k in of_objective if k in of_families]:
        raise ValueError(f"the family of {name}, {recipe.family!r}, has no setting {other[0]}")
    try:
        config = replace(recipe.config, **of_config)
        with torch.device("meta"):  # shapes only: nothing is allocated
            FAMILIES[recipe.family](config)
    except (ValueError, TypeError, KeyError, RuntimeError, IndexError, ZeroDivisionError) as error:
        raise ValueError(f"these settings build no model ({error})") from error
    return replace(recipe, config=config, objective=_with_weights(name, recipe.objective, of_objective), **of_recipe)


# ---- one run, in whatever process

def run_once(
    run: Run, runs: Path, until: float, device: str, progress: bool, stop_file: Path, parent: int = 0
) -> Result:
    """Train a run, or go on where it stopped, and measure it on validation images.

    stop_file: a file that asks the run to stop once it exists. parent: the id of a process whose end
    stops this one, 0 for none.
    """
    folder = run.folder(runs)
    done = read_finished(folder, run.recipe)
    if done:
        return done

    def stop() -> bool:
        return time.time() > until or stop_file.exists() or (parent != 0 and jobs.abandoned(parent))

    if stop():
        return Result("stopped", "not started: the time is up, or it was interrupted", checkpoints.last_step(folder))
    if parent:
        jobs.leave_interrupts_to_parent()
    threads = torch.get_num_threads()
    try:
        checkpoints.try_writing(folder)
        with filelock.FileLock(folder / "lock", timeout=0):
            # sums depend on the number of threads: with one, a run ends in the same bits everywhere
            torch.set_num_threads(1)
            model = train(run.name, run.recipe, folder, progress=progress, stop=stop, device=device)
            figures, _ = evaluate(
                model, run.recipe.data, without=("dci",), parameters={"nll": {"samples": NLL_SAMPLES}}, on="validation"
            )
            figures = {k: v for k, v in figures.items() if isinstance(v, (int, float))}
            if broken := [k for k, v in figures.items() if not math.isfinite(v)]:
                return Result("failed", f"{broken[0]} on validation images is not finite", run.recipe.steps)
            spent = checkpoints.newest(folder).progress
            weights = checkpoints.content_of(model.state_dict())
            result = Result("finished", "", *asdict(spent).values(), figures, weights)
            write_finished(folder, run.recipe, result)
            return result
    except filelock.Timeout:
        return Result("error", f"another process trains {folder}")
    except Stopped as error:
        return Result("stopped", str(error), checkpoints.last_step(folder))
    except FloatingPointError as error:
        kept = checkpoints.newest(folder)
        return Result("failed", str(error), *asdict(kept.progress).values()) if kept else Result("failed", str(error))
    except (OSError, ValueError, store.ModelUnavailable) as error:
        return Result("error", str(error), checkpoints.last_step(folder))
    except Exception as error:  # whatever it is, the other runs go on
        log.exception("%s %s", run.name, run.label)
        return Result("error", f"{type(error).__name__}: {error}".splitlines()[0], checkpoints.last_step(folder))
    finally:
        torch.set_num_threads(threads)


def write_finished(folder: Path, recipe: Recipe, result: Result) -> None:
    """Keep a finished run's figures and weights in folder/finished, written in one move."""
    told = {k: v for k, v in asdict(result).items() if k != "weights"}
    told |= {"recipe": recipe.hyperparameters(), "weights_sha256": hashlib.sha256(result.weights).hexdigest()}
    files = {"model.safetensors": result.weights, "figures.json": json.dumps(told, indent=1).encode()}
    checkpoints.write_folder(folder / "finished", files)


def read_finished(folder: Path, recipe: Recipe) -> Result | None:
    """Return what `write_finished` kept of this recipe, or None where it is missing or damaged."""
    try:
        told = json.loads((folder / "finished" / "figures.json").read_bytes())
        weights = (folder / "finished" / "model.safetensors").read_bytes()
        if not recipe.same_as(told.pop("recipe")) or hashlib.sha256(weights).hexdigest() != told.pop("weights_sha256"):
            return None
        return Result(**told, weights=weights)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def load_finished(run: Run, runs: Path | None = None, weights_sha256: str = "") -> LatentModel:
    """Return the model of a finished run, in eval mode, whatever its folder is called; with these
    weights, where a checksum is given. Raises OSError where it is not on this machine."""
    runs = runs or runs_folder()
    found = [read_finished(folder, run.recipe) for folder in sorted((runs / run.name).glob("*"))]
    found = [r for r in found if r and weights_sha256 in ("", hashlib.sha256(r.weights).hexdigest())]
    if not found:
        raise OSError(
            f"{runs / run.name} holds no finished run of seed {run.recipe.seed} with these settings: "
            f"`python -m vae sweep {run.name} --seeds {run.recipe.seed}` trains it on this machine"
        )
    done = found[0]
    model = FAMILIES[run.recipe.family](run.recipe.config)
    model.load_state_dict(checkpoints.tensors(done.weights))
    return model.eval().requires_grad_(False)


# ---- all of them

def sweep(
    todo: list[Run],
    processes: int = 1,
    backend: str = "",
    scheduler: str = "",
    until: float = math.inf,
    device: str = "",
    runs: Path | None = None,
    say: Callable[[str], None] = print,
) -> dict[tuple[str, str], Result]:
    """Train all runs and return how each ended, by name and label. Finished and failed ones are recorded as they come.

    processes: of this machine, each on one core. backend: "dask" or "ray" for a cluster, which
    scheduler names the address of. Raises OSError where a folder cannot be written to or no scheduler
    answers, ValueError for a backend that is unknown or not installed.
    """
    runs = runs or runs_folder()
    if bool(backend) != bool(scheduler):
        raise ValueError("--backend and --scheduler belong together: the kind of a cluster and its address")
    checkpoints.try_writing(runs)
    for name in {run.name for run in todo}:
        tries.read(name)  # a damaged file is named before hours of work, not after
        checkpoints.try_writing(store.PRETRAINED / name)
    results = {}
    alone = processes == 1 and not backend
    with jobs.StopRequest(runs) as asked, _connected(backend, scheduler, processes) as jobs_at_once:
        # ray gives results back only when all have ended; until then each lies in its run's folder
        returned = "list" if backend == "ray" else "generator_unordered"
        work = joblib.Parallel(jobs_at_once, return_as=returned, batch_size=1)
        parent = os.getpid() if not backend and not alone else 0
        for run, result in work(joblib.delayed(_ended)(run, runs, until, device, alone, asked.path, parent) for run in todo):
            results[run.name, run.label] = result
            if result.status in ("finished", "failed"):
                tries.record(run.name, tries.Try.of(run.recipe, result))
            if result.weights and read_finished(run.folder(runs), run.recipe) is None:  # it ran on another machine
                write_finished(run.folder(runs), run.recipe, result)
            say(f"{run.name} {run.label}: {result.status}{f' ({result.reason})' if result.reason else ''}")
    return results


def _ended(run: Run, *rest) -> tuple[Run, Result]:
    return run, run_once(run, *rest)


@contextlib.contextmanager
def _connected(backend: str, scheduler: str, processes: int) -> Iterator[int]:
    """Set joblib's backend and give the number of jobs at once."""
    if not backend:
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            yield processes
        return
    if backend not in CLUSTERS:
        raise ValueError(f"there is no backend {backend!r}; the nearest are {nearest(backend, CLUSTERS)}")
    try:
        if backend == "dask":
            client = _in_time(_dask_client, scheduler)
            stack, options = contextlib.closing(client), {"client": client}
        else:
            import ray
            from ray.util.joblib import register_ray

            ray.init(address=scheduler, ignore_reinit_error=True, log_to_driver=False)
            register_ray()
            stack, options = contextlib.nullcontext(), {}
    except ImportError as error:
        raise ValueError(f"the {backend} backend needs another package: pip install {CLUSTERS[backend]}") from error
    except (OSError, TimeoutError, ConnectionError, ValueError) as error:
        raise OSError(f"no {backend} scheduler with workers answers at {scheduler}; nothing was started") from error
    with stack, joblib.parallel_config(backend=backend, **options):
        yield -1


def _dask_client(scheduler: str):
    from distributed import Client

    client = Client(scheduler, timeout=CONNECT_TIMEOUT, set_as_default=False)
    client.wait_for_workers(1, timeout=CONNECT_TIMEOUT)
    return client


def _in_time(connect: Callable, *arguments):
    """connect(*arguments), or a TimeoutError: a server that accepts and stays silent may hold it for ever."""
    found = []

    def attempt() -> None:
        try:
            found.append(connect(*arguments))
        except BaseException as error:  # told to whoever waits
            found.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(2 * CONNECT_TIMEOUT)
    if not found:
        raise TimeoutError
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


# ---- the table

def table(
    name: str, todo: list[Run] | None = None, results: dict[tuple[str, str], Result] | None = None,
    runs: Path | None = None,
) -> str:  # fmt: skip
    """Return the runs of a recipe with validation figures and cost, and median and spread of each setting.

    Those recorded in tries.json, and of `todo` those under way.
    """
    runs, recipe = runs or runs_folder(), candidates.find(name)
    recorded = [t for t in tries.read(name) if t.split == "validation"]
    key = tries.headline(recipe, next((t.figures for t in recorded if t.figures), {}))
    shown = [FIGURES[k] for k in dict.fromkeys(filter(None, (key, "recon", "kl")))]
    lines = [("run", "status", *(figure.title for figure in shown), "million images", "core minutes")]
    groups: dict[str, list[float]] = {}
    for t in sorted(recorded, key=lambda t: (str(t.differences(recipe)), t.recipe["seed"])):
        settings = ",".join(f"{k}={v}" for k, v in t.differences(recipe).items())
        label = ",".join(filter(None, [settings, f"seed={t.recipe['seed']}"]))
        values = [figure.text(t.figures.get(figure.key)) for figure in shown]
        status = "finished" if t.figures else f"failed: {t.reason}"
        images = t.step * t.recipe["batch_size"] / 1e6
        lines.append((label, status, *values, f"{images:.2f}", f"{t.core_seconds / 60:.0f}"))
        if key in t.figures:
            groups.setdefault(settings, []).append(t.figures[key])
    for run in todo or []:
        if not any(run.recipe.same_as(t.recipe) for t in recorded):
            result = (results or {}).get((run.name, run.label))
            step = result.step if result else checkpoints.last_step(run.folder(runs))
            status = f"{result.status}: {result.reason}" if result and result.reason else f"step {step:,} of {run.recipe.steps:,}"
            lines.append((run.label, status, *["–"] * len(shown), f"{step * run.recipe.batch_size / 1e6:.2f}", "–"))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = [name] + ["  " + "  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() for line in lines]
    for settings, values in groups.items():
        label, (low, middle, high) = FIGURES[key].label, map(FIGURES[key].text, (min(values), median(values), max(values)))
        text.append(
            f"  {settings or 'as the recipe'}: {label} {middle} (1 run)" if len(values) == 1 else
            f"  {settings or 'as the recipe'}: median {label} {middle}, {low} to {high} over {len(values)} runs"
        )
    return "\n".join(text)
