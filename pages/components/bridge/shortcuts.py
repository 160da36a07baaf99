"""Keyboard shortcuts of every page: undo and redo, P for the projector mode, arrow keys for a lesson's steps in it."""

from __future__ import annotations

from .component import widget

_component = widget("shortcuts")
# keys of the containers or buttons that the shortcuts press
BUTTONS = {"undo": "undo", "redo": "redo", "previous": "lesson_back", "next": "lesson_next"}


def shortcuts(page: str) -> None:
    """Listen for the shortcuts and keep the link of the shown page, its url_path, in view."""
    _component(key="shortcuts", data={"buttons": BUTTONS, "strip": "navigation", "page": page})
