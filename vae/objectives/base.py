"""The interface of an objective: hooks that the training loop calls, and weights that may change from step to step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import cache
from math import inf
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, get_args, get_type_hints

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from ..models import Output
from ..registry import Registry

if TYPE_CHECKING:
    from ..data import Split
    from ..models import NetworkConfig

ObjectiveClass = TypeVar("ObjectiveClass", bound="type[Objective]")


@dataclass(frozen=True)
class Schedule:
    """A weight that goes from `start` at step 0 to `end` at step `steps` and stays there.

    geometric: steps have equal ratios, otherwise equal differences.
    """

    end: float
    start: float
    steps: int
    geometric: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.steps, int) or self.steps < 1:
            raise ValueError(f"a schedule needs a whole number of steps, 1 or more, not {self.steps!r}")
        for value in (self.start, self.end):
            if not _is_weight(value):
                raise ValueError(f"a schedule's start and end must be finite numbers, 0 or more, not {value!r}")
        if self.geometric and not (self.start > 0 and self.end > 0):
            raise ValueError(
                f"the start and the end of a geometric schedule must be positive, not {self.start:g} and {self.end:g}"
            )

    def at(self, step: int) -> float:
        """Return the weight at a step, counted from 0."""
        if step >= self.steps:
            return self.end
        share = step / self.steps
        if self.geometric:
            return self.start * (self.end / self.start) ** share
        return self.start + (self.end - self.start) * share

    def __str__(self) -> str:
        return f"from {self.start:g} to {self.end:g} in {self.steps:,} steps"


@dataclass(frozen=True)
class PiecewiseConstant:
    """A weight that was set by hand while it trained: each value holds from its step until the next one's."""

    values: tuple[tuple[int, float], ...]  # (step, value), steps ascending from 0

    def __post_init__(self) -> None:
        """Accepts the lists that JSON makes of tuples. Raises ValueError for other values."""
        try:
            values = tuple((step, value) for step, value in self.values)
        except (TypeError, ValueError):
            raise ValueError(f"a list of (step, value) is expected, not {str(self.values)[:60]!r}") from None
        object.__setattr__(self, "values", values)
        steps = [step for step, _ in values]
        if not all(type(step) is int for step in steps) or steps[:1] != [0] or steps != sorted(set(steps)):
            raise ValueError(f"the steps of a list of (step, value) must rise from 0, not {str(steps)[:60]}")
        for _, value in values:
            if not _is_weight(value):
                raise ValueError(f"a value of a list of (step, value) must be finite, 0 or more, not {value!r}")

    @property
    def steps(self) -> int:
        """Return the step from which the last value holds."""
        return self.values[-1][0]

    def at(self, step: int) -> float:
        """Return the weight at a step, counted from 0."""
        return self.values[bisect_right(self.values, step, key=lambda pair: pair[0]) - 1][1]

    def __str__(self) -> str:
        return ", ".join(f"{value:g} from step {step:,}" for step, value in self.values)


Weight = float | Schedule | PiecewiseConstant
CHANGING = (Schedule, PiecewiseConstant)


