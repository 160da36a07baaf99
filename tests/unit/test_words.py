"""The words of every text that a visitor can meet: no phrase of tests/words.txt, no sentence of more than 25 words."""

import ast
import html
import json
import re
import tomllib
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_WORDS = 25  # in a sentence on a page
PYTHON = [ROOT / "app.py", *sorted(ROOT.glob("pages/**/*.py")), *sorted(ROOT.glob("vae/**/*.py"))]
SCRIPTS = sorted(path for suffix in ("js", "html") for path in ROOT.glob(f"vae/browser/**/*.{suffix}"))
LESSONS = sorted(ROOT.glob("vae/lessons/*.toml"))
CARDS = sorted(ROOT.glob("pretrained/*/card.json"))
MARKDOWN = [ROOT / "README.md", ROOT / "pretrained/README.md"]
FILES = [*PYTHON, *SCRIPTS, *LESSONS, *CARDS, *MARKDOWN]
SHOWN_FIELDS = ("title", "description", "note", "published", "protocol", "selection", "dataset")  # of a card
LESSON_KEYS = {"page", "model", "settings", "check", "source"}  # of a lesson's text that nobody reads as a sentence

GAP = "…"  # what stands for a value in a text


def phrases():
    """{phrase: what to write instead} of tests/words.txt."""
    lines = (ROOT / "tests/words.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" -> ", 1) for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=1)
def forbidden():
    alternatives = (re.escape(phrase).replace(r"\*", r"\w*") for phrase in phrases())
    return re.compile(rf"(?<![\w-])(?:{'|'.join(alternatives)})(?![\w-])", re.IGNORECASE)


def sentences(text):
    """The sentences of a text. Semicolons, lines, list items and cells of tables end one, too."""
    text = re.sub(r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)|\{[^{}]*\}|https?://\S+", GAP, text)
    return [part for part in re.split(r"(?<=[.?!;])[*)”\"']*\s|\n|\s[·|]\s", text) if part.strip()]


def too_long(text):
    return [sentence for sentence in sentences(text) if len(re.findall(r"[\w…][\w…'’.,-]*", sentence)) > MAX_WORDS]


# ---- where texts stand


def python_texts(path):
    """The string literals of a file, f-strings with GAP for their values; not its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            skipped.add(node.body[0].value)
        if isinstance(node, ast.JoinedStr):
            skipped.update(set(ast.walk(node)) - {node})
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and node not in skipped:
            yield "".join(part.value if isinstance(part, ast.Constant) else GAP for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.value


SCRIPT_PARTS = re.compile(
    r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`", re.DOTALL
)


def script_texts(path):
    """The strings of a module with GAP for their values; the texts and labels of a page."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        yield from re.split(r"<[^>]*>", html.unescape(content))
        yield from re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', content)
        return
    for part in SCRIPT_PARTS.findall(content):
        if part[0] in "'\"`":
            yield re.sub(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", GAP, part[1:-1])


def values(tree, skip=frozenset()):
    """The strings in nested dictionaries and lists."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key not in skip:
                yield from values(value, skip)
    elif isinstance(tree, list):
        for value in tree:
            yield from values(value, skip)


def texts(path):
    """The texts of a file that visitors, or users of the command line, can read."""
    if path.suffix == ".py":
        return list(python_texts(path))
    if path.suffix in (".js", ".html"):
        return list(script_texts(path))
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".toml":
        return list(values(tomllib.loads(content), LESSON_KEYS))
    if path.suffix == ".json":
        card = json.loads(content)
        return list(values({key: card.get(key, "") for key in SHOWN_FIELDS}))
    return content.split("\n\n")


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_forbidden_phrase_and_no_long_sentence(path):
    found = problems(path)
    assert not found, "\n".join(found)


def problems(path):
    found = []
    for text in texts(path):
        found += [f"{match.group()!r} in: {text.strip()[:200]}" for match in forbidden().finditer(text)]
        if path not in MARKDOWN or path.parent == ROOT:  # the model zoo's page has long lines of sources
            found += [f"{len(sentence.split())} words: {sentence.strip()}" for sentence in too_long(text)]
    return found


def test_files_of_every_kind_are_read():
    assert all(map(len, (PYTHON, SCRIPTS, LESSONS, CARDS)))
    everything = {text for path in FILES for text in texts(path)}
    for text in (
        "Glossary",  # a title
        "Open on Sliders",  # in a widget's HTML
        "The browser cannot run this model: ….",  # in its JavaScript
        "its card.json is missing",  # an error of the library
    ):
        assert any(text in found for found in everything), text


@pytest.mark.parametrize(
    "text", ["It was held out.", "Draw again", "what is PUNISHED here", "A stranger's image", "hidden machines"]
)
def test_a_forbidden_phrase_is_found(text):
    assert forbidden().search(text)


@pytest.mark.parametrize("text", ["The pen draws a line.", "At this point, stop.", "the endearing truths", "Tell us."])
def test_ordinary_english_is_not(text):
    assert not forbidden().search(text)


def test_long_sentences_are_found():
    words = " ".join(["word"] * MAX_WORDS)
    assert not too_long(f"{words}. {words}? (1.5 of 2.) {words}\n{words}")
    assert too_long(f"One. {words} more.") and too_long(f"{words}, `code`.")
