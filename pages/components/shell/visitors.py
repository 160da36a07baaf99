"""Visitors and their own models: where these are kept, and who may use them.

On one's own machine they are in the user's folder (folders.home) and stay. On a server that others use too, they are
in a temporary folder of the visitor: only his sessions list them, and they go with the last of these sessions. Their
names, and those of their data sets, end in digits that no other model has had, because caches are keyed by them.

A visitor is a browser: a cookie of this server's, which bridge/visitor.py sets, tells that a reload is the same one.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psutil
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vae import ModelCard, folders, project
from vae.store import Store

from .cookie import COOKIE, COOKIE_VALUE

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
# what a proxy adds to a request that it forwards
FORWARDING = ("forwarded", "via", "x-real-ip", "true-client-ip", "cf-connecting-ip", "fly-client-ip")
PREFIX = "vae-visitor-"  # of temporary folders; the process follows
KEEP = 120.0  # seconds after a visitor's last session has disconnected; a reload takes one or two
CHECK_EVERY = 10.0  # seconds between two looks for visitors who have left
SUFFIX_LENGTH = 17  # of a hyphen and 16 digits, by which names differ
MAX_MODELS = 8  # of one visitor
MAX_EACH, MAX_TOTAL = 512 * 2**20, 2 * 2**30  # bytes of one visitor's models and images, and of all visitors'


class Request(Protocol):
    """What st.context says of the request that began a session."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def ip_address(self) -> str | None: ...  # None for a loopback address


def is_ones_own(context: Request) -> bool:
    """Return whether a request came from a browser on the server's own machine, whose user may keep files there.

    The address is a loopback one, the page's host is local, no proxy has forwarded the request, and VAE_SHARED is not
    1. A proxy that hides itself from the server needs VAE_SHARED=1.
    """
    if os.environ.get("VAE_SHARED") == "1" or context.ip_address is not None:
        return False
    headers = {key.lower(): value for key, value in context.headers.items()}
    if any(name in FORWARDING or name.startswith("x-forwarded-") for name in headers):
        return False
    addresses = [f"//{headers.get('host', '')}", *filter(None, [headers.get("origin")])]
    return all(_hostname(address) in LOCAL_HOSTS for address in addresses)


def _hostname(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


# ---- visitors of a server that others use too


@dataclass
class Shelf:
    """The models of one visitor, in a temporary folder that nobody else may read."""

    root: Path
    cards: dict[str, ModelCard] = field(default_factory=dict)


@dataclass
class Visit:
    """The sessions of one visitor, and when he was last there."""

    sessions: set[str] = field(default_factory=set)  # Streamlit's ids
    seen: float = 0.0  # time.monotonic() of the last run, or when a session was last connected


_shelves: dict[str, Shelf] = {}  # by visitor
_visits: dict[str, Visit] = {}  # of the visitors who are watched: those who have models or a training
_when_connected: list[Callable[[str], None]] = []
_lock = threading.RLock()
_granted: ContextVar[str] = ContextVar("granted", default="")


def visitor() -> str:
    """Return an identifier of this session's visitor, which nobody else knows; the same after a reload."""
    if "visitor" not in st.session_state:  # a session keeps the cookies of its first request; parsing them takes long
        cookie = str(st.context.cookies.get(COOKIE, ""))
        own = secrets.token_urlsafe(24)  # for a browser without the cookie, as in a frame of another site
        st.session_state.visitor = cookie if COOKIE_VALUE.fullmatch(cookie) else own
    return st.session_state.visitor


def is_permanent() -> bool:
    """Return whether this visitor's models stay: whether he is on his own machine, and his folder can be written."""
    return is_ones_own(st.context) and _can_write(folders.home())


def is_read_only() -> bool:
    """Return whether this visitor is on his own machine, but his folder cannot be written."""
    return is_ones_own(st.context) and not _can_write(folders.home())


def _can_write(folder: Path) -> bool:
    """Return whether files can be made in a folder, which need not exist yet."""
    there = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), folder)
    return os.path.isdir(there) and os.access(there, os.W_OK | os.X_OK)


def root() -> Path:
    """Return the folder of models of this visitor: the user's own, or a temporary one, which exists afterwards.

    Its layout is that of a Store's root.
    """
    return folders.home() if is_permanent() else _shelf(make=True).root


def _shelf(make: bool = False) -> Shelf | None:
    """Return this session's shelf, and note that its visitor is there; None if he has none and none is to be made."""
    if get_script_run_ctx(suppress_warning=True) is None or not (make or _shelves):  # no session, or no models
        return None
    who = visitor()
    with _lock:
        if who in _shelves or make:
            note_visit()
        if make and who not in _shelves:
            _shelves[who] = Shelf(_new_folder())
        return _shelves.get(who)


def _new_folder() -> Path:
    """Return a new folder that only this user of the operating system may open."""
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


# ---- whether a visitor is still there


def note_visit() -> None:
    """Note that this session's visitor is there, and watch from now on whether he stays connected."""
    context = get_script_run_ctx()
    if context is None:
        return
    with _lock:
        visit = _visits.setdefault(visitor(), Visit())
        visit.sessions.add(context.session_id)
        visit.seen = time.monotonic()
        _watch()


