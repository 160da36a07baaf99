"""The pages of the app, in their order."""

from __future__ import annotations

import streamlit as st


def navigation():
    """The page that is to run; where a callback has asked for another, that one runs instead."""
    page = st.navigation(
        [
            st.Page("pages/home.py", title="Home", default=True),
            st.Page("pages/lessons.py", title="Lessons"),
            st.Page("pages/sample.py", title="Sample"),
            st.Page("pages/sliders.py", title="Sliders"),
            st.Page("pages/interpolate.py", title="Interpolate"),
            st.Page("pages/map.py", title="Map"),
            st.Page("pages/disentangle.py", title="Disentangle"),
            st.Page("pages/inside.py", title="Inside"),
            st.Page("pages/uses.py", title="Uses"),
            st.Page("pages/compare.py", title="Compare"),
            st.Page("pages/match.py", title="Match"),
        ],
        position="top",
    )
    if "next_page" in st.session_state:
        st.session_state.told_link = {}  # switching empties the URL
        st.switch_page(st.session_state.pop("next_page"))
    return page


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
