"""The house: which file may import which."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "app.py", *sorted(ROOT.glob("vae/**/*.py")), *sorted(ROOT.glob("pages/**/*.py"))]

# inside vae/, from what knows nothing to what knows most; a room imports its own floor and those below
FLOORS = (
    ("registry", "folders", "encoded", "glossary", "jobs", "lessons", "extras", "remote"),
    ("models", "data", "uploads"),
    ("objectives", "metrics", "latent", "cards", "store"),
    ("training", "evaluation", "browser", "api_reference", "checkpoints"),
    ("pipeline", "project", "live", "figures", "export", "importing"),
    ("explorer", "watching", "notebook"),
    ("__main__",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
STREETS = {"shell": 0, "bridge": 1, "widgets": 1}  # of pages/components; every other folder there is a wing


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def is_module(parts):
    path = ROOT.joinpath(*parts)
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def imports(path):
    """The project's modules that a file imports, as tuples of names."""
    package = path.relative_to(ROOT).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            names = [base + (alias.name,) for alias in node.names]
        for name in names:
            while name and not is_module(name):
                name = name[:-1]
            if name and name[0] in ("vae", "pages"):
                found.add(name)
    return found


IMPORTS = {module_of(path): imports(path) for path in FILES}


def room(module):
    """"vae.metrics.codes" -> "metrics"; the package vae itself -> ""."""
    return module[1] if len(module) > 1 else ""


def wing(module):
    return module[2] if module[:2] == ("pages", "components") and len(module) > 2 else None


@pytest.mark.parametrize("module", [m for m in IMPORTS if m[0] == "vae"], ids=".".join)
def test_arrows_inside_the_library_run_one_way(module):
    assert not [other for other in IMPORTS[module] if other[0] == "pages"], "the library knows no page"
    if room(module):
        wrong = [".".join(other) for other in IMPORTS[module] if FLOOR_OF[room(other)] > FLOOR_OF[room(module)]]
        assert not wrong
    if room(module) in ("models", "data"):
        other = {"models": "data", "data": "models"}[room(module)]
        assert other not in {room(found) for found in IMPORTS[module]}


def test_streamlit_is_not_in_the_library():
    for path in ROOT.glob("vae/**/*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert "streamlit" not in {name.split(".")[0] for name in names}, path


@pytest.mark.parametrize("module", [m for m in IMPORTS if wing(m)], ids=".".join)
def test_no_wing_imports_another_and_arrows_run_to_the_shell(module):
    own = wing(module)
    for other in IMPORTS[module]:
        if other[0] == "pages":
            assert other[:2] == ("pages", "components"), f"{'.'.join(other)} is a page"
            there = wing(other)
            assert there == own or STREETS.get(there, 2) <= STREETS.get(own, 2) and there in STREETS, ".".join(other)


def test_a_wing_is_opened_by_its_page_alone():
    opened = {}
    for module, found in IMPORTS.items():
        if module[0] == "pages" and len(module) == 2:
            for other in found:
                if wing(other) and wing(other) not in STREETS:
                    opened.setdefault(wing(other), set()).add(module[1])
    assert opened and all(len(pages) == 1 for pages in opened.values()), opened


def test_no_module_imports_itself_around_a_corner():
    """Modules form no circle, or the order of imports would matter."""
    seen, path = set(), []

    def visit(module):
        if module in path:
            raise AssertionError(" -> ".join(".".join(m) for m in [*path[path.index(module) :], module]))
        if module in seen:
            return
        path.append(module)
        for other in IMPORTS.get(module, ()):
            # a package's __init__ imports its own files, and they import what lies beside them
            if other != module[: len(other)] and module != other[: len(module)]:
                visit(other)
        path.pop()
        seen.add(module)

    for module in IMPORTS:
        visit(module)
