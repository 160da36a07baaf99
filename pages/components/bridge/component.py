"""The browser's widgets and channels as Streamlit components."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vae.browser.bundle import bundle

_ENTRY = Path(__file__).with_name("entry.js")  # not a file: the text below, which stands beside streamlit.js


def widget(name: str):
    """Return the component that mounts a widget of vae/browser/widgets. Its data are the widget's props."""
    return _component(name, "widget", "mount", f"/widgets/{name}/{name}.js", isolate_styles=False)


def channel(name: str, module: str):
    """Return the component that passes its data, raw bytes, to a channel of vae/browser ("runtime/model_channel.js").

    It sets "received" to the name of what the channel took.
    """
    return _component(name, "channel", "receive", f"/{module}")


def _component(name: str, kind: str, function: str, module: str, **options):
    text = (
        f"import {{ {function} }} from '{module}';\n"
        f"import {{ {kind} }} from './streamlit.js';\n"
        f"export default {kind}({function});\n"
    )
    return st.components.v2.component(name, js=bundle(_ENTRY, text), **options)
