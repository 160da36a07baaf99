"""The browser's widgets and channels as Streamlit components."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from vae.browser.bundle import INCOMPLETE, bundle
from vae.browser.messages import without_nan

from . import assets
from .rerun import unless_removed

_ENTRY = Path(__file__).with_name("entry.js")  # not a file: the text below, which stands beside streamlit.js


def widget(name: str):
    """Return the component that mounts a widget of vae/browser/widgets. Its data are the widget's props, a dict."""
    component = _component(name, "widget", "mount", f"/widgets/{name}/{name}.js", isolate_styles=False)

    def mount(*, data: dict, **options):
        options = {key: unless_removed(value) if key.startswith("on_") else value for key, value in options.items()}
        # as text, because among lists Streamlit looks for dataframes, and imports pandas for that
        return component(data={"props": json.dumps(without_nan(data), allow_nan=False)}, **options)

    return mount


def channel(name: str, module: str):
    """Return the component that passes its data, raw bytes, to a channel of vae/browser ("runtime/answer_channel.js").

    It sets "received" to the name of what the channel took.
    """
    return _component(name, "channel", "receive", f"/{module}")


def _component(name: str, kind: str, function: str, module: str, **options):
    text = (
        f"import {{ {function} }} from '{module}';\n"
        f"import {{ {kind} }} from './streamlit.js';\n"
        f"export default {kind}({function}, {json.dumps(name)});\n"
    )
    address = assets.module_address(name, bundle(_ENTRY, text))
    return st.components.v2.component(name, js=_loader(address), **options)


def _loader(address: str) -> str:
    """Return the module that Streamlit sends: it fetches the component's own, which the browser keeps."""
    return f"""let component;
try {{
  ({{ default: component }} = await import(new URL({json.dumps(address)}, location.origin)));
}} catch (error) {{
  component = ({{ parentElement }}) => {{
    parentElement.textContent = {json.dumps(INCOMPLETE)} + ' (' + error.message + ')';
  }};
}}
export default component;
"""
