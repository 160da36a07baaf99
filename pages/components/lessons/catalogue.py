"""The lessons that this copy of the app has, checked against its pages, their settings and the models' figures."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import vae.lessons
from vae.lessons import Lesson

from ..shell import cached, settings

FOLDERS = [vae.lessons.FOLDER]


def lessons() -> tuple[dict[str, Lesson], list[str]]:
    """Return ({key: lesson}, a sentence for each file that cannot be used), read again after a file has changed."""
    figures = tuple((name, vae.lessons.figure_keys(card)) for name, card in cached.shared_scan()[0].items())
    files = [path for folder in FOLDERS for path in sorted(folder.glob("*.toml"))]
    return _read(tuple(FOLDERS), figures, tuple((path, path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=1)  # called several times a run; st.cache_resource takes milliseconds to hash the arguments
def _read(folders: tuple[Path, ...], figures: tuple, files: tuple) -> tuple[dict[str, Lesson], list[str]]:
    """files: for the cache, which must not return what the files said before a change."""
    return vae.lessons.read(folders, settings.registered(), dict(figures))


def parse_step(text: str) -> tuple[str, int] | None:
    """Parse "kl.2", the second step, to ("kl", 1). Returns None if there is no such step."""
    key, _, number = text.strip().lower().partition(".")
    found = lessons()[0]
    if key not in found or not (number.isascii() and number.isdigit() and len(number) < 3):
        return None
    return (key, int(number) - 1) if 1 <= int(number) <= len(found[key].steps) else None
