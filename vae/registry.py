"""Registries: each family, objective, data set or metric registers itself in its own file."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(dict[str, T], Generic[T]):
    """A dictionary {name: entry}, filled by the files that define the entries. kind: used in error messages."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        self.files: dict[str, str] = {}  # where each name was registered

    def __missing__(self, name: str) -> T:
        raise KeyError(f"there is no {self.kind} {name!r}; there are {', '.join(self)}")

    def register(self, name: str, depth: int = 1) -> Callable[[T], T]:
        """Return a decorator that registers its argument and returns it. depth: how many calls up the registering
        file is.

        Raises ValueError where the name is registered already, naming the file or both files.
        """
        file = sys._getframe(depth).f_code.co_filename

        def add(thing: T) -> T:
            # one file may run twice: as a module and as a script, or after a reload
            if self.files.get(name, file) != file:
                raise ValueError(f"{self.kind} {name!r} is registered twice: in {self.files[name]} and in {file}")
            if name in self and _name(self[name]) != _name(thing):
                raise ValueError(f"{self.kind} {name!r} is registered twice in {file}")
            self.files[name] = file
            self[name] = thing
            return thing

        return add


def _name(thing: object) -> str:
    return getattr(thing, "__qualname__", type(thing).__qualname__)


def import_all(package: ModuleType) -> None:
    """Import every module of a package, so that each registers what it defines."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
