"""Parts of a page that need torch and can wait until the visitor has a first picture.

Only the first visits of a server wait: later runs find torch loaded.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import streamlit as st

_loaded = threading.Event()  # torch has been imported to its end
if sys.modules.get("torch") is not None:
    _loaded.set()


def begin() -> None:
    """Forget what an earlier run left waiting, because an error ended it."""
    st.session_state.waiting = []


def show_later(container, show: Callable[[], None]) -> None:
    """Call show() in a container: now if torch is loaded, else at the end of this run."""
    if _loaded.is_set():
        with container:
            show()
    else:
        st.session_state.setdefault("waiting", []).append((container, show))


def show_waiting() -> None:
    """Show what waits. Where nothing does, load torch in the background, for the visitor's next step."""
    for container, show in st.session_state.pop("waiting", []):
        with container:
            show()
    if not _loaded.is_set():
        threading.Thread(target=_load, daemon=True).start()


def _load() -> None:
    import torch  # noqa: F401

    _loaded.set()
