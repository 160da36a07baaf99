"""The lines on which the fields of a TOML file stand. tomllib gives lines for syntax errors only."""

from __future__ import annotations

import tomllib

Path = tuple[str | int, ...]  # what leads to a value: ("step", 0, "try", "page")
MAX_DEPTH = 10  # of a path; a lesson's are shorter, and a hostile file's could have thousands of names


def field_lines(text: str) -> dict[Path, int]:
    """Return {path: line} of the tables and fields of a valid TOML file, with lines counted from 1.

    Lines are collected until tomllib accepts them as one statement. What stands inside a multi-line text or list is
    therefore never taken for a field. The elements of an inline list have no lines of their own.
    """
    found: dict[Path, int] = {}
    last: dict[Path, int] = {}  # the index of the last table of each array of tables
    table: Path = ()
    first, statement = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        statement += line + "\n"
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:  # the statement goes on
            continue
        if statement.lstrip().startswith("["):
            table = _header(parsed, last)
            for end in range(1, len(table) + 1):
                found.setdefault(table[:end], first)
        else:
            for path in _paths(parsed):
                found.setdefault(table + path, first)
        first, statement = number + 1, ""
    return found


def line_of(path: Path, lines: dict[Path, int]) -> int:
    """Return the line of a field, or of the nearest table around it that has one."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _header(parsed: dict, last: dict[Path, int]) -> Path:
    """Return the path of the table that a header begins. Counts the header of an array's table in last."""
    path: Path = ()
    while parsed and len(path) < MAX_DEPTH:
        ((name, value),) = parsed.items()
        path += (name,)
        if isinstance(value, list):  # [[...]]
            last[path] = last.get(path, -1) + 1
            value = value[0]
        if path in last:
            path += (last[path],)
        parsed = value
    return path


def _paths(parsed: dict) -> list[Path]:
    """Return the paths of all tables and fields in nested dicts, outer ones first."""
    paths: list[Path] = []
    level: list[tuple[Path, dict]] = [((), parsed)]
    while level and len(level[0][0]) < MAX_DEPTH:
        inner = [((*path, key), value) for path, table in level for key, value in table.items()]
        paths += [path for path, _ in inner]
        level = [(path, value) for path, value in inner if isinstance(value, dict)]
    return paths
