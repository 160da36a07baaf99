"""Caches of values that need a pass through a network: of a distribution, and of a module's weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn

from .checks import traced

T = TypeVar("T")


class computed_once(property):
    """A property of an immutable object, such as a distribution, computed at the first access.

    It is computed once with and once without gradients, since a tensor computed without gradients has none.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        kept = instance.__dict__.setdefault("_computed", {})
        key = self.name, torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        if key not in kept or changes(kept[key][0]) != kept[key][1]:  # a caller may have changed the value in place
            value = super().__get__(instance, owner)
            kept[key] = value, changes(value)
        return kept[key][0]


def changes(z: torch.Tensor) -> int:
    """Return how often a tensor was changed in place; 0 where torch does not count: in inference mode, and while
    operations are recorded."""
    return 0 if traced() or z.is_inference() else z._version


def while_unchanged(module: nn.Module, compute: Callable[[], T]) -> T:
    """Return compute(), a function of a module's weights only, cached until a weight changes.

    A change through `.data` is not noticed. The value is not cached in training mode, where gradients are recorded, in
    inference mode, and while torch traces or compiles.
    """
    weights = [*module.parameters(), *module.buffers()]
    if (
        module.training or torch.is_inference_mode_enabled() or torch.compiler.is_compiling() or torch.jit.is_tracing()
        or torch.is_grad_enabled() and any(t.requires_grad for t in weights)
        or any(t.is_inference() or type(t) not in (torch.Tensor, nn.Parameter) for t in weights)
    ):  # fmt: skip
        return compute()
    version = [(t.data_ptr(), t._version, t.dtype, t.device) for t in weights]
    kept = module.__dict__.get("_while_unchanged")
    if kept is None or kept[0] != version:
        # the cache refers to the weights too, so that other tensors cannot be allocated at their addresses
        kept = module.__dict__["_while_unchanged"] = version, compute(), [t.detach() for t in weights]
    return kept[1]
