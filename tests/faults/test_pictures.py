"""Thirty visitors who send a large picture at once: all are answered, and memory holds."""

import asyncio
import base64
import io

import numpy as np
import psutil
import pytest
from PIL import Image

from ..benchmarks.load import megabytes
from ..benchmarks.tab import Tab, run
from .servers import Server

pytestmark = pytest.mark.slow
VISITORS = 30
SIZE = (4000, 3000)  # pixels, 12 megapixels
MAX_ADDED = 400  # MB, at the highest


def photograph(number):
    """A JPEG of 12 megapixels, as a phone makes it: smooth, with grain."""
    rng = np.random.default_rng(number)
    small = Image.fromarray(rng.integers(0, 256, (30, 40, 3), np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
    content = io.BytesIO()
    small.save(content, "JPEG", quality=92)
    return content.getvalue()


async def send(tab, content):
    """Send a file that the browser cannot prepare itself. Returns what the server answers."""
    picture = tab.find("interpolate_A_picture")
    sent = {"id": "file-1", "name": "photo.jpg", "content": base64.b64encode(content).decode()}
    await tab.emit(picture, "file", sent)
    return tab.props(tab.find("interpolate_A_picture"))["answer"]


async def all_at_once(address, process, contents):
    """Return the answers, and the highest memory above that of the idle server in MB."""
    tabs = [Tab(address) for _ in contents]
    for tab in tabs:
        await tab.open("interpolate", "model=mnist-vae-2d")
    before, highest = megabytes(process), 0.0

    async def watch():
        nonlocal highest
        while True:
            highest = max(highest, megabytes(process))
            await asyncio.sleep(0.05)

    watching = asyncio.ensure_future(watch())
    answers = await asyncio.gather(*(send(tab, content) for tab, content in zip(tabs, contents, strict=True)))
    watching.cancel()
    for tab in tabs:
        await tab.turn_to("sliders")
        assert not tab.errors and tab.find("live_panel"), tab.errors
        await tab.__aexit__()
    return answers, highest - before


def test_thirty_large_pictures_at_once():
    contents = [photograph(number) for number in range(VISITORS)]
    contents[7] = contents[7][: len(contents[7]) // 2]
    with Server(VAE_SHARED="1", VAE_SESSIONS="off") as server:
        process = psutil.Process(server.process.pid)
        answers, added = run(all_at_once(f"http://{server.address}", process, contents))
    print(f"{VISITORS} pictures of {len(contents[0]) / 1e6:.1f} MB: {added:.0f} MB more at the highest")
    assert "damaged" in answers[7]["error"]
    assert all(answer["error"] == "" and answer["width"] == 1024 for i, answer in enumerate(answers) if i != 7)
    assert added < MAX_ADDED
