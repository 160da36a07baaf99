"""The texts of lessons as HTML."""

from __future__ import annotations

import html
import re

BOLD, EMPHASIS = re.compile(r"\*\*(.+?)\*\*"), re.compile(r"\*(.+?)\*")


def to_html(text: str) -> str:
    """Return a lesson's text, which may have **bold** and *emphasis*, as HTML; everything else is shown as written.

    Streamlit sets the HTML of st.html as a whole, but updates Markdown text by text. A browser that translates a page
    has replaced those texts by elements of its own, and their update fails or shows the text of another step.
    """
    return EMPHASIS.sub(r"<em>\1</em>", BOLD.sub(r"<strong>\1</strong>", html.escape(text, quote=False)))
