"""The log of actions and their counters: what they count, and that they hold nothing of a visitor."""

import asyncio
import json
import logging

import pytest
from starlette.requests import Request
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.components.bridge import actions

SECRET = "a visitor's text"


@pytest.fixture
def log(monkeypatch):
    """The lines that are logged."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(json.loads(record.getMessage()))
    monkeypatch.setattr(actions._log, "handlers", [handler])
    monkeypatch.setattr(actions._log, "level", logging.INFO)
    monkeypatch.setattr(actions, "counters", actions.Counters())
    monkeypatch.setenv(actions.LOG, "info")
    return lines


def navigation(shown="s"):
    message = ForwardMsg()
    message.navigation.page_script_hash = shown
    for hash, name in (("h", ""), ("s", "sliders"), ("x", SECRET)):
        message.navigation.app_pages.add(page_script_hash=hash, url_pathname=name)
    return message


def picker(model="a model"):
    message = ForwardMsg()
    message.delta.new_element.selectbox.id = f"1{actions.PICKER}"
    message.delta.new_element.selectbox.raw_value = model
    return message


def finished(end=ForwardMsg.FINISHED_SUCCESSFULLY):
    return ForwardMsg(script_finished=end)


def exception():
    message = ForwardMsg()
    message.delta.new_element.exception.message = SECRET
    return message


def message(page="s", event=None, model=None):
    found = BackMsg()
    found.rerun_script.page_script_hash, found.rerun_script.query_string = page, SECRET
    if event:
        content = event if isinstance(event, str) else json.dumps([{"event": event[0], "value": SECRET}])
        found.rerun_script.widget_states.widgets.add(id=f"{SECRET}__events", json_trigger_value=content)
    if model:
        found.rerun_script.widget_states.widgets.add(id=f"1{actions.PICKER}", string_value=model)
    return found


def follow(messages):
    """Pass messages through the middleware, those to the server and those to the browser, in this order."""

    async def app(scope, receive, send):
        for each in messages:
            if isinstance(each, BackMsg):
                await receive()
            else:
                await send({"type": "websocket.send", "bytes": each.SerializeToString()})

    waiting = iter(messages)

    async def receive():
        content = next(each for each in waiting if isinstance(each, BackMsg))
        return {"type": "websocket.receive", "bytes": content.SerializeToString()}

    async def send(sent):
        pass

    asyncio.run(actions.Actions(app)({"type": "websocket"}, receive, send))


JOIN = [message(page=""), navigation(), picker(), finished()]


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        ([message(event=("commit",)), finished()], ("release", "sliders")),
        ([message(event=("own",)), finished()], ("picture", "sliders")),
        ([message(event=(SECRET,)), finished()], ("event", "sliders")),
        ([message(event="[" * 9), finished()], ("event", "sliders")),
        ([message(page="h"), navigation("h"), finished()], ("page", "home")),
        ([message(page="x"), navigation("x"), finished()], ("page", "home")),
        ([message(model="another"), finished()], ("model", "sliders")),
        ([message(model="a model"), finished()], ("widget", "sliders")),
        ([message(), finished(ForwardMsg.FINISHED_EARLY_FOR_RERUN), finished()], ("widget", "sliders")),
    ],
)
def test_an_action_is_one_line_without_anything_of_the_visitor(messages, found, log):
    follow([*JOIN, *messages])
    join, line = log
    assert (join["action"], join["page"]) == ("join", "sliders")
    assert (line["action"], line["page"]) == found and not line["exception"] and line["sessions"] == 1
    assert SECRET not in str(log) and SECRET not in actions.counters.text()


def test_warnings_are_exceptions_and_slow_actions(log, monkeypatch):
    monkeypatch.setenv(actions.LOG, "WARNING")
    follow([*JOIN, message(), exception(), finished(), message(), finished()])
    (line,) = log
    assert line["exception"] and not line["slow"]
    monkeypatch.setattr(actions, "SLOW", 0.0)
    follow(JOIN)
    assert log[-1]["slow"] and log[-1]["action"] == "join"


def test_counters_are_off_unless_asked_for(log, monkeypatch):
    request = Request({"type": "http", "method": "GET", "path": "/metrics", "headers": []})
    assert actions._metrics(request).status_code == 404
    monkeypatch.delenv(actions.LOG)
    follow(JOIN)
    assert not log and not actions.counters.actions, "nobody follows the messages"
    monkeypatch.setenv(actions.METRICS, "1")
    follow([*JOIN, message(event=("commit",)), finished()])
    text = actions._metrics(request).body.decode()
    assert not log and 'vae_actions_total{action="release",page="sliders"} 1\n' in text
    assert 'vae_action_seconds_bucket{action="release",le="+Inf"} 1\n' in text and "vae_sessions 0\n" in text
