"""A server that is full: a new session is told so, those that are there go on, and one that leaves makes room."""

import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from pages.components.bridge import early
from pages.components.shell import places, visitors
from tests.app.test_pages import ROOT

FULL = "This server is full"


@pytest.fixture
def connected(monkeypatch):
    """Two sessions on a server that holds two."""
    connected = {"one", "two"}
    monkeypatch.setattr(places, "_taken", {*connected})
    monkeypatch.setattr(visitors, "is_connected", connected.__contains__)
    monkeypatch.setenv(places.VARIABLE, "2")
    return connected


def app():
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)


def test_a_new_session_waits_for_a_place_and_then_keeps_it(connected, monkeypatch):
    monkeypatch.setenv(places.HANDOUT, "https://example.org/handout/")
    waiting = app()
    waiting.query_params["model"] = "mnist-vae-16d"
    waiting.run()
    assert not waiting.exception and [title.value for title in waiting.title] == [FULL]
    assert "No place is free." in waiting.markdown[0].value
    assert waiting.get("link_button")[0].proto.url == "https://example.org/handout/"
    before = places.refused
    waiting.button(key="full_again").click().run()
    assert [title.value for title in waiting.title] == [FULL] and places.refused == before, "it is counted once"
    connected.remove("one")
    waiting.button(key="full_again").click().run()
    assert not waiting.exception and FULL not in [title.value for title in waiting.title]
    assert waiting.session_state.model == "mnist-vae-16d", "its link is as it was"
    connected.add("three")
    places._taken.update(connected)
    waiting.run()
    assert FULL not in [title.value for title in waiting.title], "a session that has had a place goes on"


def test_a_full_server_without_a_site_offers_a_handout(connected):
    waiting = app().run()
    (button,) = [found.proto for found in waiting.get("download_button")]
    assert button.label == "Handout (HTML)" and not waiting.get("link_button")
    request = Request({"type": "http", "path_params": {"page": "sliders"}, "query_string": b"", "headers": []})
    assert early._answer(request).status_code == 204, "no early panel, which would cover the page"


@pytest.mark.parametrize(
    ("value", "found"),
    [("", places.DEFAULT), ("60", 60), (" 7 ", 7), ("off", None), ("0", places.DEFAULT), ("many", places.DEFAULT)],
)
def test_the_limit(value, found, monkeypatch):
    monkeypatch.setenv(places.VARIABLE, value)
    assert places.limit() == found
