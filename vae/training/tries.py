"""Records of sweep runs: pretrained/<name>/tries.json keeps the figures of every run of a model."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import filelock

from .. import folders, store
from ..data.base import refuse_test
from ..evaluation.figures import FIGURES
from .recipes import Recipe, completed


@dataclass(frozen=True)
class Result:
    """The outcome of a run, with the figures and weights of a finished one."""

    status: str  # "finished", "stopped", "failed" (a term was not finite) or "error" (the run can be repeated)
    reason: str = ""
    step: int = 0
    core_seconds: float = 0.0
    starts_from_sha256: str = ""
    figures: dict = field(default_factory=dict)
    weights: bytes = b""  # a safetensors file


@dataclass(frozen=True)
class Try:
    """The record of one run: its recipe, its cost, and its figures on one split or the reason why it has none."""

    recipe: dict  # Recipe.hyperparameters()
    figures: dict = field(default_factory=dict)
    split: str = "test"  # records without a split are older than the validation split
    step: int = 0
    core_seconds: float = 0.0
    starts_from_sha256: str = ""
    weights_sha256: str = ""
    reason: str = ""  # why a run failed

    @classmethod
    def of(cls, recipe: Recipe, result: Result) -> Try:
        """Return the record of a run that has ended."""
        return cls(
            recipe.hyperparameters(), result.figures, "validation", result.step, round(result.core_seconds, 1),
            result.starts_from_sha256, hashlib.sha256(result.weights).hexdigest() if result.weights else "",
            result.reason,
        )  # fmt: skip

    @property
    def seed(self) -> int:
        return self.recipe["seed"]

    def differences(self, recipe: Recipe) -> dict:
        """Return the settings in which this run differs from a recipe, except the seed."""
        own, other = _flat(completed(self.recipe)), _flat(recipe.hyperparameters())
        return {k: v for k, v in own.items() if k != "seed" and v != other.get(k)}


def _flat(hyperparameters: dict) -> dict:
    """Return the settings of a recipe, its config and its objective in one dictionary. The final weight of a
    schedule has the name of the schedule."""
    found = {k: v for k, v in hyperparameters.items() if k not in ("config", "objective")} | hyperparameters["config"]
    for key, value in hyperparameters["objective"].items():
        key = "objective" if key == "name" else key
        if isinstance(value, dict):
            found |= {key: value["end"], **{f"{key}.{part}": v for part, v in value.items() if part != "end"}}
        else:
            found[key] = value
    return found


def read(name: str, root: Path | None = None) -> list[Try]:
    """Return the recorded runs of a model. Raises ValueError, naming the file, where it is damaged."""
    path = (root or store.PRETRAINED) / name / "tries.json"
    if not path.exists():
        return []
    try:
        found = [Try(**stored) for stored in json.loads(path.read_text(encoding="utf-8"))]
        for t in found:
            completed(t.recipe), t.seed, t.figures.items()
        return found
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error}); restore it from git") from error


def record(name: str, new: Try, root: Path | None = None) -> None:
    """Append a run, replacing an earlier record of the same run."""
    folder = (root or store.PRETRAINED) / name
    folder.mkdir(exist_ok=True)
    folders.cache().mkdir(parents=True, exist_ok=True)
    # Two sweeps may finish runs at the same time. One lock for all folders, outside the checkout, leaves one file.
    with filelock.FileLock(folders.cache() / "tries.lock"):
        kept = [t for t in read(name, root) if completed(t.recipe) != completed(new.recipe) or t.split != new.split]
        stored = [{k: v for k, v in asdict(t).items() if v or k in ("recipe", "split")} for t in [*kept, new]]
        store.write_atomically(folder / "tries.json", (json.dumps(stored, indent=1) + "\n").encode())


def headline(recipe: Recipe | None, figures: dict) -> str:
    """Return the key of the figure that runs of a model are compared by, "" without figures.

    It is the recipe's own figure, or else the one of the lowest rank: NLL for binary pixels, MIG with ground-truth
    factors, otherwise the bound.
    """
    if recipe and recipe.figure in figures:
        return recipe.figure
    ranked = [key for key in figures if key in FIGURES and FIGURES[key].rank]
    return min(ranked, key=lambda key: FIGURES[key].rank, default="")


def better(key: str, values: list[float]) -> float:
    """Return the best of several values of a figure."""
    return max(values) if FIGURES[key].better == "higher" else min(values)


def best(recipe: Recipe, found: list[Try]) -> tuple[Try, dict]:
    """Return the best run by the headline figure, and its selection as stored on a card.

    Raises ValueError if no run is finished, and for runs that were measured on test images.
    """
    for t in found:
        refuse_test(t.split, "the choice of a run")
    key = headline(recipe, {k: v for t in found for k, v in t.figures.items()})
    finished = [t for t in found if key in t.figures]
    if not finished:
        raise ValueError("there is no finished run to choose from")
    chosen = better(key, [t.figures[key] for t in finished])
    winner = next(t for t in finished if t.figures[key] == chosen)
    same_settings = [t for t in finished if t.differences(recipe) == winner.differences(recipe)]
    same_settings.sort(key=lambda t: t.seed)
    values = [t.figures[key] for t in same_settings]
    extreme = "largest" if FIGURES[key].better == "higher" else "smallest"
    return winner, {
        "split": "validation", "figure": key,
        "rule": f"the {extreme} {FIGURES[key].label} on validation images" if len(finished) > 1 else "the only run",
        "runs": len(finished), "seeds": [t.seed for t in same_settings], "values": values, "median": median(values),
        "spread": [min(values), max(values)], "core_minutes": round(winner.core_seconds / 60, 1),
        **({"starts_from_sha256": winner.starts_from_sha256} if winner.starts_from_sha256 else {}),
    }  # fmt: skip
