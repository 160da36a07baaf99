"""The settings of pages: what a link or a lesson may set on a page, beside the state that all pages share.

A page lists them in a constant SETTINGS, in its own file or in one of its wing (the folder components/<page>/):

    SETTINGS = {"sample_count": ("choice", *COUNTS), "sample_temperature": ("float", *TEMPERATURES)}

and calls take() before it creates the widget. The page's link then holds those that are not at their defaults.

An entry is a kind of KINDS and its limits. The constant is read from the source, because a page runs only when it is
opened. It is a literal that may unpack other constants of its file: tuples, lists, and the keys of dictionaries.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import streamlit as st

from . import link
from .constants import constant, files_of_pages
from .parse import parse_flag_text, parse_int, parse_int_text, parse_number, parse_number_text

NO_LABELS: Mapping[str, str] = MappingProxyType({})


class Setting(Protocol):
    """A setting of some kind, with its limits."""

    expected: str  # what a value must be, such as "a number from 0 to 2"

    def allows(self, value: object) -> bool: ...

    def parse(self, text: str):
        """Return the value that a link writes so; None if it is not allowed."""


class Choice:
    def __init__(self, *options: str | int):
        if not options:
            raise ValueError("a choice has one option or more")
        self.options = options
        self.expected = f"one of {', '.join(map(repr, options))}"

    def allows(self, value: object) -> bool:
        return any(type(value) is type(option) and value == option for option in self.options)

    def parse(self, text: str):
        return next((option for option in self.options if str(option).lower() == text.strip().lower()), None)


class Int:
    def __init__(self, low: int, high: int):
        self.low, self.high = low, high
        self.expected = f"a whole number from {low} to {high}"

    def allows(self, value: object) -> bool:
        return parse_int(value, self.low, self.high) is not None

    def parse(self, text: str) -> int | None:
        return parse_int_text(text, self.low, self.high)


class Float:
    def __init__(self, low: float, high: float):
        self.low, self.high = low, high
        self.expected = f"a number from {low:g} to {high:g}"

    def allows(self, value: object) -> bool:
        return parse_number(value, self.low, self.high) is not None

    def parse(self, text: str) -> float | None:
        return parse_number_text(text, self.low, self.high)


class Flag:
    expected = "true or false"

    def allows(self, value: object) -> bool:
        return isinstance(value, bool)

    def parse(self, text: str) -> bool | None:
        return parse_flag_text(text)


class Text:
    """A text that only the page can check, because what is allowed depends on the model."""

    expected = "a text"

    def allows(self, value: object) -> bool:
        return isinstance(value, str)

    def parse(self, text: str) -> str:
        return text


class Models:
    """Names of models. The page leaves out those that it cannot show."""

    expected = "a list of models"

    def allows(self, value: object) -> bool:
        return isinstance(value, tuple) and all(isinstance(name, str) for name in value)

    def parse(self, text: str) -> tuple[str, ...]:
        return tuple(text.split(","))


KINDS = {"choice": Choice, "int": Int, "float": Float, "bool": Flag, "text": Text, "models": Models}


def registered() -> dict[str, dict[str, Setting]]:
    """Return {page: {key: setting}} of all pages.

    Raises ValueError, naming the file, for a list that cannot be read and for a key that is registered twice.
    """
    pages: dict[str, dict[str, Setting]] = {}
    where: dict[str, Path] = {}
    for page, files in files_of_pages().items():
        pages[page] = {}
        for file in files:
            for key, setting in _listed(file).items():
                if key in where:
                    raise ValueError(f"the setting {key!r} is registered twice: in {where[key]} and in {file}")
                pages[page][key], where[key] = setting, file
    return pages


def take(key: str, widget: str = "", among: Collection = (), labels: Mapping[str, str] = NO_LABELS) -> bool:
    """Give a widget the value that the last link or the step of a lesson has for it, once.

    Call it before the widget is created. widget: the widget's key, if it is not the setting's. among: the values that
    can be chosen with the current model, if they are fewer. labels: what the widget shows for its values, if it is not
    the values themselves; a link may name either. Returns whether there was a value. The page names one that
    is not allowed, and ignores it, since links come from strangers; it ignores a key that no page registers.
    """
    widget = widget or key
    st.session_state.setdefault("shown_settings", {})[key] = widget
    text = link.pop_page_parameter(key)
    if not text:
        return text is not None and _set_default(widget)
    taken = _set_value(key, widget, text, among, labels)
    if taken:
        _defaults().setdefault(widget, None)
    return taken


def _set_value(key: str, widget: str, text: str, among: Collection, labels: Mapping[str, str]) -> bool:
    setting = next((settings[key] for settings in registered().values() if key in settings), None)
    value = _parse(setting, text, among, labels) if setting else None
    if value is None or (among and value not in among):
        if setting:
            link.refuse(f"{key} is not available here" if value is not None else f"{key} must be {setting.expected}")
        return False
    st.session_state[widget] = value
    return True


def _parse(setting: Setting, text: str, among: Collection, labels: Mapping[str, str]):
    """Return the value that a text means, written as in links or as the widget shows it; None if it is not allowed."""
    value = setting.parse(text)
    if value is None or isinstance(value, str) and among and value not in among:
        written = _words(text)
        names = {option: labels.get(option, option) for option in (*among, *labels) if isinstance(option, str)}
        options = [option for option, label in names.items() if written in (_words(option), _words(label))]
        return options[0] if written and options else value
    return value


def _words(text: str) -> list[str]:
    """Return what two spellings of a name have in common."""
    return re.findall(r"[^\W_]+", text.casefold())


def _defaults() -> dict[str, object]:
    """Return the value that each widget had when it was first shown, its default; None where a link had set it."""
    return st.session_state.setdefault("setting_defaults", {})


def _set_default(widget: str) -> bool:
    """Give a widget its default, as in the history entry that the visitor has returned to, whose link lacks it."""
    value = _defaults().get(widget)
    if value is not None:
        st.session_state[widget] = value
    return value is not None


def leave_out(key: str) -> None:
    """Leave a setting out of the link of this run."""
    st.session_state.get("shown_settings", {}).pop(key, None)


def add_to_link() -> None:
    """Add the settings that this run has shown to its link, without those at their defaults."""
    for key, widget in st.session_state.pop("shown_settings", {}).items():
        value = st.session_state.get(widget)
        if isinstance(value, (str, int, float)) and value != _defaults().setdefault(widget, value):
            link.set_page_parameter(key, str(value).lower() if isinstance(value, bool) else str(value))


def is_pending(key: str) -> bool:
    """Return whether the last link or the step of a lesson has a value for this setting that take() has yet to use."""
    return key.lower() in st.session_state.get("pending_parameters", {})


@lru_cache(maxsize=200)
def _listed(file: Path) -> dict[str, Setting]:
    """Return the settings that a file lists."""
    try:
        return {key: KINDS[kind](*limits) for key, (kind, *limits) in constant(file, "SETTINGS").items()}
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{file}: SETTINGS cannot be read ({error})") from None
