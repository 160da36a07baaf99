"""A browser whose server has gone comes back to a session that knows nothing: the page begins again from its link.

After a restart, or with another replica, the new session has run nothing. Files cannot be uploaded to it. Where the
browser's next message asks for a part of the page (a fragment), Streamlit ignores that message and every later one.
"""

from __future__ import annotations

import streamlit as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DAY = 86_400  # seconds


@st.fragment(run_every=DAY)
def rerun_when_reconnected() -> None:
    """Show nothing. A browser that reconnects reruns the page at once where something on it runs at intervals, and
    otherwise only at the visitor's next action."""


class Reconnecting:
    """ASGI middleware that makes the first run that a connection asks for a run of the whole page."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        has_run = False

        async def receive_whole() -> Message:
            nonlocal has_run
            message = await receive()
            if not has_run and message["type"] == "websocket.receive" and message.get("bytes"):
                content, has_run = whole_page(message["bytes"])
                message = {**message, "bytes": content}
            return message

        await self.app(scope, receive_whole, send)


def whole_page(content: bytes) -> tuple[bytes, bool]:
    """Return a message from a browser without the fragment that it asks for, and whether it asks for a run."""
    from google.protobuf.message import DecodeError
    from streamlit.proto.BackMsg_pb2 import BackMsg

    message = BackMsg()
    try:
        message.ParseFromString(content)
    except DecodeError:  # Streamlit will refuse it
        return content, False
    if message.WhichOneof("type") != "rerun_script":
        return content, False
    if not message.rerun_script.fragment_id:
        return content, True
    message.rerun_script.fragment_id = ""
    return message.SerializeToString(), True
