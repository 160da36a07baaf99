"""Attribute directions in latent space: the share of images whose attribute a direction changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..latent.geometry import attribute_direction
from ..models import LatentModel

PROTOCOL = (
    "directions are computed from {fit:,} codes; {moved:,} other test images are moved by {steps:g} times the "
    "direction and judged by a classifier"
)


class Flips(NamedTuple):
    """The share of test images, for each attribute, that change when their code moves along its direction."""

    rates: dict[str, float]  # of images that gain the attribute, or lose it where they had it
    unmoved: dict[str, float]  # baseline: the same for plain reconstructions, which include the classifier's errors
    others_kept: dict[str, float]  # share of the other attributes that do not change
    protocol: str


@torch.no_grad()
def attribute_flips(
    model: LatentModel, codes: Tensor, factors: np.ndarray, attributes: dict[str, tuple[int, tuple[int, ...]]],
    judge: Callable[[Tensor], Tensor], fit: int, steps: float = 1.0,
) -> Flips:  # fmt: skip
    """Move codes by each attribute's direction (Larsen et al. 2016) and classify the decoded images.

    codes (N, D), factors (N, K) int. attributes: {name: (k, values)}; an image has the attribute where its factor k
    takes one of these values. judge: a classifier, images (B, C, H, W) -> factors (B, K) int. The directions are
    computed from the first `fit` codes. The others are moved by +steps times the direction where the attribute is
    absent and by -steps where it is present.
    Raises ValueError for codes and factors that do not go together, and unless 0 < fit < N.
    """
    if codes.ndim != 2 or np.ndim(factors) != 2 or len(codes) != len(factors):
        shapes = f"{tuple(codes.shape)}, {np.shape(factors)}"
        raise ValueError(f"codes (N, D) and factors (N, K) must go together, not {shapes}")
    if not 0 < fit < len(codes):
        raise ValueError(f"fit must be between 1 and {len(codes) - 1}, so that codes are left to move, not {fit}")
    rates, unmoved, others = {}, {}, {}
    names = list(attributes)
    has = _has(factors, attributes)
    plain_has = _has(_judged(model, codes[fit:], judge), attributes)
    for name in names:
        direction = attribute_direction(codes[:fit], torch.from_numpy(has[name][:fit])).vector
        there = has[name][fit:]
        sign = torch.from_numpy(np.where(there, -1.0, 1.0)).float()
        moved = _judged(model, codes[fit:] + steps * sign[:, None] * direction, judge)
        after = _has(moved, attributes)
        rates[name] = float((after[name] != there).mean())
        unmoved[name] = float((plain_has[name] != there).mean())
        kept = [(after[n] == plain_has[n]).mean() for n in names if n != name]
        others[name] = float(np.mean(kept)) if kept else 1.0
    protocol = PROTOCOL.format(fit=fit, moved=len(codes) - fit, steps=steps)
    return Flips(rates, unmoved, others, protocol)


def _has(factors: np.ndarray, attributes: dict) -> dict[str, np.ndarray]:
    """Return {attribute: bool (N,), which rows have it}."""
    return {name: np.isin(factors[:, k], values) for name, (k, values) in attributes.items()}


def _judged(model: LatentModel, codes: Tensor, judge: Callable[[Tensor], Tensor]) -> np.ndarray:
    return torch.cat([judge(model.decode(part)) for part in codes.split(500)]).numpy()


def lost_by_group(
    read: np.ndarray, factors: np.ndarray, attributes: dict[str, tuple[int, tuple[int, ...]]], group: int
) -> dict[str, dict[int, float]]:
    """Return {attribute: {value of the group's factor: share of the images that have lost the attribute}}.

    read, factors (N, K) int: the factors of reconstructions, as a classifier reads them, and of the originals.
    attributes: as for attribute_flips. group: the factor whose values are the groups. The share is of the images of
    a group that have the attribute. A group without any is left out.
    """
    had, kept = _has(factors, attributes), _has(read, attributes)
    return {
        name: {
            int(value): float((~kept[name])[there & (factors[:, group] == value)].mean())
            for value in np.unique(factors[there, group])
        }
        for name, there in had.items()
    }
