"""Text is read and written as UTF-8 everywhere: no call leaves the encoding to the platform."""

import ast
import io
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "app.py", *(path for folder in ("vae", "pages", "tests") for path in (ROOT / folder).rglob("*.py"))]


def implicit_encodings(source: str) -> list[int]:
    """Return the lines of a Python source whose calls read or write text without naming an encoding."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if _is_text(call) and "encoding" not in _keywords(call)]


def _is_text(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    keywords = _keywords(call)
    if name in ("read_text", "write_text") or keywords.get("text") or keywords.get("universal_newlines"):
        return True
    arguments = [_constant(argument) for argument in call.args]
    modes = [c for c in (keywords.get("mode"), *arguments) if isinstance(c, str) and re.fullmatch(r"[rwxa][bt+]*", c)]
    if "Temporary" in name:
        return bool(modes) and "b" not in modes[0]
    is_function = isinstance(call.func, ast.Name)  # Image.open(path) and archive.open(entry) read bytes
    return name == "open" and "b" not in (modes or ["r" if is_function or not arguments else "b"])[0]


def _keywords(call: ast.Call) -> dict[str | None, object]:
    return {keyword.arg: _constant(keyword.value) for keyword in call.keywords}


def _constant(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def test_every_text_file_is_opened_with_an_encoding():
    found = {path: implicit_encodings(path.read_text(encoding="utf-8")) for path in FILES}
    assert not {str(path.relative_to(ROOT)): lines for path, lines in found.items() if lines}


@pytest.mark.parametrize("call", [
    "path.read_text()", "path.write_text(text)", "open(path)", "open(path, 'w')", "path.open()", "path.open('r+')",
    "path.open(mode='a')", "subprocess.run(command, text=True)", "tempfile.NamedTemporaryFile('w')",
])  # fmt: skip
def test_a_call_that_leaves_the_encoding_to_the_platform_is_found(call):
    assert implicit_encodings(call) == [1]


@pytest.mark.parametrize("call", [
    "path.read_text(encoding='utf-8')", "path.open('w', encoding='utf-8')", "open(path, 'rb')", "path.open(mode='rb')",
    "Image.open(file)", "archive.open(entry)", "tempfile.TemporaryFile(dir=folder)", "subprocess.run(command)",
])  # fmt: skip
def test_bytes_and_named_encodings_pass(call):
    assert implicit_encodings(call) == []


@pytest.mark.skipif(not sys.flags.warn_default_encoding, reason="with -n 0 Python has started without these warnings")
def test_an_implicit_encoding_is_an_error_while_tests_run():
    with pytest.raises(EncodingWarning):
        io.text_encoding(None, 1)
