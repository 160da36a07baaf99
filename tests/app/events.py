"""Events of browser components in an AppTest, which knows none: what a widget emits reaches the page's callbacks."""

import json

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetState


def emit(app, key, event, value):
    """Run the page as the browser asks it to after the component with this key has emitted an event."""
    component = next(e for e in app.get("bidi_component") if e.proto.id.endswith(f"-{key}"))
    states = app._tree.get_widget_states()
    content = json.dumps([{"event": event, "value": value}])
    states.widgets.append(WidgetState(id=_make_trigger_id(component.proto.id, "events"), json_trigger_value=content))
    return app._run(states)
