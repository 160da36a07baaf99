"""Starts the app and Debian's Chromium, for browser tests, screenshots and benchmarks."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser")) if p), None)
# no GPU, no background connections; as root Chromium needs --no-sandbox
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running_app(script: str = "app.py", folder: Path = ROOT):
    """An app on a free port, started in its folder as a newcomer would; yields its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("OMP_NUM_THREADS", None)  # the app's own business
    environment |= {"PYTHONWARNDEFAULTENCODING": "1", "PYTHONWARNINGS": "default::DeprecationWarning"}
    log = tempfile.TemporaryFile()  # a pipe that nobody reads would fill and stop the app
    process = subprocess.Popen(
        [
            sys.executable, "-m", "streamlit", "run", script, "--server.headless", "true",
            "--server.port", str(port), "--server.address", "127.0.0.1",
        ],
        cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        for _ in range(240):
            if process.poll() is not None:
                log.seek(0)
                raise RuntimeError(f"the app did not start: {log.read().decode()}")
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.25)
        else:
            raise RuntimeError("the app did not answer within a minute")
        yield address
    finally:
        process.terminate()
        process.wait(10)
    log.seek(0)
    warned = own_warnings(log.read().decode(errors="replace"))
    assert not warned, warned


def own_warnings(log: str) -> list[str]:
    """Return the lines of an app's log that tell of a deprecated call or an implicit encoding in this project's files."""  # noqa: E501
    kinds = ("EncodingWarning:", "DeprecationWarning:")
    return [
        line for line in log.splitlines()
        if str(ROOT) in line and "site-packages" not in line and any(kind in line for kind in kinds)
    ]  # fmt: skip


@contextlib.contextmanager
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


# the script has run to its end, nothing is a placeholder, every component has drawn itself,
# and so it has stayed for 300 ms; elements are counted in the components' shadow roots too
AT_REST = """() => {
  const all = [...document.querySelectorAll('*')], roots = all.map((e) => e.shadowRoot).filter(Boolean);
  const resting = document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSkeleton], [data-stale=true], .early-panel')
    && roots.length >= document.querySelectorAll('[data-testid^=stBidiComponent]').length
    && roots.every((root) => root.childElementCount);
  const size = roots.reduce((sum, root) => sum + root.querySelectorAll('*').length, all.length);
  if (!resting || size !== window.lastSize) window.restsSince = performance.now();
  window.lastSize = size;
  return resting && performance.now() - window.restsSince >= 300;
}"""


def settle(page) -> None:
    """Wait until the page's script run has ended and what it shows stands."""
    page.evaluate("() => { window.lastSize = undefined }")
    page.wait_for_function(AT_REST, polling=50, timeout=60_000)


# scrolls an element to where no bar of Streamlit's lies over it
CENTRE = "(element) => element.scrollIntoView({ block: 'center', behavior: 'instant' })"


def assert_fits(page) -> None:
    """A page is no wider than its window, and shows no exception."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], page.url
    assert not page.locator("[data-testid=stException]").count(), page.url


def watch(page) -> list[str]:
    """A list that fills with the errors of a page's console, and with what it asks of other machines."""
    errors = []

    def note(message):
        # on a deep link Streamlit looks for its own address first, and logs each miss
        address = (message.location or {}).get("url", "")
        if message.type == "error" and "_stcore" not in address:
            errors.append(f"{message.text} ({address})")

    def leaving(request):
        if not re.match(r"data:|blob:|about:|file:|http://127\.0\.0\.1:", request.url):
            errors.append(f"a request to {request.url}")

    page.on("console", note)
    page.on("request", leaving)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors
