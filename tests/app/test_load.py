"""A server under load and a full one, with clients that speak Streamlit's protocol, see tests/benchmarks/load.py."""

import asyncio
import gzip

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.components.bridge import actions
from pages.components.shell import places

from ..benchmarks import load
from ..benchmarks.tab import Tab, run

FULL = "This server is full"
SESSIONS, MINUTES, RATE = 20, 2.0, 3.0
MAX_MB = 900 + 5 * SESSIONS  # every page and model, and what a session holds, see README.md of the benchmarks


@pytest.mark.slow
def test_two_minutes_of_load_bring_no_error_and_take_bounded_memory():
    with load.shared_server() as (address, process):
        found = run(load.load([(address, process)], SESSIONS, MINUTES, RATE))
    print(load.COLUMNS, load.row(SESSIONS, 1, MINUTES, RATE, found), sep="\n")
    assert found.errors == []
    assert {*load.ACTIONS, "join"} <= found.seconds.keys() and len(found.actions()) > SESSIONS
    assert max(size for _, size in found.memory) < MAX_MB


@pytest.mark.slow
def test_a_full_server_sends_a_new_visitor_to_the_handout_until_one_leaves():
    async def visits(address):
        async with Tab(address) as first, Tab(address) as waiting:
            await first.open("sliders", load.START)
            async with Tab(address) as second:
                await second.open("sample", load.START)
                await waiting.open("map", load.START)
                assert FULL in waiting.texts and waiting.query == load.START
                await second.turn_to("glossary")
                panel = first.find("live_panel")
                sent = {"model": "mnist-vae-16d", "z": [0.5] * 16, "y": 0, "panel": "test", "commit": 1}
                await first.emit(panel, "commit", sent)
                assert first.props(panel)["z"] == [0.5] * 16, "those who are there go on"
            again = WidgetState(id=waiting.find("full_again"), trigger_value=True)
            for _ in range(50):  # until the server knows that the other has left
                await waiting.rerun(again)
                if FULL not in waiting.texts:
                    break
                await asyncio.sleep(0.1)
            assert "Map" in waiting.texts and waiting.find("scatter")
            _, counted = await first._request("GET", "/metrics")
            assert not first.errors + second.errors + waiting.errors
        return gzip.decompress(counted).decode()

    settings = {places.VARIABLE: "2", places.HANDOUT: "https://example.org/", actions.METRICS: "1"}
    with load.shared_server(**settings) as (address, _):
        counted = run(visits(address))
    for line in ('actions_total{action="release",page="sliders"} 1', "sessions 2", "sessions_refused_total 1"):
        assert f"vae_{line}\n" in counted
