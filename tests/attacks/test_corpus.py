"""Each attack of the corpus against a running server: one sentence at most, no code run, no file written or read, and
the next action works."""

import asyncio
import io
import zipfile

import pytest
import websockets

from vae import project
from vae.store import Store

from .. import own_model
from ..benchmarks.tab import run
from .corpus import LINKS, MESSAGES, PICTURES, PROJECTS, REQUESTS, ZIPS, zipped
from .visitor import stranger

pytestmark = pytest.mark.slow
MAX_ADDED = 200  # MB, with the models of project files that can be used


@pytest.fixture(scope="module")
def visitor():
    with stranger() as visitor:
        visitor.still_works()
        before = visitor.megabytes()
        yield visitor
        assert visitor.megabytes() - before < MAX_ADDED


@pytest.fixture(autouse=True)
def goes_on(visitor):
    """After an attack the server works, no text of the page holds markup of the attack or of another file."""
    yield
    for text in visitor.tab.texts:
        assert "<img src=x" not in text and "root:x:0" not in text and "](javascript:" not in text, text
    visitor.still_works()


@pytest.mark.parametrize("what", LINKS)
def test_link(visitor, what):
    visitor.open_link(*LINKS[what])


@pytest.mark.parametrize("what", PICTURES)
def test_picture(visitor, what):
    visitor.send_picture(PICTURES[what]())


@pytest.mark.parametrize("page, key", [("map", "map_files"), ("train", "train_files")])
@pytest.mark.parametrize("what", ZIPS)
def test_zip(visitor, what, page, key):
    visitor.upload(page, key, "images.zip", ZIPS[what]())


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """The members of a whole project file."""
    folder = tmp_path_factory.mktemp("own")
    own_model.make(folder)
    with zipfile.ZipFile(io.BytesIO(project.write(Store([folder]), "mine"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("what", PROJECTS)
def test_project(visitor, what, members, tmp_path):
    evidence = tmp_path / "evidence"
    texts = visitor.upload("", "home_open", "mine.vae.zip", zipped(PROJECTS[what](members, evidence).items()))
    visitor.shown = ""
    assert not evidence.exists()
    print(what, [text for text in texts if "cannot be opened" in text])


@pytest.mark.parametrize("what", MESSAGES)
def test_message(visitor, what):
    assert visitor.send(*MESSAGES[what])


@pytest.mark.parametrize("what", REQUESTS)
def test_request(visitor, what):
    method, path, options, statuses = REQUESTS[what]
    line = visitor.request(method, path, **options)
    assert int(line.split()[1]) in statuses, line


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff" * 10**6, "text"])
def test_websocket_that_speaks_no_protocol(visitor, content):
    async def speak():
        async with websockets.connect(
            f"ws://{visitor.tab.host}/_stcore/stream", origin=f"http://{visitor.tab.host}", subprotocols=["streamlit"]
        ) as socket:
            await socket.send(content)
            await asyncio.sleep(0.3)

    run(speak())


def test_websocket_of_another_site_is_refused(visitor):
    async def connect():
        async with websockets.connect(
            f"ws://{visitor.tab.host}/_stcore/stream", origin="https://evil.example", subprotocols=["streamlit"]
        ):
            pass

    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        run(connect())
