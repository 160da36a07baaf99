"""A run that is watched and steered while it trains: the hooks that the training loop calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor

from ..objectives import Objective


class Terms(Protocol):
    """The terms that every objective has, each (B,)."""

    @property
    def loss(self) -> Tensor: ...

    @property
    def recon(self) -> Tensor: ...

    @property
    def kl(self) -> Tensor: ...

    def _asdict(self) -> dict[str, Any]: ...


class Pilot:
    """Hooks between the steps of a run, which may block; these change nothing."""

    def begin(self, weights: Callable[[], dict[str, Tensor]]) -> None:
        """Called before the first step. weights: returns the state dict that the run would end with now, averaged if
        its recipe asks for that. Its tensors are those of the run, which change."""

    def before(self, step: int, objective: Objective) -> dict[str, float] | None:
        """Return the objective's weights at a step, counted from 0; None ends the run before this step. With a "flat"
        schedule its result is then that of a recipe of so many steps."""
        return objective.at(step)

    def after(self, step: int, terms: Terms) -> None:
        """step: the number of steps taken. terms: the objective's, each (B,)."""
