"""The source text of functions in vae/, read without importing them: torch need not be loaded."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import vae

PACKAGE = Path(vae.__file__).parent


class Source(NamedTuple):
    name: str  # "vae.models.vae.VAE.encode"
    text: str


def function(module: str, name: str) -> Source:
    """Return a function of a module of vae, such as ("objectives.terms", "elbo") or ("models.base", "Posterior.push").

    Raises KeyError for one that is not there.
    """
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    node: ast.AST = _tree(path)
    for part in name.split("."):
        node = next((child for child in _definitions(node) if child.name == part), None)
        if node is None:
            raise KeyError(f"there is no {name} in vae.{module}")
    return _source(path, node, name)


def method(family: str, name: str) -> Source | None:
    """Return a method of a model family, of its class or inherited; None for a family from outside vae/models."""
    for path in sorted((PACKAGE / "models").glob("*.py")):
        for node in _definitions(_tree(path)):
            if isinstance(node, ast.ClassDef) and _is_registered(node, family):
                return _method(node.name, name)
    return None


def _method(cls: str, name: str) -> Source | None:
    """Return a method of a class in vae/models, or the one that it inherits from the first base that has one."""
    path, node = _classes().get(cls, (None, None))
    if node is None:
        return None
    for child in _definitions(node):
        if child.name == name:
            return _source(path, child, f"{cls}.{name}")
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    return next((found for base in bases if (found := _method(base, name))), None)


@lru_cache(maxsize=1)
def _classes() -> dict[str, tuple[Path, ast.ClassDef]]:
    """Return {name: (file, definition)} of all classes in vae/models."""
    return {
        node.name: (path, node) for path in sorted((PACKAGE / "models").glob("*.py"))
        for node in _definitions(_tree(path)) if isinstance(node, ast.ClassDef)
    }  # fmt: skip


def _is_registered(node: ast.ClassDef, family: str) -> bool:
    """Return whether a class has the decorator @FAMILIES.register(family)."""
    return any(ast.unparse(decorator) == f"FAMILIES.register({family!r})" for decorator in node.decorator_list)


def _definitions(node: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    return (child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.ClassDef, ast.FunctionDef)))


@lru_cache(maxsize=100)
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _source(path: Path, node: ast.AST, name: str) -> Source:
    text = ast.get_source_segment(path.read_text(encoding="utf-8"), node, padded=True)
    module = ".".join(("vae", *path.relative_to(PACKAGE).with_suffix("").parts))
    return Source(f"{module}.{name}", textwrap.dedent(text))
