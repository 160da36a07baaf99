"""The training of a visitor: the same in all tabs of a browser and after a reload, kept while one of them is open."""

from __future__ import annotations

import secrets
import threading
import time
from pathlib import Path
from typing import TypeGuard
from weakref import WeakKeyDictionary

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vae import live
from vae.live.training import ENDED

from ..bridge import first_picture
from ..shell import own

LOOK = 10  # seconds between two looks at whether a visitor is still connected
_ids: WeakKeyDictionary[live.Training, str] = WeakKeyDictionary()
_sessions: dict[str, set[str]] = {}  # {visitor with a training: Streamlit's ids of his sessions}
_lock = threading.Lock()


def training() -> live.Training | None:
    """Return this visitor's last training, which may have ended; None before there is one."""
    found = live.find(own.visitor())
    if found is not None:
        found.seen()
        _note_session()
    return found


def is_live(found: live.Training | None) -> TypeGuard[live.Training]:
    """Return whether there is a training that has not ended."""
    return found is not None and found.state not in ENDED


def id_of(found: live.Training) -> str:
    """Return a name by which a browser tells a training from earlier ones."""
    return _ids.setdefault(found, secrets.token_urlsafe(9))


def begin(plan: live.Plan, folder: Path | None) -> None:
    """Start a training of this visitor, in place of his last one. folder: of his own data set.

    Raises JobError.
    """
    live.Training(plan, folder, own.visitor())
    _note_session()


def warm_up() -> None:
    """Start the process of the next training, so that its first picture comes soon after its start."""
    if first_picture.served.is_set():
        live.warm_up()


def _note_session() -> None:
    """Keep the training while this session is connected, on whatever page it is."""
    context = get_script_run_ctx()
    if context is None or not first_picture.served.is_set():  # in a test of the page alone
        return
    who = own.visitor()
    with _lock:
        is_new = who not in _sessions
        _sessions.setdefault(who, set()).add(context.session_id)
    if is_new:
        threading.Thread(target=_keep, args=(who,), name="watch a visitor", daemon=True).start()


def _keep(who: str) -> None:
    while is_live(found := live.find(who)):
        with _lock:
            sessions = set(_sessions[who])
        if any(map(runtime.get_instance().is_active_session, sessions)):
            found.seen()
        time.sleep(LOOK)
    with _lock:
        del _sessions[who]
