"""Packages that only some tasks need, and that requirements.txt leaves out."""

from __future__ import annotations

import importlib.util


class MissingPackage(ValueError):
    """An error for a task whose packages are not installed; its message has the command that installs them."""


def missing(*packages: str) -> list[str]:
    """Return those of the packages that are not installed."""
    return [package for package in packages if importlib.util.find_spec(package) is None]


def require(task: str, *packages: str) -> None:
    """Raise MissingPackage unless these packages are installed. task: what needs them, the subject of the message."""
    if absent := missing(*packages):
        raise MissingPackage(f"{task} need more packages: run `pip install {' '.join(absent)}`")
