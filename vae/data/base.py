"""What a data set is: a description, and splits that render images by index."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Callable

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class FactorGrid:
    """Images that are drawn from K known factors: every combination of their values is one image.

    render: factor values (B, K) int -> uint8 (B, C, H, W); ValueError for a value out of range.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]  # of each factor, in words
    render: Callable[[np.ndarray], np.ndarray]
    label: int = 0  # the factor whose values are the classes

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each factor has."""
        return tuple(len(values) for values in self.values)

    def __len__(self) -> int:
        return int(np.prod(self.sizes))

    def factors_of(self, numbers: np.ndarray) -> np.ndarray:
        """Image numbers (B,), the last factor fastest -> factor values (B, K)."""
        return np.stack(np.unravel_index(numbers, self.sizes), axis=-1)

    def numbers(self, factors: np.ndarray) -> np.ndarray:
        """Factor values (B, K) -> image numbers (B,)."""
        return np.ravel_multi_index(np.asarray(factors).T, self.sizes)

    def sample(
        self, n: int, rng: np.random.Generator, fixed: dict[str, int] | None = None
    ) -> np.ndarray:
        """n independent uniform draws of all factors, (n, K), with those in `fixed` held.

        Raises ValueError for a factor or a value that does not exist.
        """
        factors = rng.integers(0, self.sizes, size=(n, len(self.sizes)))
        for name, value in (fixed or {}).items():
            if name not in self.names:
                raise ValueError(f"there is no factor {name!r}: expected {', '.join(self.names)}")
            k = self.names.index(name)
            if not 0 <= value < self.sizes[k]:
                raise ValueError(f"{name} has values 0 to {self.sizes[k] - 1}, not {value}")
            factors[:, k] = value
        return factors

    def partners(self, factors: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
        """Factor values (B, K) -> others (B, K) that differ from them in exactly k factors, which
        are drawn for each row, as their new values are. Raises ValueError unless 0 <= k <= K."""
        factors = np.asarray(factors)
        if not 0 <= k <= len(self.sizes):
            raise ValueError(f"pairs can differ in 0 to {len(self.sizes)} factors, not {k}")
        # a step of 1..size-1 around the factor's circle of values reaches every other value
        steps = rng.integers(1, self.sizes, size=factors.shape)
        changed = rng.random(factors.shape).argsort(1) < k
        return np.where(changed, (factors + steps) % self.sizes, factors)

    def sweep(self, factors: np.ndarray, k: int) -> np.ndarray:
        """One image's factor values (K,) -> (V, K): factor k takes each of its values in turn."""
        all_values = np.repeat(np.asarray(factors)[None], self.sizes[k], axis=0)
        all_values[:, k] = np.arange(self.sizes[k])
        return all_values

    def split(self, name: str, test_size: int) -> Split:
        """Return one of SPLITS. A fixed hash of each image's number decides where it belongs:
        test_size images to "test", the next ones to "validation", all others to "train".

        Test and validation images come in the order of their hash, so that the first n are a
        random sample; training images in that of their number.
        """
        check_split(name)
        order = hash_order(len(self))
        end = test_size + validation_size(len(self) - test_size)
        numbers = {
            "test": lambda: order[:test_size],
            "validation": lambda: order[test_size:end],
            "train": lambda: np.sort(order[end:]),
            "train+validation": lambda: np.sort(order[test_size:]),
        }[name]()
        factors = self.factors_of(numbers)
        return Split(partial(render_rows, self.render, factors), factors[:, self.label], factors, self, name)


@dataclass(frozen=True)
class Split:
    """N images with their labels, in a fixed order.

    render: indices (B,) -> uint8 (B, C, H, W); images may be kept or drawn on demand. A function that can be
    pickled, so that a split can: workers of a DataLoader are sent it.
    """

    render: Callable[[np.ndarray], np.ndarray]
    labels: np.ndarray  # (N,) int64, indices into DatasetInfo.classes
    factors: np.ndarray | None = None  # (N, K) int64, where the truth is known
    grid: FactorGrid | None = None  # and what the factors are
    name: str = ""  # one of SPLITS; "" for images that are no data set's

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray | slice, name: str) -> Split:
        """Return the images at rows, in that order, as a split of their own.

        rows: numbers (M,), a mask (N,) or a slice.
        """
        rows = np.arange(len(self))[rows]
        factors = None if self.factors is None else self.factors[rows]
        render = partial(render_rows, self.render, rows)
        return replace(self, render=render, labels=self.labels[rows], factors=factors, name=name)

    def first(self, n: int) -> Split:
        """Its first n images."""
        return self.take(slice(n), self.name)

    def batch(self, indices) -> tuple[Tensor, Tensor]:
        """indices (B,), B may be 0 -> x (B, C, H, W) float in [0, 1], y (B,) int64."""
        indices = np.asarray(indices)
        indices = indices if indices.size else indices.astype(np.int64)  # an empty list is an array of floats
        x = torch.from_numpy(self.render(indices)).float() / 255
        return x, torch.from_numpy(self.labels[indices])


def render_rows(render: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Render the images that stand at some places of rows: numbers (N,), or factor values (N, K)."""
    return render(rows[indices])


@dataclass(frozen=True)
class DatasetInfo:
    """A data set's description. load(one of SPLITS, download=True) returns a Split, or raises
    OSError where its files are missing, damaged or not to be downloaded."""

    name: str
    title: str
    image_shape: tuple[int, int, int]  # (C, H, W)
    classes: tuple[str, ...]
    licence: str
    source: str
    load: Callable[..., Split]
    white_on_black: bool = False  # strangers' dark-on-light drawings are inverted
    grid: FactorGrid | None = None  # the factors, where the truth is known
    # {attribute: (factor, the values that have it)}, what people would ask a direction for
    attributes: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    start: int = 0  # the test image that a session begins with
    binary: bool = False  # test pixels are 0 or 1, so that a Bernoulli likelihood is a probability

    def attribute_values(self) -> dict[str, tuple[int, tuple[int, ...]]]:
        """The attributes in numbers: {name: (k, values of factor k)}."""
        found = {}
        for name, (factor, values) in self.attributes.items():
            k = self.grid.names.index(factor)
            found[name] = k, tuple(self.grid.values[k].index(value) for value in values)
        return found


# "train+validation" is what "train" was before there was a validation split
SPLITS = ("train", "validation", "test", "train+validation")
MAX_VALIDATION = 5000


def check_split(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: expected one of {', '.join(SPLITS)}")


def refuse_test(split: Split | str, what: str) -> None:
    """Raise ValueError for the test split: `what` chooses, and test images are read to report."""
    if (split if isinstance(split, str) else split.name) == "test":
        raise ValueError(f"{what} must not read the test split: it chooses, and test images are only read to report")


def validation_size(n: int) -> int:
    """Return how many of n images that are not test images make the validation split."""
    return min(n // 10, MAX_VALIDATION)


def hash_order(n: int) -> np.ndarray:
    """Return the numbers 0..n-1 in the order of a fixed hash, a random order that never changes."""
    return np.argsort(_hash(np.arange(n, dtype=np.uint64)), kind="stable")


def _hash(x: np.ndarray) -> np.ndarray:
    """splitmix64 (Steele et al. 2014): the same split on every platform and numpy version."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
