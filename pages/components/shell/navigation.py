"""The pages of the app, in their order: every file of pages/ is one, and says itself what it is.

A page file begins with a docstring, "Title: what it shows", and holds PLACE, its place in the navigation.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import streamlit as st

FOLDERS = [Path(__file__).parents[2]]  # where page files lie
FRONT = "home"  # the page that opens without an address


def navigation():
    """Return the page that is to run; where a callback has asked for another, that one runs instead."""
    found = sorted((path for folder in FOLDERS for path in folder.glob("*.py")), key=lambda path: _described(path)[1])
    page = st.navigation(
        [st.Page(path, title=_described(path)[0], default=path.stem == FRONT) for path in found], position="top"
    )
    if "next_page" in st.session_state:
        st.session_state.told_link = {}  # switching empties the URL
        st.switch_page(st.session_state.pop("next_page"))
    return page


@lru_cache(maxsize=100)
def _described(path: Path) -> tuple[str, float]:
    """Return a page's title and place, read from its file without running it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    title = (ast.get_docstring(tree) or path.stem.capitalize()).partition(":")[0]
    places = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["PLACE"]
    ]
    return title, places[0] if places else float("inf")


def go(page: str) -> None:
    """Have the next run show a page ("sliders"): for callbacks, which cannot switch themselves."""
    st.session_state.next_page = f"pages/{page}.py"


def ensure_front_door() -> None:
    """Run again through app.py where a page was run on its own.

    Until app.py has called st.navigation once, Streamlit takes pages/ for an app of its older
    kind: a deep link that is a fresh server's first request runs the page file alone.
    """
    if "model" not in st.session_state:
        navigation()  # tells Streamlit that this app has a front door
        st.rerun()
