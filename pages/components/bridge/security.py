"""Headers that confine a page: it loads from this server only, and a setting says which sites may embed it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import html_pages

EMBEDDERS = "VAE_EMBEDDERS"  # sites that may show the app in a frame, "https://moodle.example.org"; "" or * for all
ORIGIN = re.compile(r"'(?:self|none)'|\*|https?://[\w.*-]+(?::(?:\d+|\*))?")
INDEX = Path(st.__file__).parent / "static" / "index.html"
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
POLICY = {
    "default-src": "'self'",
    # blob: Streamlit imports the module of a component from one; wasm-unsafe-eval: the decoder as WebAssembly
    "script-src": "'self' blob: 'wasm-unsafe-eval'",
    # Streamlit and Plotly write style elements and attributes
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' data: blob:",  # pictures that the page itself has made
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
HEADERS = {
    "Referrer-Policy": "same-origin",  # a link holds what a visitor has made
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


class Security:
    """ASGI middleware that adds the headers to the HTML of pages."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self.headers = {"Content-Security-Policy": policy(os.environ.get(EMBEDDERS, "")), **HEADERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                if html_pages.begins(message):
                    headers.update(self.headers)
            await send(message)

        await self.app(scope, receive, add_headers if scope["type"] == "http" else send)


def policy(embedders: str) -> str:
    """Return the content security policy. embedders: origins with spaces between them, "" for every site.

    Raises ValueError for a text that is no origin.
    """
    origins = embedders.split() or ["*"]
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f"{EMBEDDERS} must hold origins such as https://moodle.example.org, not {origin!r}")
    scripts = " ".join((POLICY["script-src"], *_inline_scripts()))
    parts = {**POLICY, "script-src": scripts, "frame-ancestors": " ".join(origins)}
    return "; ".join(f"{name} {value}" for name, value in parts.items())


@lru_cache(maxsize=1)
def _inline_scripts() -> list[str]:
    """Return the hashes of the scripts that stand in Streamlit's own page."""
    texts = INLINE.findall(INDEX.read_text(encoding="utf-8"))
    return [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts]
