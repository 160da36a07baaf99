"""The lessons that this copy of the app has, checked against its pages, their settings and the models' figures."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

import vae.lessons
from vae.lessons import PLANS, Lesson, LessonError, Plan, read_plans

from ..shell import cached, parts, settings

FOLDERS = [vae.lessons.FOLDER]


def lessons() -> tuple[dict[str, Lesson], list[str]]:
    """Return ({key: lesson}, a sentence for each file that cannot be used), read again after a file has changed."""
    return _read(tuple(FOLDERS), _figure_keys(), _changes())


@st.cache_resource(max_entries=1, show_spinner=False)  # emptied when a model changes, see cached.refresh
def _figure_keys() -> tuple:
    """Return (name, the keys of its figures) of each model."""
    return tuple((name, vae.lessons.figure_keys(card)) for name, card in cached.shared_scan()[0].items())


@lru_cache(maxsize=1)  # called several times a run; st.cache_resource takes milliseconds to hash the arguments
def _read(folders: tuple[Path, ...], figures: tuple, files: tuple) -> tuple[dict[str, Lesson], list[str]]:
    """files: for the cache, which must not return what the files said before a change."""
    return vae.lessons.read(folders, settings.registered(), dict(figures), parts.registered())


def _changes() -> tuple:
    """Return when each file of a lesson, or of plans, was changed."""
    return tuple((path, path.stat().st_mtime_ns) for folder in FOLDERS for path in sorted(folder.glob("*.toml")))


def plans() -> tuple[list[Plan], str]:
    """Return (the plans of classes, a sentence if their file cannot be used)."""
    try:
        return [plan for folder in FOLDERS for plan in read_plans(folder / PLANS, lessons()[0])], ""
    except LessonError as error:
        return [], str(error)


def parse_step(text: str) -> tuple[str, int] | None:
    """Parse "terms.2", the second step, to ("terms", 1). Returns None if there is no such step."""
    key, _, number = text.strip().lower().partition(".")
    lesson = parse_lesson(text)
    if lesson is None or not (number.isascii() and number.isdigit() and len(number) < 3):
        return None
    return (key, int(number) - 1) if 1 <= int(number) <= len(lesson.steps) else None


def parse_lesson(text: str) -> Lesson | None:
    """Return the lesson of a step that may not exist, such as "terms.9"; None if the lesson does not exist either."""
    return lessons()[0].get(text.strip().lower().partition(".")[0])
