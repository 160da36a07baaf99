"""The server connects to no other machine: whatever it and its processes ask of the network is recorded."""

import os
import subprocess
import sys

import pytest

from ..benchmarks.tab import Tab, run
from ..browser.app_server import settle
from ..browser.panel import until
from ..browser.test_train import open_train, training
from ..faults.servers import Server, press

pytestmark = pytest.mark.slow
# Python imports this module when it starts, also in the processes that the server starts.
RECORDER = """
import os, socket, sys
def record(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
        with open(os.environ["CONNECTIONS"], "a", encoding="utf-8") as file:
            file.write(f"{event} {address[0] if isinstance(address, tuple) else address}\\n")
sys.addaudithook(record)
"""
LOCAL = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "None", "/")  # and sockets that are files


async def walk(address):
    async with Tab(address) as tab:
        await tab.open("sliders", "model=mnist-vae-16d")
        for page in tab.pages:
            for query in ("", "model=rooms-btcvae", "model=mnist-vqvae"):
                await tab.go_back_to(page, query)
        assert not tab.errors


def test_the_server_connects_to_no_other_machine(tmp_path, browser):
    (tmp_path / "sitecustomize.py").write_text(RECORDER, encoding="utf-8")
    connections = tmp_path / "connections"
    with Server(PYTHONPATH=str(tmp_path), CONNECTIONS=str(connections), VAE_SHARED="1") as server:
        run(walk(f"http://{server.address}"))
        page = browser.new_page()
        open_train(page, f"http://{server.address}")
        settle(page)
        press(page, "Start training")
        until(page, lambda: training(page)["phase"] == "running" and len(training(page)["steps"]) > 1, 150)
        page.close()
        # shows that connections are recorded
        own = f"import socket; socket.create_connection(('127.0.0.1', {server.port}))"
        subprocess.run([sys.executable, "-c", own], env={**os.environ, **server.environment}, check=True)
    found = connections.read_text(encoding="utf-8").splitlines()
    assert "socket.connect 127.0.0.1" in found
    elsewhere = {line for line in found if not line.split(" ", 1)[1].startswith(LOCAL)}
    assert not elsewhere
