"""Sweeps, `python -m vae sweep`: recipes x seeds x settings; runs are resumable and recorded in tries.json.

The folder of a run is RUNS/<name>/<settings>, outside the checkout. The figures of a finished run on
validation images are appended to pretrained/<name>/tries.json, which is committed to git.
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
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

import filelock
import joblib
import torch

from .. import folders, jobs, store
from ..evaluation.evaluate import evaluate
from ..evaluation.figures import FIGURES
from ..models import FAMILIES, LatentModel
from ..objectives import OBJECTIVES, Objective, Schedule
from . import candidates, checkpoints, tries
from .loop import Stopped, train
from .recipes import DESCRIPTIVE_FIELDS, Recipe, defaults, nearest
from .tries import Result

if TYPE_CHECKING:
    from distributed import Client

Setting = bool | int | float | str | tuple[int, ...]  # a value of a recipe's field
Connection = TypeVar("Connection")

NLL_SAMPLES = 1000  # importance samples per validation image, for binary pixels
CLUSTERS = {"dask": "distributed", "ray": "ray"}  # joblib's backends for a cluster, and the package each needs
log = logging.getLogger(__name__)
CONNECT_TIMEOUT = 10  # seconds to wait for a scheduler


@dataclass(frozen=True)
class Run:
    """One training run of a sweep."""

    name: str
    recipe: Recipe
    settings: dict = field(default_factory=dict)  # differences from the recipe of this name, except the seed

    @property
    def label(self) -> str:
        return ",".join(f"{k}={v}" for k, v in {**self.settings, "seed": self.recipe.seed}.items())

    def folder(self, runs: Path) -> Path:
        return runs / self.name / self.label


# ---- planning

def parse_seeds(text: str) -> tuple[int, ...]:
    """Parse seeds: "0:3" gives 0, 1, 2; "0,2" and "4" are lists. Raises ValueError."""
    try:
        first, colon, stop = text.partition(":")
        found = tuple(range(int(first), int(stop))) if colon else tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 0 or len(set(found)) < len(found):
        raise ValueError(f"--seeds takes a range such as 0:3 or a list such as 0,2, not {text!r}")
    return found


def parse_settings(texts: list[str]) -> dict[str, list]:
    """Parse settings such as "beta=4,6" into {field: values}, for fields of a recipe, its objective or its config.

    Raises ValueError for an unknown field, with the nearest names, and for a value of the wrong type.
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
            raise ValueError(f"--set names {name} twice: put all its values in one list")
        found[name] = [_value(name, value, known[name]) for value in values.split(",")]
    return found


def _value(name: str, text: str, like: Setting) -> Setting:
    """Parse a value of a field as the type of `like`, its default. Raises ValueError."""
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
    """Return the runs of recipes x settings x seeds; without seeds, each recipe's own seed.

    Raises ValueError for an unknown name or field and for settings that do not build a model.
    """
    runs = []
    for name in dict.fromkeys(names):
        recipe = candidates.find(name)
        for values in itertools.product(*(settings or {}).values()):
            chosen = dict(zip(settings or {}, values, strict=False))
            changed = _with(name, recipe, chosen)
            runs += [Run(name, replace(changed, seed=seed), chosen) for seed in seeds or (recipe.seed,)]
    return runs


def _with_weights(name: str, objective: Objective, values: dict) -> Objective:
    """Return an objective with new values of some fields; a schedule keeps its start and its steps."""
    known = [f.name for f in fields(objective)]
    if other := [key for key in values if key not in known]:
        raise ValueError(f"the objective of {name} has no field {other[0]}; it has {', '.join(known)}")
    current = {key: getattr(objective, key) for key in values}
    return replace(objective, **{
        key: replace(current[key], end=value) if isinstance(current[key], Schedule) else value
        for key, value in values.items()
    })  # fmt: skip


def _with(name: str, recipe: Recipe, settings: dict) -> Recipe:
    """Return a recipe with new values of its own fields, its config's or its objective's.

    Raises ValueError for a field of another family or objective, and for a config that does not build a model.
    """
    of_recipe = {k: v for k, v in settings.items() if k in {f.name for f in fields(Recipe)}}
    of_config = {k: v for k, v in settings.items() if k in {f.name for f in fields(recipe.config)}}
    of_objective = {k: v for k, v in settings.items() if k not in {**of_config, **of_recipe}}
    of_families = {f.name for family in FAMILIES.values() for f in fields(family.Config)}
    if other := [k for k in of_objective if k in of_families]:
        raise ValueError(f"{name}: the family {recipe.family!r} has no setting {other[0]}")
    try:
        config = replace(recipe.config, **of_config)
        with torch.device("meta"):  # shapes only, no memory
            FAMILIES[recipe.family](config)
    except (ValueError, TypeError, KeyError, RuntimeError, IndexError, ZeroDivisionError) as error:
        raise ValueError(f"these settings do not build a model ({error})") from error
    return replace(recipe, config=config, objective=_with_weights(name, recipe.objective, of_objective), **of_recipe)


