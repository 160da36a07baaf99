"""The reference of the public API, one HTML page made from docstrings: no script, no network.

What is public is what __all__ of `vae` and of its documented modules names. A docstring is shown as it is written,
with `code` in backticks and indented blocks set as code.
"""

from __future__ import annotations

import ast
import dataclasses
import html
import importlib
import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

MODULES = (
    "vae", "vae.models", "vae.objectives", "vae.data", "vae.latent", "vae.metrics", "vae.uploads", "vae.figures",
    "vae.export", "vae.importing", "vae.checkpoints", "vae.pipeline",
)  # fmt: skip
TITLE = "Latent-space explorer: Python API"


class Entry(NamedTuple):
    """A public name."""

    name: str  # vae.metrics.mig
    kind: str  # "function", "class" or "value"
    signature: str  # "" for a value and for a record, whose fields say the same
    docstring: str
    fields: tuple[tuple[str, str, str], ...]  # of a record: name, type, comment
    members: tuple[Entry, ...]  # methods and properties of a class


def modules() -> list[ModuleType]:
    """Return the documented modules."""
    return [importlib.import_module(name) for name in MODULES]


def public_names(module: ModuleType) -> list[str]:
    """Return the names of __all__ that are not modules; without __all__, what the module defines itself."""
    if hasattr(module, "__all__"):
        found = [name for name in module.__all__ if not inspect.ismodule(getattr(module, name))]
        return sorted(found, key=str.lower)
    return [name for name, thing in vars(module).items()
            if not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__]  # fmt: skip


def entries(module: ModuleType) -> list[Entry]:
    """Return the public names of a module with their documentation."""
    return [_entry(f"{module.__name__}.{name}", getattr(module, name)) for name in public_names(module)]


def _entry(name: str, thing: Any) -> Entry:
    if inspect.isclass(thing):
        members = tuple(_entry(member, found) for member, found in _members(thing))
        fields = tuple(_fields(thing))
        return Entry(name, "class", "" if fields else _signature(thing), _docstring(thing), fields, members)
    if inspect.isroutine(thing):
        return Entry(name, "function", _signature(thing), _docstring(thing), (), ())
    if isinstance(thing, property):
        return Entry(name, "property", "", _docstring(thing.fget), (), ())
    return Entry(name, "value", "", _about_value(thing), (), ())


def _docstring(thing: Any) -> str:
    """Return a docstring of its own, not one that dataclasses or a base class give."""
    text = vars(thing).get("__doc__") if inspect.isclass(thing) else getattr(thing, "__doc__", "")
    if not text or (inspect.isclass(thing) and text.startswith(f"{thing.__name__}(")):
        return ""
    return inspect.cleandoc(text)


def _about_value(thing: Any) -> str:
    if isinstance(thing, dict):
        return f"A registry of {', '.join(map(str, thing))}." if thing else "An empty registry."
    return repr(thing) if isinstance(thing, (int, float, str, tuple, frozenset)) else f"A {type(thing).__name__}."


def _signature(thing: Any) -> str:
    try:
        signature = inspect.signature(thing)
    except (ValueError, TypeError):
        return ""
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    texts = [re.sub(r"<([\w.]+) object at 0x[0-9a-f]+>", r"\1(...)", str(p)) for p in parameters]
    for i, parameter in reversed(list(enumerate(parameters))):
        if parameter.kind is parameter.KEYWORD_ONLY and (i == 0 or parameters[i - 1].kind.value < 2):
            texts.insert(i, "*")
    result = signature.return_annotation
    known = "" if result is inspect.Signature.empty or inspect.isclass(thing) else f" -> {_type(result)}"
    return f"({', '.join(text.replace(chr(39), '') for text in texts)}){known}"


def _type(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _members(thing: type) -> Iterator[tuple[str, Any]]:
    """Yield public methods and properties that a class defines itself and documents."""
    for name, member in vars(thing).items():
        found = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        documented = isinstance(found, property) or inspect.isfunction(found)
        if not name.startswith("_") and documented and _docstring(getattr(found, "fget", None) or found):
            yield name, found


def _fields(thing: type) -> Iterator[tuple[str, str, str]]:
    """Yield (name, type, comment) of the fields of a dataclass or a named tuple, with the comment of its line."""
    if not (dataclasses.is_dataclass(thing) or hasattr(thing, "_fields")):
        return
    try:
        source = textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError):
        return
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.COMMENT
    }  # fmt: skip
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.ClassDef)
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id[0] != "_":
            comment = comments.get(node.end_lineno or 0, "")
            yield node.target.id, ast.unparse(node.annotation), re.sub(r"\s*(fmt|type|noqa): .*", "", comment)


# ---- the page

