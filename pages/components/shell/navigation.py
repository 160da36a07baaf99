"""The app's navigation. Every file in pages/ is a page.

A page file begins with the docstring "Title: what it shows" and sets PLACE and GROUP, by which the navigation is
sorted.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

FOLDERS = [Path(__file__).parents[2]]  # of page files
DEFAULT_PAGE = "home"  # at the bare address
GROUPS = ("", "Explore", "Understand", "Measure", "Learn")  # Home stands before the groups


@dataclass(frozen=True)
class Entry:
    """A page in the navigation, as its file describes it."""

    title: str
    place: float = math.inf
    group: str = GROUPS[1]  # for a page that names none


def page_files() -> list[Path]:
    """Return the files of all pages, in the navigation's order."""
    paths = [path for folder in FOLDERS for path in folder.glob("*.py")]
    entries = {path: _entry(path) for path in paths}
    return sorted(paths, key=lambda path: (GROUPS.index(entries[path].group), entries[path].place))


def navigation():
    """Show the strip of pages and return the page to run. If a callback has called open_page, switch to its page."""
    pages = {
        path: st.Page(path, title=_entry(path).title, default=path.stem == DEFAULT_PAGE) for path in page_files()
    }
    current = st.navigation(list(pages.values()), position="hidden")
    if "next_page" in st.session_state:
        st.switch_page(st.session_state.pop("next_page"))
    if not st.context.is_embedded:
        _show_strip(pages)
    return current


def _show_strip(pages: dict[Path, Page]) -> None:
    with st.container(key="navigation", horizontal=True, gap=None, wrap=False):
        for group in GROUPS:
            members = [page for path, page in pages.items() if _entry(path).group == group]
            if members:
                with st.container(key=f"navigation_{group or 'home'}", horizontal=True, gap=None, wrap=False):
                    if group:
                        st.html(group)
                    for page in members:
                        st.page_link(page)


@lru_cache(maxsize=100)
def _entry(path: Path) -> Entry:
    """Return what a page's file says of it, read from its source without running it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    title = (ast.get_docstring(tree) or path.stem.capitalize()).partition(":")[0]
    constants = {
        target.id.lower(): ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in ("PLACE", "GROUP")
    }
    return Entry(title, **constants)


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
