"""Parts of a page that can wait until the visitor has a first picture: they need torch, or are out of sight."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import streamlit as st

_loaded = threading.Event()  # torch is imported
if sys.modules.get("torch") is not None:
    _loaded.set()


def begin() -> None:
    """Forget what an earlier run left waiting, because an error ended it."""
    st.session_state.waiting = []


def show_later(container, show: Callable[[], None]) -> None:
    """Call show() in a container: at the end of a session's first run and while torch is not loaded, else at once."""
    if _loaded.is_set() and "had_first_run" in st.session_state:
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
    if not _loaded.is_set():
        threading.Thread(target=_load, daemon=True).start()


def _load() -> None:
    import torch  # noqa: F401

    _loaded.set()
