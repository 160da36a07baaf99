"""Loading torch in the background: pages are sent without it, and the visitor's next step needs it."""

from __future__ import annotations

import sys
import threading

_started = threading.Event()


def start() -> None:
    """Begin to load torch, once a server's first page has been sent; do nothing afterwards."""
    if not _started.is_set():
        _started.set()
        if "torch" not in sys.modules:
            threading.Thread(target=_load, daemon=True).start()


def _load() -> None:
    import torch  # noqa: F401
