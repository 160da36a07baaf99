"""Let a component in a fragment rerun the whole page.

After a callback of such a component, Streamlit reruns its fragment alone, but the rest of the page and the URL change
only when the whole page runs. Callbacks cannot call st.rerun, so they call request_rerun, and the fragment starts with
rerun_if_requested. A model may be removed meanwhile, by which a fragment alone, or its callback, would fail.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ..shell import state


def request_rerun(key: str) -> None:
    """Make the next run of the fragment with this key rerun the whole page. Call it in callbacks."""
    st.session_state.setdefault("rerun_requested", set()).add(key)


def rerun_if_requested(key: str) -> None:
    """Rerun the whole page if the component with this key has requested it, or if the current model was removed: the
    page then says so and shows another. Call it first in a fragment."""
    requested = st.session_state.get("rerun_requested", set())
    if key in requested or state.model_was_removed():
        requested.discard(key)
        st.rerun()


def unless_removed(callback: Callable[[], None]) -> Callable[[], None]:
    """Return a component's callback that does nothing when the current model was removed."""

    def call() -> None:
        if not state.model_was_removed():
            callback()

    return call