def when_connected(call: Callable[[str], None]) -> None:
    """Call a function with each watched visitor who is connected, every CHECK_EVERY seconds."""
    _when_connected.append(call)


_watching: list[threading.Thread] = []


def _watch() -> None:
    if not _watching:
        remove_leftovers()
        _watching.append(threading.Thread(target=_look_for_ever, name="watch the visitors", daemon=True))
        _watching[0].start()
        atexit.register(remove_all)


def _look_for_ever() -> None:
    while True:
        time.sleep(CHECK_EVERY)
        look()


def look(keep: float = KEEP) -> None:
    """Note which of the watched visitors are connected. Remove the models of those whose last session disconnected
    more than `keep` seconds ago."""
    with _lock:
        for who, visit in list(_visits.items()):
            if any(map(is_connected, visit.sessions)):
                visit.seen = time.monotonic()
                for call in _when_connected:
                    call(who)
            elif time.monotonic() - visit.seen > keep:
                _remove(who)


def is_connected(session: str) -> bool:
    """Return whether the browser of a session is there."""
    return st.runtime.exists() and st.runtime.get_instance().is_active_session(session)


def _remove(who: str) -> None:
    del _visits[who]
    if who in _shelves:
        shutil.rmtree(_shelves.pop(who).root, ignore_errors=True)


def remove_all() -> None:
    """Remove all visitors' models, as when the server ends."""
    with _lock:
        for who in list(_visits):
            _remove(who)


def remove_leftovers() -> None:
    """Remove the folders of servers that were killed."""
    known = {shelf.root for shelf in _shelves.values()}
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        process = path.name.removeprefix(PREFIX).partition("-")[0]
        abandoned = process.isdigit() and (int(process) == os.getpid() or not psutil.pid_exists(int(process)))
        if abandoned and path not in known:
            shutil.rmtree(path, ignore_errors=True)


# ---- which models a session may use


def models() -> dict[str, ModelCard]:
    """Return {name: card} of the models that only this visitor may use, the newest last; {} outside a session."""
    shelf, found = _shelf(), {}
    with _lock:
        if shelf is not None:
            found = dict(shelf.cards)
        for other in _shelves.values() if _granted.get() else ():
            found |= {name: card for name, card in other.cards.items() if name == _granted.get()}
    return found


def store_of(name: str) -> Store:
    """Return the store that holds a model: the shared one, or that of the visitor whose model it is.

    A name that belongs to another visitor is unknown to either.
    """
    shared = Store()
    with _lock:
        if name in models():
            (home,) = (shelf.root for shelf in _shelves.values() if name in shelf.cards)
            return Store([home, *shared.roots])
    return shared


@contextmanager
def granted(name: str) -> Iterator[None]:
    """Let a request outside any session use one model. The caller has checked that it knows what only its owner is
    told."""
    token = _granted.set(name)
    try:
        yield
    finally:
        _granted.reset(token)


def suffix_of(name: str) -> str:
    """Return what distinguishes the name of a visitor's model from all others; "" for a model that all may use."""
    return name[-SUFFIX_LENGTH:] if name in models() else ""


def plain_name(name: str) -> str:
    """Return the name that a model has without its suffix, as in a project file."""
    return name.removesuffix(suffix_of(name))


def may_change(name: str) -> bool:
    """Return whether a model is one of this visitor's own, which he may rename and delete."""
    return name in models() or is_permanent() and store_of(name).folder(name).parent == folders.home()


def add(read: Callable[[Path, str], ModelCard]) -> str:
    """Add a model to this visitor's. Returns its name.

    read(into, suffix): writes it into a folder of models, under a name with a suffix, and returns its card. Raises
    project.ProjectError where there is no space for it.
    """
    if is_permanent():
        return read(folders.home(), "").name
    shelf = _shelf(make=True)
    if len(shelf.cards) >= MAX_MODELS:
        many = f"{MAX_MODELS} model{'s' * (MAX_MODELS > 1)}"
        raise project.ProjectError(f"a session keeps at most {many}: delete one first")
    check_space()
    card = read(shelf.root, f"-{secrets.token_hex(SUFFIX_LENGTH // 2)}")
    note(card)
    return card.name


def check_space() -> None:
    """Raise project.ProjectError where this visitor, or all visitors, have no space left for models and images."""
    if is_permanent():
        return
    mine = _shelf(make=True).root
    with _lock:
        sizes = {shelf.root: _size(shelf.root) for shelf in _shelves.values()}
    if sizes[mine] > MAX_EACH:
        raise project.ProjectError(f"a session keeps at most {MAX_EACH // 2**20} MB: delete models or images first")
    if sum(sizes.values()) > MAX_TOTAL:
        raise project.ProjectError("this server has no space for more models: try again later")


def _size(folder: Path) -> int:
    """Return the bytes of a folder's files, some of which another session may be writing or removing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def note(card: ModelCard) -> None:
    """Let this visitor's sessions list a model under this card. On one's own machine, the store itself lists it."""
    with _lock:
        if card.name in models() or not is_permanent():
            _shelf(make=True).cards[card.name] = card


def forget(name: str) -> None:
    """Take a model from the list of this visitor's sessions."""
    with _lock:
        if (shelf := _shelf()) is not None:
            shelf.cards.pop(name, None)
