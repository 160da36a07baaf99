"""The app's navigation. Every file in pages/ is a page.

A page file begins with the docstring "Title: what it shows" and sets PLACE, by which the navigation is sorted.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import streamlit as st

FOLDERS = [Path(__file__).parents[2]]  # of page files
DEFAULT_PAGE = "home"  # at the bare address


def page_files() -> list[Path]:
    """Return the files of all pages, in the navigation's order."""
    paths = [path for folder in FOLDERS for path in folder.glob("*.py")]
    return sorted(paths, key=lambda path: _title_and_place(path)[1])


def navigation():
    """Return the page to run. If a callback has called open_page, switch to that page instead."""
    page = st.navigation(
        [st.Page(path, title=_title_and_place(path)[0], default=path.stem == DEFAULT_PAGE) for path in page_files()],
        position="top",
    )
    if "next_page" in st.session_state:
        st.session_state.sent_link = {}  # st.switch_page clears the URL
        st.switch_page(st.session_state.pop("next_page"))
    return page


@lru_cache(maxsize=100)
def _title_and_place(path: Path) -> tuple[str, float]:
    """Return a page's title and PLACE, read from its source without running it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    title = (ast.get_docstring(tree) or path.stem.capitalize()).partition(":")[0]
    positions = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["PLACE"]
    ]
    return title, positions[0] if positions else float("inf")


def open_page(page: str) -> None:
    """Switch to a page, such as "sliders", on the next run. For callbacks, which cannot call st.switch_page."""
    st.session_state.next_page = f"pages/{page}.py"


def ensure_entry_point() -> None:
    """Rerun through app.py if a page file was run on its own.

    Until app.py has called st.navigation, Streamlit treats pages/ as a multipage app of its older kind: if the first
    request to a new server is a link to a page, that page's file runs alone.
    """
    if "model" not in st.session_state:
        navigation()  # makes Streamlit use st.navigation from now on
        st.rerun()
