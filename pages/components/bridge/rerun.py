"""How a component in a fragment asks for a run of the whole page.

A callback of such a component is followed by a run of its fragment alone; what lies beside it, and the
URL, change in a run of the whole page. Callbacks cannot call st.rerun: they request it, and the fragment,
which runs next, begins with rerun_if_requested.
"""

from __future__ import annotations

import streamlit as st


def request_rerun(key: str) -> None:
    """Have the next run of the fragment with this key run the whole page. Call it in callbacks."""
    st.session_state.setdefault("rerun_requested", set()).add(key)


def rerun_if_requested(key: str) -> None:
    """Run the whole page if the component with this key has requested it. Call it first in a fragment."""
    requested = st.session_state.get("rerun_requested", set())
    if key in requested:
        requested.remove(key)
        st.rerun()
