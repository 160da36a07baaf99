"""Validation of inputs: images, codes, class numbers. Each check raises ValueError with one sentence.

Nothing is checked while torch.compile, torch.export or a tracer records operations.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor
from torch.distributions import Distribution

RANGE_TOLERANCE = 1e-4  # by which rounded pixels may lie outside [0, 1]


def check_images(
    x: Tensor, image_shape: tuple[int, ...], batch_shape: tuple[int, ...] | None = None, look: bool = True
) -> None:
    """Raise ValueError, in one sentence, unless x holds floats in [0, 1] of shape (B, C, H, W).

    image_shape: (C, H, W). batch_shape: of a likelihood, to which x must broadcast. look: whether the range is
    checked, which reads the values.
    """
    if traced():
        return
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise ValueError(f"x must be a tensor of floats in [0, 1], not {kind_of(x)}")
    if batch_shape is None:
        fits = x.ndim == 4 and x.shape[1:] == tuple(image_shape)
    else:
        fits = broadcasts(x.shape, (*batch_shape, *image_shape), event_dims=3)
    if not fits:
        # the message names the number of images even if an axis is missing or misplaced
        n = x.shape[:1] if x.ndim == 4 else (max(1, x.numel() // prod(image_shape)),)
        expected = (*(n if batch_shape is None else batch_shape), *image_shape)
        raise ValueError(f"x must have shape {expected}, not {tuple(x.shape)}")
    found = extremes(x) if look else None
    if found and not (found[0] >= -RANGE_TOLERANCE and found[1] <= 1 + RANGE_TOLERANCE):
        problem = "but some are NaN" if found[0] != found[0] else f"not from {found[0]:g} to {found[1]:g}"
        raise ValueError(f"x must hold pixels in [0, 1], {problem}")


def check_codes(z: Tensor, distribution: Distribution) -> None:
    """Raise ValueError unless z is a tensor of a distribution's shape (B, D), or of one that broadcasts to it."""
    if not isinstance(z, Tensor):
        raise ValueError(f"z must be a tensor, not {kind_of(z)}")
    expected = distribution.batch_shape + distribution.event_shape
    if not traced() and not broadcasts(z.shape, expected, event_dims=1):
        shape = tuple(expected) if distribution.batch_shape else f"(B, {expected[0]})"
        raise ValueError(f"z must have shape {shape}, not {tuple(z.shape)}")


def broadcasts(shape: torch.Size, expected: tuple[int, ...], event_dims: int) -> bool:
    """Return whether a shape ends in the last event_dims of expected, and broadcasts to it before them."""
    if shape == expected:
        return True
    before = zip(shape[-event_dims - 1 :: -1], expected[-event_dims - 1 :: -1], strict=False)
    return shape[-event_dims:] == tuple(expected[-event_dims:]) and all(1 in (a, b) or a == b for a, b in before)


def traced() -> bool:
    """Return whether torch.compile, torch.export or torch.jit.trace is recording operations."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def extremes(x: Tensor) -> tuple[float, float] | None:
    """Return the smallest and largest value of x, both NaN if any value is.

    None where x is empty or its values cannot be read: while operations are recorded, also as a CUDA graph, under vmap
    and on the meta device.
    """
    if traced() or not x.numel():
        return None
    if x.is_cuda and torch.cuda.is_current_stream_capturing():
        return None
    try:
        low, high = x.detach().aminmax()
        return low.item(), high.item()
    except RuntimeError:  # raised under vmap, by fake tensors and on the meta device
        return None


def kind_of(value: object) -> str:
    """Return the kind of a value, for a message: the dtype of a tensor, else the type."""
    return str(value.dtype).removeprefix("torch.") if isinstance(value, Tensor) else type(value).__name__


def precise(values: Tensor) -> Tensor:
    """Undo autocast and half precision: float16 and bfloat16 to float32, other dtypes unchanged."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
