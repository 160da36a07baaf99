"""A training step recorded once as a CUDA graph and replayed: its hundreds of small kernels start as one."""

from __future__ import annotations

from typing import Callable

import torch
from torch import Tensor

from .recipes import Recipe

WARM_UP = 3  # ordinary steps before the recording, in which libraries choose and allocate
# Families whose step asks the host for nothing: no value decides what is run next.
FAMILIES = ("ae", "vae", "dvae", "vamp", "iaf", "ladder", "vaegan")


def recordable(recipe: Recipe, device: torch.device) -> bool:
    """Return whether a recipe's step can be recorded on a device."""
    return (
        device.type == "cuda" and recipe.family in FAMILIES and recipe.objective.recordable and not recipe.shift
    )


def record(step: Callable, inputs: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Callable, object]:
    """Record step(*inputs) on the current CUDA device; return what replays it, and the step's result,
    whose tensors each replay writes again."""
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)  # a replay takes up the seed that was set before it
    with torch.cuda.graph(graph):
        result = step(*inputs)
    return graph.replay, result


class Recorded:
    """A step, called with tensors of the same shapes each time: a few times as it is, then recorded."""

    def __init__(self, step: Callable, generator: torch.Generator):
        self.step, self.generator = step, generator
        self.inputs: tuple[Tensor, ...] = ()
        self.calls, self.replay, self.result = 0, None, None

    def __call__(self, *inputs: Tensor):
        if not self.inputs:
            self.inputs = tuple(value.clone() for value in inputs)
        for static, value in zip(self.inputs, inputs, strict=True):
            static.copy_(value)
        self.calls += 1
        if self.calls <= WARM_UP:
            return self._aside()
        if self.replay is None:
            self.replay, self.result = record(self.step, self.inputs, self.generator)
        self.replay()
        return self.result

    def _aside(self):
        """An ordinary step on a stream of its own, as a recording needs it."""
        if not torch.cuda.is_available():
            return self.step(*self.inputs)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            result = self.step(*self.inputs)
        torch.cuda.current_stream().wait_stream(stream)
        return result
