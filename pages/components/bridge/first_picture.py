"""Waiting until the browser has painted a session's first picture, before the rest of the page is sent.

The rest may load megabytes of Streamlit's own scripts, and torch, while the picture needs neither.
"""

from __future__ import annotations

import secrets
import threading

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .assets import PREFIX

TIMEOUT = 3.0  # seconds
MAX_WAITING = 1000  # sessions whose first run an error may have ended
_painted: dict[str, threading.Event] = {}
served = threading.Event()  # the pages are served to browsers; a test of a page alone has none


def address() -> str | None:
    """Return the address that the browser calls when it has painted this session's first picture; None afterwards."""
    if "painted" not in st.session_state:
        token = secrets.token_urlsafe(9)
        st.session_state.painted = token
        while len(_painted) >= MAX_WAITING:
            _painted.pop(next(iter(_painted)), None)
        _painted[token] = threading.Event()
    return f"{PREFIX}/painted/{st.session_state.painted}" if st.session_state.painted in _painted else None


def wait() -> None:
    """Return when the browser has painted the first picture, or after TIMEOUT; at once on every later run."""
    event = _painted.get(st.session_state.get("painted"))
    if event is not None:
        event.wait(TIMEOUT if served.is_set() else 0)
        _painted.pop(st.session_state.painted, None)


def _note(request: Request) -> Response:
    event = _painted.get(request.path_params["token"])
    if event is not None:
        event.set()
    return Response(status_code=204)


ROUTES = [Route(f"{PREFIX}/painted/{{token}}", _note, methods=["POST"])]
