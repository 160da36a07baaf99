"""Bundle the ES modules of this folder into one self-contained module, for a Streamlit component or an HTML file.

A widget is a folder of widgets/ whose main module exports

    mount(element, props, emit, mailbox) -> { update(props), destroy() }

element: any HTML element that can hold a shadow root; the widget's markup and styles stay inside it. The custom
    properties in runtime/theme.css, set on the element, replace the widget's colours and font.
props: a plain object, the same for every host: what the widget's page in pages/components/ makes in Python.
emit(event, value): the widget's only way out. The head of its main module lists its events.
mailbox: what arrives later and is shared by the widgets of a page: models, points, thumbnails, answers to "ask". A
    host makes one (createMailbox of runtime/mailbox.js) and fills it with receive(bytes, mailbox) of the *_channel.js
    modules, whose bytes come from Python. Widgets that need no such data leave it out.
update(props) replaces the props and keeps what the visitor is doing; destroy() empties the element and stops all work.

A module imports others of this folder with `import { a, b as c } from './x.js';` ("/runtime/x.js" counts from this
folder) and texts with `import html from './x.html';`. It exports functions, classes and constants, one a statement,
or `export { a, b as c };`. Each statement begins its line. Modules form no cycle. There is no dynamic import.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.resolve()
TEXTS = {".html", ".css"}  # imported as strings

NAME = r"[A-Za-z_$][\w$]*"
STATEMENT = re.compile(r"^(?:import|export)\b", re.M)
DYNAMIC = re.compile(r"\bimport\s*[(.]")
IMPORT = re.compile(rf"import\s+(?:({NAME})\s*)?(?:(?(1),\s*)\{{([^}}]*)\}}\s*)?from\s*'([^']+)';")
EXPORTED_LIST = re.compile(r"export\s*\{([^}]*)\}\s*;")
EXPORTED = re.compile(rf"export\s+(default\s+)?(?=(?:(?:async\s+)?function\b\s*\*?|class\b|const\b)\s*({NAME}))")
EXPORTED_DEFAULT = re.compile(r"export\s+default\s+")
PAIR = re.compile(rf"({NAME})(?:\s+as\s+({NAME}))?")

INCOMPLETE = "This page did not load completely. Reload it, or get the file again."


class BundleError(ValueError):
    """A module that cannot be bundled. The message names the file and the line."""


@dataclass(frozen=True)
class Import:
    """One import statement: the module, and for each exported name the local one."""

    path: Path
    names: dict[str, str]
    line: int


@dataclass(frozen=True)
class Module:
    """A module of a bundle: the statements without imports and exports, and for each exported name the local one."""

    path: Path
    body: str
    imports: tuple[Import, ...]
    exports: dict[str, str]

    @property
    def name(self) -> str:
        return _name(self.path)


def bundle(entry: str | Path, text: str | None = None) -> str:
    """Return one ES module with the exports of an entry and everything that it imports.

    entry: a file, relative to this folder or absolute. text: the entry's source, if it is not that of the file; its
    relative imports are resolved from there. Raises BundleError.
    """
    found = modules(entry, text)
    variables = {module.path: f"bundled_{i}" for i, module in enumerate(found)}
    parts = [_scoped(module, variables) for module in found]
    return "\n".join([*parts, *_exported(found[-1], variables[found[-1].path]), ""])


def modules(entry: str | Path, text: str | None = None) -> list[Module]:
    """Return the modules of a bundle, each after those that it imports; the entry is the last. Raises BundleError."""
    found: dict[Path, Module] = {}

    def visit(path: Path, source: str | None, above: tuple[Path, ...]) -> None:
        if path in above:
            cycle = " -> ".join(map(_name, [*above[above.index(path) :], path]))
            raise BundleError(f"these modules import each other: {cycle}")
        if path in found:
            return
        module = _parse(path, path.read_text(encoding="utf-8") if source is None else source)
        for imported in module.imports:
            if not imported.path.is_file():
                raise BundleError(f"{module.name}, line {imported.line}: there is no {_name(imported.path)}")
            visit(imported.path, None, (*above, path))
            for name in imported.names.keys() - found[imported.path].exports.keys():
                raise BundleError(f"{module.name}, line {imported.line}: {_name(imported.path)} exports no {name}")
        found[path] = module

    visit((FOLDER / entry).resolve(), text, ())
    return list(found.values())


def compact(script: str) -> str:
    """Return a bundle without comments that fill a line, and without indentation, also of its markup and styles.

    No module may rely on either within a template literal.
    """
    lines = (line.strip() for line in script.split("\n"))
    return re.sub(r"(\\n) +", r"\1", "\n".join(line for line in lines if line and not line.startswith("//")))


def inline(script: str, before: str = "") -> str:
    """Return HTML that runs a bundle, and shows a sentence unless the bundle has run to its end.

    A page that is cut short ends before or within the script, which the browser then does not run at all. before: HTML
    that the script needs.
    """
    code = script.replace("</script", r"<\/script").replace("<!--", r"<\!--")
    return f"""<p id="incomplete" role="alert" hidden>{INCOMPLETE}</p>
