"""A browser's first message on a connection runs the whole page, later ones the fragments that they name. Its link
outlives the session."""

import asyncio
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.testing.v1 import AppTest

from pages.components.bridge.reconnecting import Reconnecting

from .events import emit

ROOT = Path(__file__).parents[2]


def message(**fields):
    return {"type": "websocket.receive", "bytes": BackMsg(**fields).SerializeToString()}


def run(fragment):
    found = BackMsg()
    found.rerun_script.query_string = "z=1"
    found.rerun_script.fragment_id = fragment
    return {"type": "websocket.receive", "bytes": found.SerializeToString()}


def test_only_the_first_run_of_a_connection_is_of_the_whole_page():
    sent = [
        {"type": "websocket.connect"}, message(load_git_info=True), run("abc"), run("abc"),
        {"type": "websocket.disconnect"},
    ]  # fmt: skip
    seen = []

    async def app(scope, receive, send):
        for _ in sent:
            seen.append(await receive())

    waiting = iter(sent)

    async def receive():
        return next(waiting)

    asyncio.run(Reconnecting(app)({"type": "websocket"}, receive, None))
    assert [seen[i] for i in (0, 1, 3, 4)] == [sent[i] for i in (0, 1, 3, 4)]
    first = BackMsg.FromString(seen[2]["bytes"]).rerun_script
    assert first.fragment_id == "" and first.query_string == "z=1"


def test_a_damaged_message_is_passed_on():
    seen = []

    async def app(scope, receive, send):
        seen.extend([await receive(), await receive()])

    waiting = iter([{"type": "websocket.receive", "bytes": b"\xff\xff\xff"}, run("abc")])

    async def receive():
        return next(waiting)

    asyncio.run(Reconnecting(app)({"type": "websocket"}, receive, None))
    assert seen[0]["bytes"] == b"\xff\xff\xff"
    assert BackMsg.FromString(seen[1]["bytes"]).rerun_script.fragment_id == ""


def reconnected(query):
    """The app after a browser has sent its tab's link. AppTest runs app.py once: then callbacks run, not pages."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=120).run()
    emit(app, "history_link", "reconnected", query)
    assert not app.exception, app.exception
    return app.session_state


def test_another_session_goes_on_from_the_link_of_the_tab():
    s = reconnected("?model=mnist-cvae&z=1%2C2%2C3%2C4%2C5%2C6%2C7%2C8&y=3&lesson=codes.1")
    assert (s["model"], s["z"], s["y"]) == ("mnist-cvae", (1, 2, 3, 4, 5, 6, 7, 8), 3)
    assert s["pending_parameters"] == {"lesson": "codes.1"}


@pytest.mark.parametrize("damaged", [7, None, "?" + "&" * 20_000, "?model=../../x&z=nan&seed=\0"])
def test_a_link_that_means_nothing_shows_the_usual_model(damaged):
    assert reconnected(damaged)["model"] == "mnist-vae-2d"
