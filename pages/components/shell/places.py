"""How many visitors a server holds at once. Each connected session has a place; a new one may find none left.

    VAE_SESSIONS=60          sixty sessions
    VAE_SESSIONS=off         no limit
    not set                  DEFAULT sessions
    VAE_HANDOUT=https://...  the address of a handout or a static site, which a full server offers; else it offers the
                             handout of one model as a file
"""

from __future__ import annotations

import os
import threading

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from . import cached, link, visitors

# Python runs one page at a time, and sixty sessions with an action every ten seconds, of 101 ms of processor time on
# average, keep it busy for 60 % of the time: see "Load" in tests/benchmarks/README.md.
DEFAULT = 60
VARIABLE, HANDOUT = "VAE_SESSIONS", "VAE_HANDOUT"
_taken: set[str] = set()  # Streamlit's ids of sessions
_lock = threading.RLock()
refused = 0  # sessions, since the server started


def limit() -> int | None:
    """Return how many sessions a server holds; None for any number. A value that means nothing is not a limit's."""
    value = os.environ.get(VARIABLE, "").strip().lower()
    if value == "off":
        return None
    return int(value) if value.isascii() and value.isdigit() and int(value) else DEFAULT


def taken() -> int:
    """Return how many connected sessions have a place."""
    with _lock:
        _taken.intersection_update({session for session in _taken if visitors.is_connected(session)})
        return len(_taken)


def is_full() -> bool:
    """Return whether a new session would find no place."""
    most = limit()
    return most is not None and taken() >= most


def take() -> bool:
    """Take a place for this session, if it has none. Returns False if none is left.

    A session that has had a place goes on, also when it comes back to a full server after it was disconnected.
    """
    global refused
    context = get_script_run_ctx()
    if context is None:
        return True
    with _lock:
        if "has_place" not in st.session_state and is_full():
            refused += "is_refused" not in st.session_state
            st.session_state.is_refused = True
            return False
        _taken.add(context.session_id)
    st.session_state.has_place = True
    return True


def show_full() -> None:
    """Say that the server is full, and offer the handout."""
    st.title("This server is full")
    st.markdown("No place is free. Try again soon, or use the handout, which needs no server.")
    with st.container(horizontal=True):
        st.button("Try again", type="primary", key="full_again")
        address = os.environ.get(HANDOUT, "").strip()
        if address.startswith(("https://", "http://")):
            st.link_button("Open the handout", address)
        elif link.DEFAULT_MODEL in cached.shared_scan()[0]:
            st.download_button(
                "Handout (HTML)", cached.handout(link.DEFAULT_MODEL, ""), f"{link.DEFAULT_MODEL}.html", "text/html",
                key="full_handout", on_click="ignore",
            )  # fmt: skip