<script>
addEventListener('error', ({{ message }}) => document.getElementById('incomplete').append(' (' + message + ')'));
addEventListener('load', () => {{ document.getElementById('incomplete').hidden = Boolean(window.bundleHasRun) }});
</script>
{before}
<script type="module">
{code}
window.bundleHasRun = true;
</script>
"""


def _parse(path: Path, source: str) -> Module:
    """Split a module into its imports, its exports and the rest. Lines keep their numbers."""
    if path.suffix in TEXTS:
        return Module(path, json.dumps(source, ensure_ascii=False), (), {"default": ""})
    imports: list[Import] = []
    exports: dict[str, str] = {}
    body, done = [], 0
    for dynamic in DYNAMIC.finditer(source):
        raise BundleError(f"{_at(path, source, dynamic.start())}: a bundle has no dynamic import and no import.meta")
    for start in (match.start() for match in STATEMENT.finditer(source)):
        if matched := IMPORT.match(source, start):
            imports.append(_import(path, source, matched))
            kept = "\n" * matched[0].count("\n")
        elif matched := EXPORTED_LIST.match(source, start):
            exports |= {theirs: own for own, theirs in _pairs(matched[1])}
            kept = "\n" * matched[0].count("\n")
        elif matched := EXPORTED.match(source, start):
            exports["default" if matched[1] else matched[2]] = matched[2]
            kept = ""
        elif matched := EXPORTED_DEFAULT.match(source, start):
            exports["default"] = "default_"
            kept = "const default_ = "
        else:
            statement = source[start:].partition("\n")[0]
            raise BundleError(f"{_at(path, source, start)}: this statement cannot be bundled: {statement}")
        body += [source[done:start], kept]
        done = matched.end()
    return Module(path, "".join([*body, source[done:]]), tuple(imports), exports)


def _import(path: Path, source: str, matched: re.Match) -> Import:
    default, names, specifier = matched.groups()
    line = source.count("\n", 0, matched.start()) + 1
    if specifier.startswith(("./", "../")):
        target = (path.parent / specifier).resolve()
    elif specifier.startswith("/"):
        target = (FOLDER / specifier[1:]).resolve()
    else:
        raise BundleError(f"{_name(path)}, line {line}: {specifier!r} is no module of this folder")
    return Import(target, ({"default": default} if default else {}) | dict(_pairs(names or "")), line)


def _pairs(names: str) -> list[tuple[str, str]]:
    """ "a, b as c" -> [("a", "a"), ("b", "c")]."""
    return [(own, new or own) for own, new in PAIR.findall(names)]


def _scoped(module: Module, variables: dict[Path, str]) -> str:
    """Return a module as a constant that holds its exports. Its other names exist in a function of its own."""
    variable = variables[module.path]
    if module.path.suffix in TEXTS:
        return f"const {variable} = {{ default: {module.body} }}; // {module.name}"
    imported = [f"const {{ {_renamed(one.names)} }} = {variables[one.path]};" for one in module.imports]
    body = "\n".join([*imported, module.body.strip("\n")])
    return f"// {module.name}\nconst {variable} = (() => {{\n{body}\nreturn {{ {_renamed(module.exports)} }};\n}})();"


def _renamed(names: dict[str, str]) -> str:
    return ", ".join(new if old == new else f"{old}: {new}" for old, new in names.items())


def _exported(module: Module, variable: str) -> list[str]:
    named = ", ".join(name for name in module.exports if name != "default")
    lines = [f"export const {{ {named} }} = {variable};"] if named else []
    return lines + ([f"export default {variable}.default;"] if "default" in module.exports else [])


def _name(path: Path) -> str:
    """Return a path relative to this folder, or to the one above the entry's if it lies elsewhere."""
    return path.relative_to(FOLDER).as_posix() if path.is_relative_to(FOLDER) else f"{path.parent.name}/{path.name}"


def _at(path: Path, source: str, position: int) -> str:
    return f"{_name(path)}, line {source.count(chr(10), 0, position) + 1}"
