"""The parts of pages that a step of a lesson points at: what its question is about is scrolled to and outlined.

A page lists them in a constant PARTS, in its own file or in one of its wing (the folder components/<page>/), with what
a question is asked about most often first:

    PARTS = {"samples": "sample_grid", "picture": "sample_point"}

A value is the key of a Streamlit element or container. A selector may follow, of a part of the widget with this key:
"inside_panel .terms".
"""

from __future__ import annotations

from .constants import constant, files_of_pages


def registered() -> dict[str, dict[str, str]]:
    """Return {page: {part: its place}} of all pages."""
    return {
        page: {name: place for file in files for name, place in constant(file, "PARTS").items()}
        for page, files in files_of_pages().items()
    }


def place(page: str, part: str) -> str:
    """Return the place of a part of a page, or of its first one if part is ""; "" where there is none."""
    own = registered().get(page, {})
    return own.get(part, "") if part else next(iter(own.values()), "")
