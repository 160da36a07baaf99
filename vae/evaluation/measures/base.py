"""The interface of a measure, and the context that it reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from ... import jobs, metrics
from ...data import DatasetInfo, Split
from ...models import LatentModel
from ...registry import Registry
from ..figures import FIGURES, Figure
from ..judge import head_sizes

T = TypeVar("T")
BATCH = 500
SEED = 0  # of the posterior samples behind `terms`


class Readings(NamedTuple):
    """The probabilities (n, V) of each of K factors' values, as a classifier reads them."""

    reconstructions: list[np.ndarray]
    originals: list[np.ndarray]
    accuracy: float  # the classifier's mean accuracy on original test images


@dataclass
class Context:
    """A model and the first n images of a split, with cached results."""

    model: LatentModel
    info: DatasetInfo
    split: Split
    n: int
    on: str = "test"  # the split's name
    report: jobs.Report = field(default_factory=jobs.part)  # of the running measure
    parameters: dict[str, dict] = field(default_factory=dict)  # {figure: replacements for its protocol's parameters}
    protocol: dict[str, str] = field(default_factory=dict)  # {figure: its sentence}, written by measures

    @property
    def whole(self) -> bool:
        """Whether all images of the split are measured."""
        return self.n == len(self.split)

    @cached_property
    def terms(self) -> metrics.Terms:
        """The terms of the bound at one posterior sample for each image, and the posteriors."""
        return metrics.average_terms(self.model, self.batches("measuring the terms of the bound"), SEED)

    @property
    def codes(self) -> np.ndarray:
        """Posterior means (n, D)."""
        return self.terms.means

    @cached_property
    @torch.no_grad()
    def readings(self) -> Readings:
        """What the data's classifier reads in the images and in their reconstructions."""
        judge = metrics.load_classifier(self.info.name, self.model.image_shape, head_sizes(self.info))
        read: list[list[list[Tensor]]] = [[], []]
        for x, _ in self.batches("reading reconstructions"):
            for images, batches in zip((self.model.reconstruct(x), x), read, strict=True):
                batches.append([logits.softmax(1) for logits in judge(images)])
        reconstructions, originals = (
            [torch.cat(heads).numpy() for heads in zip(*batches, strict=True)] for batches in read
        )
        return Readings(reconstructions, originals, float(np.mean(judge.accuracy)))

    @property
    def factors(self) -> np.ndarray:
        """Values (n, K) of the known factors."""
        if self.split.factors is None:
            raise ValueError(f"the images of {self.info.name} have no ground-truth factors")
        return self.split.factors[: self.n]

    def batches(self, stage: str = "") -> Iterator[tuple[Tensor, Tensor]]:
        """Yield x (B, C, H, W) and y (B,) of the images. stage: what is reported meanwhile, "" for nothing."""
        batches = self.split.batches(BATCH, range(self.n))
        yield from self.tracked(batches, stage, math.ceil(self.n / BATCH)) if stage else batches

    def tracked(self, items: Iterable[T], stage: str, total: int) -> Iterator[T]:
        """Yield items, of which there are `total`, and report the share that is done."""
        for number, item in enumerate(items):
            self.report(stage, number / total)
            yield item

    def parameters_of(self, figure: Figure) -> dict:
        """Return the parameters of a figure's protocol, with the replacements."""
        return {**figure.protocol, **self.parameters.get(figure.key, {})}

    def describe(self, figure: Figure, **measured: Any) -> None:
        """Write the sentence of a figure. measured: parameters of its protocol that are known only after a run."""
        common = {"images": self.n, "split": self.on}
        self.protocol[figure.key] = figure.describe(**{**common, **self.parameters.get(figure.key, {}), **measured})


def decoded_samples(model: LatentModel, n: int, seed: int) -> Iterator[Tensor]:
    """Yield n decoded samples of the prior in batches (B, C, H, W); of a conditional model, equally many of each
    class."""
    z = model.sample(n, generator=torch.Generator().manual_seed(seed))
    y = torch.arange(n) % model.num_classes if model.num_classes else None
    for first in range(0, n, BATCH):
        rows = slice(first, first + BATCH)
        yield model.decode(z[rows], None if y is None else y[rows])


class Measure:
    """A measurement of one or several figures. A file of measures/ registers it in MEASURES; `evaluate` then runs it,
    and cards, pages and the model zoo show its figures.

    figures: descriptions of the figures that it may measure, registered with the class; see also derived_figures
    position: sort key of its figures among others, ascending
    task: "" if it is always measured, else the downstream task by which a recipe's `downstream` requests it
    """

    figures: tuple[Figure, ...] = ()
    position = 900
    task = ""

    def __init_subclass__(cls) -> None:
        for figure in cls.figures:
            FIGURES.register(figure.key, depth=2)(figure)
        if cls.derived_figures is not Measure.derived_figures:
            FIGURES.derived.append(cls().derived_figures)

    def derived_figures(self) -> tuple[Figure, ...]:
        """Return the figures that depend on what is registered, such as one for each data set."""
        return ()

    def all_figures(self) -> tuple[Figure, ...]:
        """Return `figures` and the derived figures, in the order of tables."""
        return (*self.figures, *self.derived_figures())
    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        """Return whether these figures can be measured for a model of this data set."""
        return True

    def measure(self, context: Context) -> dict:
        """Return {key: value} of the figures.

        A sentence with parameters that are known only after a run, other than `images` and `split`, must be written
        here, with context.describe or into context.protocol.
        """
        raise NotImplementedError


MEASURES: Registry[type[Measure]] = Registry("measure")


def ordered() -> dict[str, Measure]:
    """Return {name: measure} in ascending order of position."""
    return {name: MEASURES[name]() for name in sorted(MEASURES, key=lambda name: (MEASURES[name].position, name))}


def run(measure: Measure, context: Context) -> tuple[dict, dict]:
    """Return (figures, protocol) of a measure. Raises ValueError for a figure that it does not describe."""
    figures = measure.measure(context)
    described = {figure.key: figure for figure in measure.all_figures()}
    if extra := figures.keys() - described.keys():
        raise ValueError(f"{type(measure).__name__} measures {extra.pop()!r} and does not describe it")
    needed = {described[key].of or key for key in figures}
    with_sentence = [figure for figure in described.values() if figure.sentence and figure.key in needed]
    for figure in with_sentence:
        if figure.key not in context.protocol:
            context.describe(figure)
    return figures, {figure.key: context.protocol[figure.key] for figure in with_sentence}
