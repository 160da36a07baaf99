"""What a server does before its first visitor's browser is ready to ask: it imports the pages and reads the models.

torch is not among it: see shell/torch_loading.py.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator

import streamlit as st

from . import first_picture

DELAY = 0.02  # seconds between two looks whether the server is there


@contextlib.asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Warm up in the background as soon as the server starts."""
    first_picture.served.set()
    threading.Thread(target=_warm_up, daemon=True).start()
    yield


def _warm_up() -> None:
    while not st.runtime.exists():  # caches need it
        time.sleep(DELAY)
    try:
        from ..shell import cached, link, model_picker  # noqa: F401
        from ..widgets import bars, image_input, point  # noqa: F401

        if link.DEFAULT_MODEL in cached.zoo_scan()[0]:
            cached.traits(link.DEFAULT_MODEL)
    except Exception:  # the first visitor's run meets the same error, and shows it
        logging.getLogger(__name__).debug("warming up failed", exc_info=True)
