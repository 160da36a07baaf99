"""CUDA graphs: a training step is recorded once and replayed, so that its hundreds of kernels launch as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import Tensor

from ..models import FAMILIES
from .recipes import Recipe

Result = TypeVar("Result")

WARM_UP = 3  # eager steps before the recording, in which libraries select kernels and allocate memory


def recordable(recipe: Recipe, device: torch.device) -> bool:
    """Return whether a recipe's step can be recorded on a device."""
    return (
        device.type == "cuda" and FAMILIES[recipe.family].recordable
        and recipe.objective.recordable and not recipe.shift
    )  # fmt: skip


def record(
    step: Callable[..., Result], inputs: tuple[Tensor, ...], generator: torch.Generator
) -> tuple[Callable[[], None], Result]:
    """Record step(*inputs) on the current CUDA device.

    Returns (a function that replays it, the step's result, whose tensors each replay overwrites).
    """
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)  # a replay then uses the seed that was set before it
    with torch.cuda.graph(graph):
        result = step(*inputs)
    return graph.replay, result


class Recorded(Generic[Result]):
    """A step that runs eagerly WARM_UP times and is then recorded; every call has tensors of the same shapes."""

    def __init__(self, step: Callable[..., Result], generator: torch.Generator):
        self.step, self.generator = step, generator
        self.inputs: tuple[Tensor, ...] = ()
        self.calls = 0
        self.recording: tuple[Callable[[], None], Result] | None = None

    def __call__(self, *inputs: Tensor) -> Result:
        if not self.inputs:
            self.inputs = tuple(value.clone() for value in inputs)
        for static, value in zip(self.inputs, inputs, strict=True):
            static.copy_(value)
        self.calls += 1
        if self.calls <= WARM_UP:
            return self._run_eagerly()
        if self.recording is None:
            self.recording = record(self.step, self.inputs, self.generator)
        replay, result = self.recording
        replay()
        return result

    def _run_eagerly(self) -> Result:
        """Run the step on a separate stream, as required before a recording."""
        if not torch.cuda.is_available():
            return self.step(*self.inputs)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            result = self.step(*self.inputs)
        torch.cuda.current_stream().wait_stream(stream)
        return result
