"""The marks at the first mention of each of the glossary's terms on a page."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from vae.glossary import MENTIONS, TERMS, key_of

PAGE = "glossary"  # the page file that lists the terms


def explain(markdown: str) -> str:
    """Mark the first mention of each term on the current page in a Markdown text.

    A mark is a link to the term on the glossary page, with the definition as its title; bridge/term_tips.py shows it
    as a tooltip. Code, formulas, links, headings and tables stay as they are. A text that is written again keeps its
    marks, as in the rerun of a fragment.
    """
    firsts = st.session_state.setdefault("explained", {})  # {term: the text that mentions it first}
    marked: set[str] = set()

    def mark(match: re.Match[str]) -> str:
        key, text = key_of(match), match.group()
        if key in marked or firsts.setdefault(key, markdown) != markdown:
            return text
        marked.add(key)
        return f'[{text}]({PAGE}#{key} "{TERMS[key].definition}")'

    return _outside(_SKIPPED, markdown, lambda text: MENTIONS.sub(mark, text))


def begin_run() -> None:
    """Forget what the last run explained. Call it before a page runs."""
    st.session_state.explained = {}


_SKIPPED = re.compile(r"`[^`]*`|\$[^$]*\$|!?\[[^\]]*\]\([^)]*\)|^[#|].*$", re.MULTILINE)


def _outside(pattern: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    """Return a text with `change` applied between the matches of a pattern."""
    between = [change(part) for part in pattern.split(text)]
    found = [*pattern.findall(text), ""]
    return "".join(part for pair in zip(between, found, strict=True) for part in pair)
