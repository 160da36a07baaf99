"""The registry of figures: what each value on a card is called, and how it is written, compared and measured.

A figure is described in the file that measures it (measures/), and nowhere else. Cards, the README's tables, the
pages and the command line read names, units, digits, baselines and protocols here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Literal, Mapping

from ..registry import Registry


@dataclass(frozen=True)
class Figure:
    """A measured value, or several of a kind: a dict or a list."""

    key: str  # on cards
    label: str  # in tables
    unit: str = ""
    digits: str = ".3f"  # a format specification
    group: str = ""  # "bound", "code", "disentanglement", or "" for what a model is good for
    better: Literal["higher", "lower"] | None = None
    baseline: str | float = ""  # what it is compared with: a figure's key, "key.item" of a dict, or a constant ...
    baseline_label: str = ""  # ... and what that is
    # parameters of the measurement, which the code that measures reads; None for what only a run knows
    protocol: Mapping[str, Any] = field(default_factory=dict)
    sentence: str = ""  # how it is measured: a format string over `protocol`, from which a card's text is made
    of: str = ""  # the figure whose protocol covers this one
    out_of: str = ""  # the field of a model's config that is the most a count can be
    errors: tuple[str, ...] = ()  # keys of its standard errors
    items: tuple[str, ...] = ()  # of a dict: what tables show of it; () for all
    brief: str = ""  # its part of a model's one-line summary: a format string over value, baseline and `protocol`
    rank: int = 0  # without a figure in its recipe, a model is judged by the lowest rank it has; 0 for none
    shown: bool = True  # whether tables show it
    tolerance: float = 1e-3  # what a repeated measurement may differ by: of the value, of 1 where that is more

    @property
    def title(self) -> str:
        """Its label with the unit, as the heading of a column."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    def text(self, value: float | None) -> str:
        """Return a value in its digits, without the unit; a dash for None."""
        return "–" if value is None else f"{value:{self.digits}}"

    def describe(self, **measured) -> str:
        """Return the sentence for a card: `measured` is what only a run knows, or has changed.

        Raises ValueError where the sentence needs what neither the protocol nor the run says.
        """
        values = {**self.protocol, **measured}
        if missing := [name for name in placeholders(self.sentence) if values.get(name) is None]:
            raise ValueError(f"the protocol of {self.key!r} needs {', '.join(missing)}")
        return self.sentence.format(**values)

    def agrees(self, measured, stored) -> bool:
        """Return whether two measurements of it, numbers, lists or dicts, lie within the tolerance."""
        if isinstance(stored, dict) and isinstance(measured, dict):
            return measured.keys() == stored.keys() and all(self.agrees(measured[k], stored[k]) for k in stored)
        if isinstance(stored, (list, tuple)) and isinstance(measured, (list, tuple)):
            return len(measured) == len(stored) and all(map(self.agrees, measured, stored))
        if not isinstance(stored, (int, float)) or not isinstance(measured, (int, float)):
            return stored is measured is None  # a constant factor has no gap
        return measured == stored or abs(measured - stored) <= self.tolerance * max(1.0, abs(stored))


FIGURES: Registry[Figure] = Registry("figure")  # filled by the files of measures/


def placeholders(sentence: str) -> list[str]:
    """Return the names that a format string has to be given."""
    return [name for _, name, _, _ in Formatter().parse(sentence) if name]


def label(key: str) -> str:
    """Return what a figure is called; its key where it is not described."""
    return FIGURES[key].label if key in FIGURES else key


def unknown(card) -> str:
    """Return why a card cannot be used: it has figures that no file describes; "" where all are described."""
    keys = [key for key in card.figures if key not in FIGURES]
    return f"its card has figures that are not known here: {', '.join(map(repr, keys))}" if keys else ""
