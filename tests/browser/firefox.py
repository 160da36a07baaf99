"""Firefox over WebDriver BiDi, the protocol that Debian's build speaks: https://w3c.github.io/webdriver-bidi/

Playwright drives its own build of Firefox only, so this is a client of the few commands that the tests need.
"""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from .app_server import AT_REST
from .layout import ALL

FIREFOX = next((p for p in map(shutil.which, ("firefox-esr", "firefox")) if p), None)
TIMEOUT = 120  # seconds; a crowded machine starts Firefox in 45
PREFERENCES = {
    "datareporting.policy.dataSubmissionEnabled": False, "browser.shell.checkDefaultBrowser": False,
    "app.update.enabled": False, "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False, "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.aboutConfig.showWarning": False, "toolkit.telemetry.enabled": False,
    "extensions.getAddons.cache.enabled": False, "services.settings.server": "data:,",
}  # fmt: skip

# the first visible element that matches a selector, in shadow roots too
FIND = f"""(selector) => {{
  {ALL}
  return all(document).find((e) => e.matches(selector) && e.checkVisibility()) ?? null;
}}"""


class BidiError(Exception):
    """An error that the browser reports."""


@contextlib.contextmanager
def firefox(**preferences):
    """Start Firefox with these preferences in a profile of its own; yields a tab."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in (PREFERENCES | preferences).items()]
        (Path(profile) / "user.js").write_text("\n".join(lines), encoding="utf-8")
        process = subprocess.Popen(
            [FIREFOX, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            with _connected(port) as connection:
                yield Tab(connection)
        finally:
            process.terminate()
            process.wait(20)


def _connected(port: int):
    """Return the connection to a Firefox that has just been started."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/session", max_size=None, compression=None, proxy=None)
        except (OSError, WebSocketException):
            if time.monotonic() > end:
                raise
            time.sleep(0.25)


class Tab:
    """The first tab of a browser."""

    def __init__(self, connection):
        self.connection, self.numbers = connection, itertools.count(1)
        self.errors: list[str] = []  # of the console
        self.send("session.new", capabilities={})
        self.context = self.send("browsingContext.getTree")["contexts"][0]["context"]
        self.send("session.subscribe", events=["log.entryAdded"])

    def send(self, method: str, **parameters) -> dict:
        """Send a command and return its result. Raises BidiError."""
        number = next(self.numbers)
        self.connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.connection.recv(timeout=TIMEOUT))
            if message.get("method") == "log.entryAdded":
                self._note(message["params"])
            elif message.get("id") == number:
                if message["type"] == "error":
                    raise BidiError(f"{method}: {message['error']}: {message['message']}")
                return message["result"]

    def _note(self, entry: dict) -> None:
        # on a deep link Streamlit looks for its own address first, and logs each miss
        if entry["level"] == "error" and "_stcore" not in str(entry.get("text")):
            self.errors.append(entry["text"])

    def evaluate(self, function: str, *arguments):
        """Call a JavaScript function with arguments of JSON and return its result, of JSON too."""
        given = ", ".join(json.dumps(argument) for argument in arguments)
        result = self.send(
            "script.evaluate", expression=f"(async () => JSON.stringify((await ({function})({given})) ?? null))()",
            target={"context": self.context}, awaitPromise=True,
        )  # fmt: skip
        if result["type"] == "exception":
            raise BidiError(result["exceptionDetails"]["text"])
        return json.loads(result["result"]["value"])

    def until(self, function: str, *arguments):
        """Wait until a JavaScript function returns what is true, and return it."""
        end = time.monotonic() + TIMEOUT
        while not (value := self.evaluate(function, *arguments)):
            if time.monotonic() > end:
                raise TimeoutError(f"still {value!r}: {function}")
            time.sleep(0.1)
        return value

    def open(self, url: str, width: int = 1440, height: int = 900) -> None:
        """Open an address of the app and wait until its page stands."""
        self.send("browsingContext.setViewport", context=self.context, viewport={"width": width, "height": height})
        self.send("browsingContext.navigate", context=self.context, url=url, wait="complete")
        self.until("() => document.querySelector('h1') !== null")
        self.settle()

    def settle(self) -> None:
        """Wait until the script run of a page has ended and what it shows stands."""
        self.evaluate("() => { window.lastSize = undefined }")
        self.until(AT_REST)

    def box(self, selector: str) -> dict[str, float]:
        """Scroll an element to the middle of the window and return its box: x, y, width, height."""
        return self.until(
            f"""(selector) => {{
              const element = ({FIND})(selector);
              element?.scrollIntoView({{ block: 'center', behavior: 'instant' }});
              const {{ x, y, width, height }} = element?.getBoundingClientRect() ?? {{}};
              return width && height ? {{ x, y, width, height }} : null;
            }}""",
            selector,
        )

    def stroke(self, selector: str, places: list[tuple[float, float]]) -> None:
        """Press the mouse in an element, move it, and let go. places: parts of its width and height."""
        box = self.box(selector)
        moves = [
            {"type": "pointerMove", "x": round(box["x"] + across * box["width"]),
             "y": round(box["y"] + down * box["height"]), "duration": 60}
            for across, down in places
        ]  # fmt: skip
        actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0}]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self.send("input.performActions", context=self.context, actions=[mouse])

    def click(self, selector: str) -> None:
        self.stroke(selector, [(0.5, 0.5)])

    def picture(self, selector: str) -> np.ndarray:
        """Return what the screen shows of an element, (H, W, 3) uint8. A page's own canvas may answer with noise."""
        box = self.box(selector)
        data = self.send(
            "browsingContext.captureScreenshot", context=self.context, clip={"type": "box", **box}, origin="viewport"
        )["data"]  # fmt: skip
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