def _is_weight(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < inf


class Batch(NamedTuple):
    """The inputs of an objective's terms besides the model's output."""

    x: Tensor  # (B, C, H, W) in [0, 1]
    y: Tensor  # (B,) int64 class indices
    weights: dict[str, Any]  # the objective's fields of type Weight at this step, floats or 0-d tensors
    n_data: int  # images in the data set
    critic: nn.Module | None = None


@dataclass(frozen=True)
class Objective:
    """A training objective. A subclass holds its weights as fields and overrides the hooks it needs.

    takes_label        whether y is an input of the model; otherwise y is the target
    samples_per_image  codes sampled for each image, which is repeated as often in a batch
    recordable         whether a step never waits for the host, so that a CUDA graph can replay it
    """

    name: ClassVar[str] = ""  # key in OBJECTIVES
    takes_label: ClassVar[bool] = True
    recordable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Raises ValueError for a weight that is not a finite number, 0 or more, or a schedule in another field."""
        weights = self._weights()
        for f in fields(self):
            value, name = getattr(self, f.name), f"{f.name} of {type(self).__name__}"
            if isinstance(value, CHANGING):
                if f.name not in weights:
                    raise ValueError(f"{name} must be a number: it cannot change during training")
            elif isinstance(f.default, int) and not isinstance(f.default, bool) and not isinstance(value, int):
                raise ValueError(f"{name} must be a whole number, not {value!r}")
            elif (isinstance(f.default, float) or f.name in weights) and not _is_weight(value):
                raise ValueError(f"{name} must be a finite number, 0 or more, not {value!r}")

    @property
    def samples_per_image(self) -> int:
        """Return the number of codes sampled for each image."""
        return 1

    def dataset(self, split: Split, seed: int) -> Any:
        """Return the source of batches: an object with len() and batch(indices), like a Split."""
        return split

    def refine(self, posterior: Distribution) -> Distribution:
        """Return the posterior that z is sampled from, given the encoder's."""
        return posterior

    def critic(self, config: NetworkConfig) -> nn.Module | None:
        """Return a new discriminator, or None where the objective has none."""
        return None

    def critic_loss(self, critic: nn.Module, out: Output, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return the discriminator's loss (B,), from detached tensors: no gradient reaches the model."""
        raise NotImplementedError

    def terms(self, out: Output, batch: Batch) -> Any:
        """Return a NamedTuple of terms (B,) in nats, with recon, kl and loss among them."""
        raise NotImplementedError

    def at(self, step: int) -> dict[str, float]:
        """Return the value of each weight at a step, counted from 0."""
        weights = {name: getattr(self, name) for name in self._weights()}
        return {name: value.at(step) if isinstance(value, CHANGING) else value for name, value in weights.items()}

    def _weights(self) -> tuple[str, ...]:
        """Return the names of the fields of type Weight."""
        # mypy looks for __hash__ in the dataclass, not in its class
        return _weights_of(type(self))  # type: ignore[arg-type]

    def final(self) -> dict[str, float]:
        """Return the final value of each weight."""
        return self.at(self.settled())

    def settled(self) -> int:
        """Return the first step at which every weight has its final value."""
        values = [getattr(self, f.name) for f in fields(self)]
        return max((value.steps for value in values if isinstance(value, CHANGING)), default=0)

    def described(self) -> str:
        """Return a text description: "FactorVAE, beta from 60 to 1 in 8,000 steps, gamma 35"."""
        parts = [type(self).__name__]
        for f in fields(self):
            value = getattr(self, f.name)
            label = f.name.replace("_", " ")
            parts.append(f"{label} {value:g}" if type(value) is float else f"{label} {value}")
        return ", ".join(parts)

    def stored(self) -> dict[str, Any]:
        """Return the objective as stored on a card: its name and its fields."""
        return {"name": self.name, **asdict(self)}


@cache  # needed at every training step
def _weights_of(cls: type[Objective]) -> tuple[str, ...]:
    hints = get_type_hints(cls)
    return tuple(f.name for f in fields(cls) if Schedule in get_args(hints[f.name]))


OBJECTIVES: Registry[type[Objective]] = Registry("objective")


def register(name: str) -> Callable[[ObjectiveClass], ObjectiveClass]:
    """Return a decorator that registers an Objective class under a name. Raises ValueError for an existing name."""
    add = OBJECTIVES.register(name, depth=2)

    def add_named(cls: ObjectiveClass) -> ObjectiveClass:
        cls.name = name
        add(cls)
        return cls

    return add_named


# fields of recipes that held the weights of every objective before objectives were classes
FLAT_FIELDS = (
    "beta", "beta_from", "beta_steps", "gamma", "capacity", "capacity_steps", "discriminator_learning_rate",
    "feature_weight", "adversarial_weight", "pair_factors", "commitment", "labels", "alpha",
)  # fmt: skip


def read(recipe: dict[str, Any]) -> Objective:
    """Return the objective of a recipe as stored on a card or in a checkpoint.

    Raises ValueError for an unknown objective or field.
    """
    stored = recipe.get("objective", "elbo")
    if isinstance(stored, str):
        stored = _from_flat(stored, recipe)
    if not isinstance(stored, dict):
        raise ValueError(f"its objective {str(stored)[:60]!r} is not known here")
    values = dict(stored)
    name = values.pop("name", None)
    if not isinstance(name, str) or name not in OBJECTIVES:
        raise ValueError(f"its objective {str(name)[:60]!r} is not known here")
    unknown = values.keys() - {f.name for f in fields(OBJECTIVES[name])}
    if unknown:
        raise ValueError(f"its objective {name} has no field {sorted(map(str, unknown))[0][:60]!r}")
    try:
        for key, value in values.items():
            if isinstance(value, dict):
                values[key] = (PiecewiseConstant if "values" in value else Schedule)(**value)
        return OBJECTIVES[name](**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"its objective {name} cannot be read ({error})") from None


def _from_flat(name: str, recipe: dict[str, Any]) -> dict[str, Any]:
    """Convert a recipe with FLAT_FIELDS into the dictionary that `Objective.stored` returns."""
    name = "beta_vae" if name == "elbo" else name
    if not isinstance(name, str) or name not in OBJECTIVES:
        return {"name": name}
    found = {f.name: recipe[f.name] for f in fields(OBJECTIVES[name]) if f.name in recipe}
    if "beta" in found and recipe.get("beta_from"):
        found["beta"] = asdict(Schedule(recipe["beta"], recipe["beta_from"], recipe["beta_steps"]))
    if found.get("capacity"):
        steps = max(1, recipe["capacity_steps"])
        found["capacity"] = asdict(Schedule(recipe["capacity"], 0.0, steps, geometric=False))
    return {"name": name, **found}
