"""The registry of figures: the label, format, tolerance and protocol of each value on a card.

A figure is described only in the file that measures it (measures/). Cards, the model zoo's tables, the pages and the
command line read labels, units, digits, baselines and protocols here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Literal

from ..registry import Registry
from ..store import ModelCard


@dataclass(frozen=True)
class Figure:
    """The description of a measured value, or of several of one kind (a dict or a list)."""

    key: str  # on cards
    label: str  # in tables
    unit: str = ""
    digits: str = ".3f"  # a format specification
    group: str = ""  # "bound", "code", "disentanglement", or "" for a downstream task
    better: Literal["higher", "lower"] | None = None
    baseline: str | float = ""  # what it is compared with: a figure's key, "key.item" of a dict, or a constant ...
    baseline_label: str = ""  # ... and its name
    # parameters of the measurement, read by the code that measures; None for values known only after a run
    protocol: Mapping[str, Any] = field(default_factory=dict)
    sentence: str = ""  # how it is measured: a format string over `protocol`, rendered for a card
    of: str = ""  # key of the figure whose protocol covers this one
    out_of: str = ""  # the field of a model's config that is the maximum of a count
    errors: tuple[str, ...] = ()  # keys of its standard errors
    items: Mapping[str, str] = field(default_factory=dict)  # of a dict: {item that tables show: label}; {} for all
    brief: str = ""  # its part of a model's one-line summary: a format string over value, baseline and `protocol`
    brief_baseline: str = ""  # appended to `brief` if there is a baseline and it is not 0
    rank: int = 0  # a recipe without a figure is judged by its figure of the lowest rank; 0 for never
    shown: bool = True  # whether tables show it
    tolerance: float = 1e-3  # of a repeated measurement, relative to the value, or to 1 if the value is smaller

    @property
    def title(self) -> str:
        """The label with the unit, as the heading of a column."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    def text(self, value: float | None) -> str:
        """Return a value formatted with `digits`, without the unit; a dash for None."""
        return "–" if value is None else f"{value:{self.digits}}"

    def describe(self, **measured: Any) -> str:
        """Return the sentence for a card. measured: parameters known only after a run, or changed by it.

        Raises ValueError where the sentence needs a parameter that neither the protocol nor `measured` has.
        """
        values = {**self.protocol, **measured}
        if missing := [name for name in placeholders(self.sentence) if values.get(name) is None]:
            raise ValueError(f"the protocol of {self.key!r} needs {', '.join(missing)}")
        return self.sentence.format(**values)

    def agrees(self, measured: Any, stored: Any) -> bool:
        """Return whether two measurements (numbers, lists or dicts) agree within the tolerance."""
        if isinstance(stored, dict) and isinstance(measured, dict):
            return measured.keys() == stored.keys() and all(self.agrees(measured[k], stored[k]) for k in stored)
        if isinstance(stored, (list, tuple)) and isinstance(measured, (list, tuple)):
            return len(measured) == len(stored) and all(map(self.agrees, measured, stored))
        if not isinstance(stored, (int, float)) or not isinstance(measured, (int, float)):
            return stored is measured is None  # a constant factor has no gap
        return measured == stored or abs(measured - stored) <= self.tolerance * max(1.0, abs(stored))


class FigureRegistry(Registry[Figure]):
    """The registry of figures, filled by the files of measures/.

    derived: functions that list figures which depend on another registry. A lookup calls them for a key that is not
    registered itself, so that they may follow what is registered later.
    """

    def __init__(self) -> None:
        super().__init__("figure")
        self.derived: list[Callable[[], Iterable[Figure]]] = []

    def __missing__(self, key: str) -> Figure:
        for figure in self._derived_figures():
            if figure.key == key:
                return figure
        return super().__missing__(key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or any(figure.key == key for figure in self._derived_figures())

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default

    def _derived_figures(self) -> Iterator[Figure]:
        for figures in self.derived:
            yield from figures()


FIGURES = FigureRegistry()


def placeholders(sentence: str) -> list[str]:
    """Return the names of a format string's fields."""
    return [name for _, name, _, _ in Formatter().parse(sentence) if name]


def label(key: str) -> str:
    """Return the label of a figure; its key where it is not described."""
    return FIGURES[key].label if key in FIGURES else key


def unknown(card: ModelCard) -> str:
    """Return why a card's figures are not known, as a sentence; "" where all are."""
    keys = [key for key in card.figures if key not in FIGURES]
    return f"its card has figures that are not known here: {', '.join(map(repr, keys))}" if keys else ""
