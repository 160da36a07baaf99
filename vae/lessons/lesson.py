"""A lesson and its steps.

A placeholder {name[figure]:format} in an explanation takes the figure from the model's card when the text is shown;
literal braces are doubled.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .shuffle import shuffled, step_seed

PLACEHOLDER = re.compile(r"([^.\[\]]+)\[([^\[\]]+)\](?:\[[^\[\]]+\])*")  # model[figure], or [item] of a figure
FORMAT = re.compile(r"[\w.,%+]{0,6}")  # short, so that no format makes a text of megabytes
MAP_FIGURES = ("trustworthiness",)  # those on a card's map
Value = bool | int | float | str | tuple[str, ...]  # of a setting; a tuple holds names of models


class Card(Protocol):
    """What a lesson needs of a model's card."""

    @property
    def figures(self) -> dict: ...
    @property
    def map(self) -> dict: ...


@dataclass(frozen=True)
class Misconception:
    """A wrong answer, why people believe it, and where that is known from."""

    answer: str  # one of the answers
    belief: str
    source: str


@dataclass(frozen=True)
class Prediction:
    """The question of a step. The learner commits to an answer before the explanation is shown."""

    question: str
    answers: tuple[str, ...]  # in the file's order; a learner sees them shuffled
    correct: str  # one of the answers
    misconceptions: tuple[Misconception, ...]  # one for each wrong answer


@dataclass(frozen=True)
class Try:
    """What a learner does in a step, and the page, the model and the point at which he begins."""

    text: str
    page: str  # "sliders"
    model: str
    z: tuple[float, ...] | None = None
    seed: int | None = None
    y: int | None = None  # class, for a conditional model
    settings: dict[str, Value] = field(default_factory=dict)  # of the page, by key
    app_only: bool = False  # whether it asks for a part of the page that a handout does not have
    look_at: str = ""  # the part of the page that the question is about; "" for its first one

    def link(self) -> dict[str, str]:
        """Return the query parameters that open the page as the step begins."""
        shared = {"model": self.model, "z": self.z, "seed": self.seed, "y": self.y}
        return {key: _text(value) for key, value in shared.items() if value is not None} | self.settings_link()

    def settings_link(self) -> dict[str, str]:
        """Return the query parameters of the page's settings alone."""
        return {key: _text(value) for key, value in self.settings.items()}


@dataclass(frozen=True)
class Step:
    predict: Prediction
    try_: Try
    reveal: str  # what is to be seen, shown after an answer
    why: str = ""  # its reason, shown after it
    source: str = ""  # the paper behind it
    check: tuple[str, ...] = ()  # the tests of what the step claims, tests/app/test_claims.py

    @property
    def explanation(self) -> str:
        """The text after an answer, with its placeholders."""
        return f"{self.reveal} {self.why}".strip()


@dataclass(frozen=True)
class Lesson:
    title: str
    about: str
    order: int  # its position among the lessons
    minutes: int
    steps: tuple[Step, ...]
    aims: tuple[str, ...]  # what a learner can do afterwards
    prior: str  # prior knowledge

    def answers(self, number: int, shuffle: int) -> list[str]:
        """Return the answers of a step, counted from 0, in the order of a link's seed."""
        return shuffled(self.steps[number].predict.answers, step_seed(shuffle, self.order, number + 1))


@dataclass(frozen=True)
class PlanPart:
    """What a class does for some minutes, with steps of a lesson, or all of them, if it names one."""

    minutes: int
    text: str
    lesson: str = ""  # its key
    steps: tuple[int, ...] = ()  # counted from 1


@dataclass(frozen=True)
class Plan:
    """A plan of a class."""

    title: str
    minutes: int
    parts: tuple[PlanPart, ...]


def figure_keys(card: Card) -> tuple[str, ...]:
    """Return the keys of the figures of a card that a placeholder may name."""
    return (*card.figures, *MAP_FIGURES)


def fill_figures(text: str, cards: Mapping[str, Card]) -> str:
    """Replace the placeholders of a text with the cards' figures.

    Raises KeyError if a card or a figure is missing, and other errors if a card is malformed.
    """
    figures = {
        name: cards[name].figures | {key: cards[name].map.get(key, {}) for key in MAP_FIGURES}
        for name in referenced_models(text)
    }
    return text.format_map(figures)


def placeholders(text: str) -> Iterator[tuple[str, str]]:
    """Yield (model, figure) of each placeholder. Raises ValueError for one that is malformed."""
    for _, name, format_spec, _ in string.Formatter().parse(text):
        if name is None:
            continue
        found = PLACEHOLDER.fullmatch(name)
        if not (found and FORMAT.fullmatch(format_spec or "")):
            raise ValueError(f"{{{name}}} does not have the form {{model[figure]:format}}")
        yield found[1], found[2]


def referenced_models(text: str) -> set[str]:
    """Return the names of the models whose figures a text contains."""
    return {model for model, _ in placeholders(text)}


def step_models(step: Step) -> list[str]:
    """Return the names of the models that a step needs, the one at which it begins first."""
    lists = [value for value in step.try_.settings.values() if isinstance(value, tuple)]
    beside = [name for value in lists for name in value]
    named = [step.try_.model, *beside, *sorted(referenced_models(step.explanation))]
    return list(dict.fromkeys(named))


def _text(value: Value | tuple[float, ...]) -> str:
    """Return a value as links write it."""
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
