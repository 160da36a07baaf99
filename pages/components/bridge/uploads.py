"""A limit on the files that the server holds in memory for its visitors.

Streamlit limits each file. It keeps all of a session's files until the session ends or its uploader is removed, and a
client may send any number of them.
"""

from __future__ import annotations

import re
from collections import Counter

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

MAX_EACH, MAX_ALL = 160 * 2**20, 512 * 2**20  # bytes of one session's files, and of all sessions'
PATH = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")
REFUSED = "The server holds too many files: remove some of yours, or try again later."


class Uploads:
    """ASGI middleware that refuses a file where those held and those on their way take all the memory there is for
    them."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self.arriving: Counter[str] = Counter()  # bytes, by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = PATH.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        session, size = found[1], _size(Headers(scope=scope).get("content-length", ""))
        held = {session: 0, **bytes_held()}
        mine = held[session] + self.arriving[session] + size
        if mine > MAX_EACH or sum(held.values()) + self.arriving.total() + size > MAX_ALL:
            await PlainTextResponse(REFUSED, 413)(scope, receive, send)
            return
        self.arriving[session] += size
        try:
            await self.app(scope, receive, send)
        finally:
            self.arriving[session] -= size
            if not self.arriving[session]:
                del self.arriving[session]


def bytes_held() -> dict[str, int]:
    """Return the bytes of uploaded files in memory, by session."""
    files = st.runtime.get_instance().uploaded_file_mgr.file_storage
    return {session: sum(len(file.data) for file in list(own.values())) for session, own in list(files.items())}


def _size(length: str) -> int:
    """Return the bytes that a request may bring: those it states, or as many as Streamlit takes."""
    stated = length.isascii() and length.isdigit() and len(length) < 16
    return int(length) if stated else st.get_option("server.maxUploadSize") * 2**20
