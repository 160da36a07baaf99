"""Events of browser components in an AppTest, which knows none: what a widget emits reaches the page's callbacks."""

import base64
import json
from urllib.parse import parse_qsl

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetState


def emit(app, key, event, value):
    """Run the page as the browser asks it to after the component with this key has emitted an event."""
    component = next(e for e in app.get("bidi_component") if e.proto.id.endswith(f"-{key}"))
    states = app._tree.get_widget_states()
    content = json.dumps([{"event": event, "value": value}])
    states.widgets.append(WidgetState(id=_make_trigger_id(component.proto.id, "events"), json_trigger_value=content))
    return app._run(states)


def own_picture(pixels, data="mnist", **fields):
    """What the picture component sends for the visitor's picture, pixels (C, H, W) uint8."""
    x = base64.b64encode(pixels.tobytes()).decode()
    return {"data": data, "id": "own-1", "name": "photo.jpg", "x": x, "found": True, "inverted": False, "plain": False,
            "candidate": 0, "restored": False, **fields}  # fmt: skip


def send_picture(app, key, pixels, **fields):
    """Choose the visitor's picture where image_input has this key."""
    emit(app, f"{key}_picture", "own", own_picture(pixels, **fields))
    assert not app.exception, app.exception
    return app


def written_link(app):
    """Return the query parameters that the last run of app.py wrote to the address bar."""
    (entry,) = [e for e in app.get("bidi_component") if e.proto.id.endswith("-history_link")]
    return dict(parse_qsl(json.loads(json.loads(entry.proto.json)["props"])["query"]))