# ---- one run, in any process

def run_once(
    run: Run, runs: Path, until: float, device: str, progress: bool, stop_file: Path, parent: int = 0
) -> Result:
    """Train a run, or resume it, and measure it on validation images.

    until: the time at which the run stops, in seconds since the epoch. stop_file: a file whose existence stops
    the run. parent: the id of a process whose end stops this one, 0 for none.
    """
    folder = run.folder(runs)
    done = read_finished(folder, run.recipe)
    if done:
        return done

    def stop() -> bool:
        return time.time() > until or stop_file.exists() or (parent != 0 and jobs.abandoned(parent))

    if stop():
        reason = "not started: the time is up or the sweep was interrupted"
        return Result("stopped", reason, checkpoints.last_step(folder))
    if parent:
        jobs.leave_interrupts_to_parent()
    threads = torch.get_num_threads()
    try:
        checkpoints.try_writing(folder)
        with filelock.FileLock(folder / "lock", timeout=0):
            # sums depend on the number of threads; one thread gives the same bits everywhere
            torch.set_num_threads(1)
            model = train(run.name, run.recipe, folder, progress=progress, stop=stop, device=device)
            figures, _ = evaluate(
                model, run.recipe.data, without=("dci",), parameters={"nll": {"samples": NLL_SAMPLES}}, on="validation"
            )
            figures = {k: v for k, v in figures.items() if isinstance(v, (int, float))}
            if broken := [k for k, v in figures.items() if not math.isfinite(v)]:
                return Result("failed", f"{broken[0]} on validation images is not finite", run.recipe.steps)
            last = checkpoints.newest(folder)
            assert last is not None  # train has written it
            spent = last.progress
            weights = checkpoints.content_of(model.state_dict())
            result = Result(
                "finished", "", spent.step, spent.core_seconds, spent.starts_from_sha256, figures, weights
            )
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
    except Exception as error:  # an unexpected error must not stop the other runs
        log.exception("%s %s", run.name, run.label)
        return Result("error", f"{type(error).__name__}: {error}".splitlines()[0], checkpoints.last_step(folder))
    finally:
        torch.set_num_threads(threads)


def write_finished(folder: Path, recipe: Recipe, result: Result) -> None:
    """Write the figures and weights of a finished run to folder/finished, atomically."""
    stored = {k: v for k, v in asdict(result).items() if k != "weights"}
    stored |= {"recipe": recipe.hyperparameters(), "weights_sha256": hashlib.sha256(result.weights).hexdigest()}
    files = {"model.safetensors": result.weights, "figures.json": json.dumps(stored, indent=1).encode()}
    checkpoints.write_folder(folder / "finished", files)


def read_finished(folder: Path, recipe: Recipe) -> Result | None:
    """Return the result that `write_finished` stored for this recipe, or None where it is missing or damaged."""
    try:
        stored = json.loads((folder / "finished" / "figures.json").read_bytes())
        weights = (folder / "finished" / "model.safetensors").read_bytes()
        if not recipe.same_as(stored.pop("recipe")):
            return None
        if hashlib.sha256(weights).hexdigest() != stored.pop("weights_sha256"):
            return None
        return Result(**stored, weights=weights)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def load_finished(run: Run, runs: Path | None = None, weights_sha256: str = "") -> LatentModel:
    """Return the model of a finished run in eval mode, from any folder of its name.

    weights_sha256: the checksum of its weights, "" for any. Raises OSError where the run is not on this machine.
    """
    runs = runs or folders.runs()
    found = [read_finished(folder, run.recipe) for folder in sorted((runs / run.name).glob("*"))]
    usable = [r for r in found if r and weights_sha256 in ("", hashlib.sha256(r.weights).hexdigest())]
    if not usable:
        raise OSError(
            f"{runs / run.name} holds no finished run of seed {run.recipe.seed} with these settings: "
            f"`python -m vae sweep {run.name} --seeds {run.recipe.seed}` trains it on this machine"
        )
    model = FAMILIES[run.recipe.family](run.recipe.config)
    model.load_state_dict(checkpoints.tensors(usable[0].weights))
    return model.eval().requires_grad_(False)


