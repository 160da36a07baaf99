"""Memory that a server would keep although nothing needs it any more."""

from __future__ import annotations

import ctypes
import platform
from functools import cache

from streamlit.runtime.scriptrunner import get_script_run_ctx

# of glibc's malloc.h, and the values that are set
ARENAS = -8, 2
MMAP_THRESHOLD = -3, 2**19  # bytes


@cache  # app.py calls this in every run
def tune_malloc() -> None:
    """Make the C library return freed memory to the system. Do nothing where it is not glibc.

    Each run of a page has a new thread. By default, threads use eight pools of memory per core, and arrays of up to
    32 MB are in them, so that a pool keeps what its largest run has needed: half a gigabyte once every model has been
    opened.
    """
    if platform.libc_ver()[0] == "glibc":
        for option, value in (ARENAS, MMAP_THRESHOLD):
            ctypes.CDLL(None).mallopt(option, value)


def forget_widgets() -> None:
    """Forget the widgets that a run of the whole page has not shown. Call it when the run ends.

    Streamlit forgets their values, but keeps their callbacks as long as the session. A callback holds the variables of
    its page: tensors and models, also those that no cache holds any more.
    """
    context = get_script_run_ctx()
    if context is None or context.fragment_ids_this_run:
        return
    session = context.session_state._state  # Streamlit has no public way
    widgets, shown = session._new_widget_state, context.shared.widget_ids_this_run.snapshot()
    for id, widget in list(widgets.widget_metadata.items()):
        # Streamlit has yet to reset these values; those of widgets that persist it keeps without the callbacks.
        has_value = id in widgets.states or session._old_state.get(id) is not None and widget.persist_state is None
        if id not in shown and not has_value:
            del widgets.widget_metadata[id]
