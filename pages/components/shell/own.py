"""A visitor's own models: added by a training or from a project file, renamed, deleted, exported.

Where they are kept, and who may use them, is in visitors.py. A change is listed at once, in this run too.
"""

from __future__ import annotations

from pathlib import Path

from vae import ModelUnavailable, project

from . import cached, state, visitors
from .visitors import is_ones_own, root, visitor

__all__ = [
    "adopt", "delete", "export", "is_ones_own", "names", "open_project", "rename", "root", "visitor",
]  # fmt: skip


def names() -> list[str]:
    """Return the names of this visitor's own models."""
    return [name for name in cached.zoo_scan()[0] if visitors.may_change(name)]


def adopt(folder: Path) -> str:
    """Add the one model in a folder of models, as a training leaves it. Returns its name.

    Raises project.ProjectError where it cannot be used, OSError where it cannot be written.
    """
    name = visitors.add(lambda into, suffix: project.take(folder, into, suffix))
    cached.refresh()
    return name


def open_project(content: bytes) -> str:
    """Add the model of a project file and make it the current one. Returns its name.

    Raises project.ProjectError where it cannot be used, OSError where it cannot be written.
    """
    return _choose(visitors.add(lambda into, suffix: project.read(content, into, suffix)))


def _choose(name: str) -> str:
    cached.refresh()
    state.set_model(name)
    return name


def export(name: str) -> bytes:
    """Return a model as a project file. Raises ModelUnavailable, also for another visitor's, and OSError."""
    return project.write(visitors.store_of(name), name, visitors.suffix_of(name))


def rename(name: str, title: str) -> None:
    """Change the title of one of this visitor's models. Its name, which links hold, stays.

    Raises ModelUnavailable, project.ProjectError and OSError.
    """
    visitors.note(project.retitle(_store(name), name, title))
    cached.refresh()


def delete(name: str) -> None:
    """Delete one of this visitor's models, with images that no other needs. Raises ModelUnavailable and OSError."""
    store = _store(name)
    visitors.forget(name)
    store.remove(name)
    cached.refresh()


def _store(name: str):
    """Return the store of one of this visitor's models. Raises ModelUnavailable for others."""
    if not visitors.may_change(name):
        raise ModelUnavailable(f"{name[:60]} is not one of your models")
    return visitors.store_of(name)