STYLE = """\
:root {
  color-scheme: light dark;
  --line: color-mix(in srgb, CanvasText 22%, Canvas);
  --quiet: color-mix(in srgb, CanvasText 75%, Canvas);
  --accent: light-dark(#1f6fb8, #6cb4f0);
}
body {
  margin: 0 auto;
  max-width: 60rem;
  padding: 0 1rem 3rem;
  font: 1rem/1.5 system-ui, sans-serif;
  color: CanvasText;
  background: Canvas;
  overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; }
h2 { margin: 2.5rem 0 0.5rem; padding-top: 0.5rem; border-top: 2px solid var(--line); font-size: 1.3rem; }
h3 { margin: 1.75rem 0 0.25rem; font-size: 1.05rem; }
h4 { margin: 0.75rem 0 0; font-size: 1rem; }
p { margin: 0.5rem 0; max-width: 46rem; }
a { color: var(--accent); }
code, pre { font: 0.9em/1.5 ui-monospace, Consolas, monospace; }
:is(h2, h3, h4) code { font-size: 1em; font-weight: 600; }
:is(h3, h4) .signature { color: var(--quiet); font-weight: 400; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid var(--line); border-radius: 0.5rem; }
.members { margin-left: 0.5rem; padding-left: 0.75rem; border-left: 2px solid var(--line); }
.names { columns: 14rem; padding: 0; list-style: none; }
.names a { display: inline-block; padding: 0.15rem 0; }
table { border-collapse: collapse; font-size: 0.95rem; }
td { padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
:target { scroll-margin-top: 1rem; }
@media (max-width: 480px) {
  tr, td { display: block; }
  td { padding: 0.1rem 0; border: 0; }
  td:empty { display: none; }
  tr { padding: 0.35rem 0; border-bottom: 1px solid var(--line); }
}
"""


def page(security: str) -> str:
    """Return the page. security: its content security policy."""
    found = [(module, entries(module)) for module in modules()]
    contents = "".join(
        f'<li><a href="#{module.__name__}"><code>{module.__name__}</code></a> '
        f"{_inline(_first_sentence(inspect.getdoc(module) or ''))}</li>"
        for module, _ in found
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(security)}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{TITLE}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f'<p><a href="index.html">The explorer</a></p>\n<h1>{TITLE}</h1>\n'
        "<p>All public names, from their docstrings. Codes are <code>(N, D)</code>, images <code>(B, C, H, W)</code> "
        f"in [0, 1].</p>\n<nav aria-label=\"Modules\"><ul>{contents}</ul></nav>\n<main>\n"
        + "".join(_module(module, names) for module, names in found)
        + "</main>\n</body>\n</html>\n"
    )


def _module(module: ModuleType, found: list[Entry]) -> str:
    name = module.__name__
    names = "".join(f'<li><a href="#{e.name}"><code>{e.name.rpartition(".")[2]}</code></a></li>' for e in found)
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}"><code>{name}</code></h2>\n'
        f'{_prose(inspect.getdoc(module) or "")}<ul class="names">{names}</ul>\n'
        + "".join(_described(entry) for entry in found) + "</section>\n"
    )  # fmt: skip


def _described(entry: Entry, level: int = 3) -> str:
    anchor = f' id="{entry.name}"' if level == 3 else ""
    signature = f"<code class=\"signature\">{html.escape(entry.signature)}</code>" if entry.signature else ""
    fields = "".join(
        f"<tr><td><code>{html.escape(name)}</code></td><td><code>{html.escape(kind)}</code></td>"
        f"<td>{_inline(comment)}</td></tr>" for name, kind, comment in entry.fields
    )  # fmt: skip
    members = "".join(_described(member, 4) for member in entry.members)
    return (
        f"<h{level}{anchor}><code>{html.escape(entry.name)}</code>{signature}</h{level}>\n"
        + _prose(entry.docstring, set(re.findall(r"(\w+):", entry.signature)))
        + (f"<table>{fields}</table>\n" if fields else "")
        + (f'<div class="members">{members}</div>\n' if members else "")
    )


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.:])\s", text.partition("\n\n")[0].replace("\n", " "), maxsplit=1)[0].rstrip(":")


def _prose(text: str, parameters: set[str] | None = None) -> str:
    """Return a docstring as paragraphs; a block whose lines are indented, or aligned like a table, is code.

    A sentence that begins with the name of a parameter and a colon starts a line.
    """
    names = "|".join(map(re.escape, parameters or ())) or "(?!)"
    blocks = []
    for block in re.split(r"\n\s*\n", text):
        lines = block.splitlines()
        aligned = any(re.search(r"\S {2,}\S", line) for line in lines)
        if block.strip() and (aligned or all(line.startswith(" ") for line in lines)):
            blocks.append(f'<pre tabindex="0"><code>{html.escape(textwrap.dedent(block))}</code></pre>\n')
        elif block.strip():
            sentences = _inline(" ".join(line.strip() for line in lines))
            sentences = re.sub(rf"^({names}): ", r"<code>\1</code>: ", sentences)
            sentences = re.sub(rf"(?<=[.;]) ({names}): ", r"<br><code>\1</code>: ", sentences)
            blocks.append(f"<p>{sentences}</p>\n")
    return "".join(blocks)


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