# ---- all runs

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
    """Train all runs and return their results by (name, label). Finished and failed runs are recorded when they end.

    processes: on this machine, one core each. backend: "dask" or "ray" for a cluster. scheduler: the address of
    the cluster. until: the time to stop, in seconds since the epoch. Raises OSError where a folder cannot be
    written to or no scheduler answers, ValueError for a backend that is unknown or not installed.
    """
    runs = runs or folders.runs()
    if bool(backend) != bool(scheduler):
        raise ValueError("--backend and --scheduler must be given together")
    checkpoints.try_writing(runs)
    for name in {run.name for run in todo}:
        tries.read(name)  # a damaged file raises now, not after hours of work
        checkpoints.try_writing(store.PRETRAINED / name)
    results = {}
    in_process = processes == 1 and not backend
    with jobs.StopRequest(runs) as stop_request, _connected(backend, scheduler, processes) as jobs_at_once:
        # ray returns results only when all runs have ended; until then each is in its run's folder
        returned = "list" if backend == "ray" else "generator_unordered"
        work = joblib.Parallel(jobs_at_once, return_as=returned, batch_size=1)
        parent = os.getpid() if not backend and not in_process else 0
        options = (runs, until, device, in_process, stop_request.path, parent)
        for run, result in work(joblib.delayed(_run_with_result)(run, *options) for run in todo):
            results[run.name, run.label] = result
            if result.status in ("finished", "failed"):
                tries.record(run.name, tries.Try.of(run.recipe, result))
            # the run may have been on another machine
            if result.weights and read_finished(run.folder(runs), run.recipe) is None:
                write_finished(run.folder(runs), run.recipe, result)
            say(f"{run.name} {run.label}: {result.status}{f' ({result.reason})' if result.reason else ''}")
    return results


def _run_with_result(
    run: Run, runs: Path, until: float, device: str, progress: bool, stop_file: Path, parent: int
) -> tuple[Run, Result]:
    return run, run_once(run, runs, until, device, progress, stop_file, parent)


@contextlib.contextmanager
def _connected(backend: str, scheduler: str, processes: int) -> Iterator[int]:
    """Set joblib's backend for a context and yield the number of parallel jobs."""
    if not backend:
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            yield processes
        return
    if backend not in CLUSTERS:
        raise ValueError(f"there is no backend {backend!r}; the nearest are {nearest(backend, CLUSTERS)}")
    stack: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
    options: dict[str, Client] = {}
    try:
        if backend == "dask":
            client = _in_time(_dask_client, scheduler)
            stack, options = contextlib.closing(client), {"client": client}
        else:
            import ray
            from ray.util.joblib import register_ray

            ray.init(address=scheduler, ignore_reinit_error=True, log_to_driver=False)
            register_ray()
    except ImportError as error:
        raise ValueError(f"the {backend} backend needs a package: pip install {CLUSTERS[backend]}") from error
    except (OSError, TimeoutError, ConnectionError, ValueError) as error:
        raise OSError(f"no {backend} scheduler with workers answers at {scheduler}; nothing was started") from error
    with stack, joblib.parallel_config(backend=backend, **options):
        yield -1


def _dask_client(scheduler: str) -> Client:
    from distributed import Client

    client = Client(scheduler, timeout=CONNECT_TIMEOUT, set_as_default=False)
    client.wait_for_workers(1, timeout=CONNECT_TIMEOUT)
    return client


def _in_time(connect: Callable[[str], Connection], address: str) -> Connection:
    """Return connect(address). Raises TimeoutError where a server accepts the connection but never answers."""
    outcome: list[Connection | BaseException] = []

    def attempt() -> None:
        try:
            outcome.append(connect(address))
        except BaseException as error:  # raised below, in the waiting thread
            outcome.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(2 * CONNECT_TIMEOUT)
    if not outcome:
        raise TimeoutError
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


# ---- the table

def table(
    name: str, todo: list[Run] | None = None, results: dict[tuple[str, str], Result] | None = None,
    runs: Path | None = None,
) -> str:  # fmt: skip
    """Return a table of a recipe's runs with validation figures and cost, and median and range for each setting.

    The runs are those recorded in tries.json, and the unfinished ones of `todo`.
    """
    runs, recipe = runs or folders.runs(), candidates.find(name)
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
            status = f"step {step:,} of {run.recipe.steps:,}"
            if result and result.reason:
                status = f"{result.status}: {result.reason}"
            lines.append((run.label, status, *["–"] * len(shown), f"{step * run.recipe.batch_size / 1e6:.2f}", "–"))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    padded = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=False)).rstrip() for line in lines]
    text = [name, *(f"  {line}" for line in padded)]
    for settings, reached in groups.items():
        label = FIGURES[key].label
        low, middle, high = (FIGURES[key].text(value) for value in (min(reached), median(reached), max(reached)))
        text.append(
            f"  {settings or 'as the recipe'}: {label} {middle} (1 run)" if len(reached) == 1 else
            f"  {settings or 'as the recipe'}: median {label} {middle}, {low} to {high} over {len(reached)} runs"
        )
    return "\n".join(text)
