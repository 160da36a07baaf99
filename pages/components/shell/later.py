"""Parts of a page that can wait until the visitor has a first picture: they need torch, or are out of sight."""

from __future__ import annotations

import threading
from collections.abc import Callable

import streamlit as st

_loading = threading.Event()  # somebody has begun to import torch


def begin() -> None:
    """Forget what an earlier run left waiting, because an error ended it."""
    st.session_state.waiting = []


def show_later(container, show: Callable[[], None]) -> None:
    """Call show() in a container: at the end of a session's first run, and at once in every later run."""
    if "had_first_run" in st.session_state:
        with container:
            show()
    else:
        st.session_state.setdefault("waiting", []).append((container, show))


def show_waiting() -> None:
    """Show what waits. A server's first visitor also has torch loaded in the background, for the next step."""
    st.session_state.had_first_run = True
    for container, show in st.session_state.pop("waiting", []):
        with container:
            show()
    if not _loading.is_set():
        _loading.set()
        threading.Thread(target=__import__, args=("torch",), daemon=True).start()
