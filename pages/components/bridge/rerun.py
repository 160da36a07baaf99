"""Let a component in a fragment rerun the whole page.

After a callback of such a component, Streamlit reruns its fragment alone, but the rest of the page and the URL change
only when the whole page runs. Callbacks cannot call st.rerun, so they call request_rerun, and the fragment starts with
rerun_if_requested.
"""

from __future__ import annotations

import streamlit as st


def request_rerun(key: str) -> None:
    """Make the next run of the fragment with this key rerun the whole page. Call it in callbacks."""
    st.session_state.setdefault("rerun_requested", set()).add(key)


def rerun_if_requested(key: str) -> None:
    """Rerun the whole page if the component with this key has requested it. Call it first in a fragment."""
    requested = st.session_state.get("rerun_requested", set())
    if key in requested:
        requested.remove(key)
        st.rerun()
