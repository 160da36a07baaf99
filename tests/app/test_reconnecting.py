"""A browser's first message on a connection runs the whole page, later ones the fragments that they name."""

import asyncio

from streamlit.proto.BackMsg_pb2 import BackMsg

from pages.components.bridge.reconnecting import Reconnecting


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
