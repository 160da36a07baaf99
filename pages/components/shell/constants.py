"""Constants of page files, read from their source, because a page runs only when it is opened."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

from . import navigation


def files_of_pages() -> dict[str, list[Path]]:
    """Return {page: its file and those of its wing, the folder components/<page>/}."""
    return {
        path.stem: [path, *sorted((path.parent / "components" / path.stem).glob("*.py"))]
        for path in navigation.page_files()
    }


@lru_cache(maxsize=400)
def constant(file: Path, name: str):
    """Return a constant of a file; {} where it has none.

    It is a literal that may unpack other constants of its file: tuples, lists, and the keys of dictionaries. Raises
    ValueError, TypeError, AttributeError or KeyError for another.
    """
    found = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
    if name not in found:
        return {}
    return ast.literal_eval(_Unpacked(found).visit(found[name]))


class _Unpacked(ast.NodeTransformer):
    """Replaces *NAME by the items of a constant: of a list or a tuple, or the keys of a dictionary."""

    def __init__(self, constants: dict[str, ast.expr]):
        self.constants = constants

    def visit_Starred(self, node: ast.Starred) -> list[ast.expr]:
        constant = self.constants[node.value.id]
        return constant.keys if isinstance(constant, ast.Dict) else constant.elts
