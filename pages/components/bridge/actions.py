"""What visitors do, and how long it takes: one line in the log per action, and counters.

    VAE_LOG=INFO       a line for every action; VAE_LOG=WARNING: for slow ones and those that end in an exception
    VAE_METRICS=1      counters at /metrics, in the text format of Prometheus
    not set            neither

An action is a message that reruns a page, with all that it leads to, until the page stands. A line is a JSON object.
It holds no picture, no text and no address of a visitor: only words of this file and names of this project's pages.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..shell.navigation import DEFAULT_PAGE, page_files
from .assets import BASE

LOG, METRICS = "VAE_LOG", "VAE_METRICS"
SLOW = 1.0  # seconds
BUCKETS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # seconds
MAX_PARSED = 16_384  # bytes of a message to a browser; pictures are larger, and what is counted here is smaller
# Events of components: what a visitor does by them. The others are "event".
EVENTS = {
    "commit": "release", "own": "picture", "file": "picture", "pick": "pick", "random": "sample", "ask": "decode",
}  # fmt: skip
PICKER = "-model_picker"
_log = logging.getLogger("vae.actions")


def level() -> int | None:
    """Return the lowest level that is logged; None where nothing is."""
    return {"info": logging.INFO, "warning": logging.WARNING}.get(os.environ.get(LOG, "").strip().lower())


def has_metrics() -> bool:
    return os.environ.get(METRICS, "").strip() == "1"


# ---- counters


@dataclass
class Counters:
    """What has happened since the server started."""

    sessions: int = 0  # that are connected
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)  # (action, page)
    slow: Counter[tuple[str, str]] = field(default_factory=Counter)
    exceptions: Counter[tuple[str, str]] = field(default_factory=Counter)
    buckets: Counter[tuple[str, float]] = field(default_factory=Counter)  # (action, upper end in seconds)
    seconds: Counter[str] = field(default_factory=Counter)  # by action
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, action: str, page: str, seconds: float, has_exception: bool) -> None:
        with self.lock:
            self.actions[action, page] += 1
            self.slow[action, page] += seconds >= SLOW
            self.exceptions[action, page] += has_exception
            self.seconds[action] += seconds
            for end in BUCKETS:
                self.buckets[action, end] += seconds <= end

    def text(self) -> str:
        """Return them in the text format of Prometheus."""
        import psutil

        from ..shell import places

        with self.lock:
            lines = [
                *_metric("vae_sessions", "gauge", "connected sessions", {"": self.sessions}),
                *_metric("vae_sessions_limit", "gauge", "0 for no limit", {"": places.limit() or 0}),
                *_metric("vae_sessions_refused_total", "counter", "sessions without a place", {"": places.refused}),
                *_metric("vae_resident_memory_bytes", "gauge", "of the server's process",
                         {"": psutil.Process().memory_info().rss}),
            ]  # fmt: skip
            for name, what, counter in (
                ("vae_actions_total", "actions of visitors", self.actions),
                ("vae_slow_actions_total", f"actions of {SLOW:g} seconds and more", self.slow),
                ("vae_exceptions_total", "actions that end in an exception", self.exceptions),
            ):
                values = {f'action="{action}",page="{page}"': n for (action, page), n in sorted(counter.items())}
                lines += _metric(name, "counter", what, values)
            lines += ["# HELP vae_action_seconds from message to page", "# TYPE vae_action_seconds histogram"]
            for action, total in sorted(self.seconds.items()):
                n = sum(count for (kind, _), count in self.actions.items() if kind == action)
                for end in BUCKETS:
                    labels = f'action="{action}",le="{end:g}"'
                    lines.append(f"vae_action_seconds_bucket{{{labels}}} {self.buckets[action, end]}")
                lines += [
                    f'vae_action_seconds_bucket{{action="{action}",le="+Inf"}} {n}',
                    f'vae_action_seconds_sum{{action="{action}"}} {total:.3f}',
                    f'vae_action_seconds_count{{action="{action}"}} {n}',
                ]
        return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, what: str, values: dict[str, int]) -> list[str]:
    samples = [f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in values.items()]
    return [f"# HELP {name} {what}", f"# TYPE {name} {kind}", *samples]


counters = Counters()


# ---- a connection


class Connection:
    """The actions of one session, as its messages tell them."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}  # {hash of a page's script: page}
        self.page = ""  # the hash of the shown page
        self.model = ""  # as the picker names it
        self.action, self.began, self.has_exception = "", 0.0, False  # of the action that is under way; "" for none

    def received(self, content: bytes) -> None:
        """Note a message from the browser."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        try:
            message.ParseFromString(content)
        except Exception:  # Streamlit will refuse it
            return
        run = message.rerun_script
        if message.WhichOneof("type") != "rerun_script" or run.is_auto_rerun:
            return
        action = self._action(run)
        if not self.action:  # else the runs of both end together
            self.action, self.began, self.has_exception = action, time.perf_counter(), False

    def _action(self, run: Any) -> str:
        if not self.page:
            return "join"
        if run.page_script_hash and run.page_script_hash != self.page:
            return "page"
        for state in run.widget_states.widgets:
            if state.json_trigger_value:
                return _event(state.json_trigger_value)
        picked = next((state.string_value for state in run.widget_states.widgets if state.id.endswith(PICKER)), "")
        return "model" if picked not in ("", self.model) else "widget"

    def sent(self, content: bytes) -> None:
        """Note a message to the browser."""
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        if len(content) > MAX_PARSED:
            return
        message = ForwardMsg()
        message.ParseFromString(content)
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.page = message.navigation.page_script_hash
            names = {file.stem for file in page_files()}
            pages = {page.page_script_hash: page.url_pathname for page in message.navigation.app_pages}
            self.pages = {hash: name for hash, name in pages.items() if name in names}
        elif kind == "delta":
            element = message.delta.new_element
            self.has_exception |= element.WhichOneof("type") == "exception"
            if element.selectbox.id.endswith(PICKER):
                self.model = element.selectbox.raw_value
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self.has_exception |= message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR
            self._end()

    def _end(self) -> None:
        if not self.action:  # the run was not a visitor's, as that of a progress bar
            return
        action, self.action = self.action, ""
        seconds, page = time.perf_counter() - self.began, self.pages.get(self.page, DEFAULT_PAGE)
        counters.add(action, page, seconds, self.has_exception)
        severity = logging.WARNING if self.has_exception or seconds >= SLOW else logging.INFO
        least = level()
        if least is not None and severity >= least:
            line = {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "action": action, "page": page,
                "ms": round(1000 * seconds), "slow": seconds >= SLOW, "exception": self.has_exception,
                "sessions": counters.sessions,
            }  # fmt: skip
            _logger().log(severity, json.dumps(line))


def _event(content: str) -> str:
    """Return what a visitor does by the first event that a component has sent."""
    try:
        return EVENTS.get(json.loads(content)[0]["event"], "event")
    except (ValueError, LookupError, TypeError, RecursionError):
        return "event"


def _logger() -> logging.Logger:
    """Return the logger, which writes bare lines to standard error where nobody has given it another place."""
    if not _log.handlers:
        _log.addHandler(logging.StreamHandler())
        _log.propagate = False
        _log.setLevel(logging.INFO)
    return _log


class Actions:
    """ASGI middleware that follows the messages of sessions. Does nothing where neither log nor counters are on."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or level() is None and not has_metrics():
            await self.app(scope, receive, send)
            return
        connection = Connection()

        async def receive_and_note() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and message.get("bytes"):
                connection.received(message["bytes"])
            return message

        async def send_and_note(message: Message) -> None:
            if message["type"] == "websocket.send" and message.get("bytes"):
                connection.sent(message["bytes"])
            await send(message)

        counters.sessions += 1
        try:
            await self.app(scope, receive_and_note, send_and_note)
        finally:
            counters.sessions -= 1


def _metrics(request: Request) -> Response:
    if not has_metrics():
        return Response(status_code=404)
    return PlainTextResponse(counters.text(), headers={"Cache-Control": "no-store"})


ROUTES = [Route(f"{BASE}metrics", _metrics)]
