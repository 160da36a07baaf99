"""The title of a page without a model selector."""

from __future__ import annotations

import streamlit as st

from . import link


def show_title(text: str, moves_z: bool = False) -> None:
    """Show a title, and beside it the tools that app.py adds. moves_z: whether the page changes the shared z."""
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="title_row"):
        st.title(text)
        link.show_tools.get()(moves_z)
