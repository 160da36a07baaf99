"""A shuffle from a seed. vae/browser/runtime/random.js has the same: a handout orders answers as the app does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
BITS = 2**32 - 1
MAX_SHUFFLE = 9999  # the largest seed of a link


def shuffled(items: Sequence[T], seed: int) -> list[T]:
    """Return the items in random order: the shuffle of Fisher & Yates."""
    uniform, order = _uniforms(seed), list(items)
    for i in range(len(order) - 1, 0, -1):
        j = -(-(next(uniform) * (i + 1)) // 2**32) - 1  # the ceiling of u (i + 1), minus 1, with u in (0, 1]
        order[i], order[j] = order[j], order[i]
    return order


def step_seed(seed: int, order: int, number: int) -> int:
    """Return the seed of one question. seed: from the link. order: of its lesson. number: of its step, from 1."""
    return 7919 * seed + 97 * order + number


def _uniforms(seed: int) -> Iterator[int]:
    """Yield integers from 1 to 2^32: mulberry32 (Ettinger 2017)."""
    state = seed & BITS
    while True:
        state = (state + 0x6D2B79F5) & BITS
        bits = (state ^ state >> 15) * (state | 1) & BITS
        bits ^= bits + ((bits ^ bits >> 7) * (bits | 61) & BITS) & BITS
        yield (bits ^ bits >> 14) + 1
