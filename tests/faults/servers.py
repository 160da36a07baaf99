"""Servers that tests kill, stop and start again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from ..browser.app_server import ROOT, free_port
from ..browser.panel import wait_for_another_z, z_in_url


def wait_for(address: str):
    """Wait until an address answers."""
    for _ in range(240):
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(address, timeout=2)
        time.sleep(0.25)
    raise RuntimeError(f"{address} does not answer")


class Server:
    """An app on a port of its own, which can be killed and started again."""

    def __init__(self, folder: Path = ROOT, **environment: str):
        """folder: that of app.py. environment: variables beside those of this process."""
        self.port, self.folder, self.environment = free_port(), folder, environment
        self.process: subprocess.Popen | None = None
        self.log = tempfile.TemporaryFile()  # a pipe that nobody reads would fill and stop the app

    @property
    def address(self) -> str:
        """The host and the port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true", "--server.address",
            "127.0.0.1", "--server.port", str(self.port),
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(self.folder), **self.environment}
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=self.log, stderr=subprocess.STDOUT
        )
        wait_for(f"http://{self.address}/_stcore/health")

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.runs:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self.log.close()


# ---- what a visitor does and sees


def no_exception(page) -> None:
    assert not page.locator("[data-testid=stException]").count(), page.locator(
        "[data-testid=stException]"
    ).inner_text()


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def moves_a_slider(page) -> None:
    """Move the panel's first slider by a key, and wait until the server has taken it."""
    before = z_in_url(page)
    slider = page.locator(".st-key-live_panel input[type=range]").first
    slider.focus()
    slider.press("ArrowLeft")
    wait_for_another_z(page, before)
    no_exception(page)
