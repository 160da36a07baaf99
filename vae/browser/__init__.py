"""The half that runs in a browser: plain JavaScript and its styles, read as text."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def source(*names: str) -> str:
    """Return the text of files of this folder ("runtime/mailbox.js"), one after the other."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)
