"""Tells the browser, with the page itself, what its first picture will need, so that all is fetched at once.

Otherwise it would learn of each file from the one before: Streamlit's script, the page's run, the component, the
widget, the model.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import assets, html_pages

# Streamlit loads these parts of itself when a page first has such an element
PARTS = ("BidiComponent", "Button", "Checkbox", "Html", "Selectbox")
SCRIPTS = Path(st.__file__).parent / "static" / "static" / "js"
IMPORT = re.compile(r'(?:from|import)"\./([^"]+\.js)"')
# that show the first picture
WIDGETS = {
    "": "autoencoder", "home": "autoencoder", "inside": "inside", "sliders": "live_panel", "sample": "point_picture",
    "map": "point_picture",
}  # fmt: skip


class Preload:
    """ASGI middleware that adds a Link header to the pages whose first picture the browser decodes."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = html_pages.page_of(scope)
        if page is None or page not in WIDGETS:
            await self.app(scope, receive, send)
            return

        async def add_links(message: Message) -> None:
            if html_pages.begins(message):
                links = _links(page, scope.get("query_string", b"").decode("latin-1"))
                MutableHeaders(scope=message).append("Link", ", ".join(links))
            await send(message)

        await self.app(scope, receive, add_links)


def _links(page: str, query: str) -> list[str]:
    modules = [f"{assets.BASE}static/js/{name}" for name in _streamlit_scripts()]
    modules += assets.known_modules(WIDGETS[page])
    return [f"<{address}>; rel=modulepreload" for address in modules] + [
        f"<{address}>; rel=preload; as=fetch; crossorigin=anonymous" for address in _model_files(query)
    ]


def _model_files(query: str) -> list[str]:
    """Return the addresses of the files of a link's model; [] before the server has warmed up."""
    if "pages.components.shell.link" not in sys.modules:
        return []
    from ..shell.link import DEFAULT_MODEL

    return assets.known_model_files(parse_qs(query).get("model", [DEFAULT_MODEL])[0])


@lru_cache(maxsize=1)
def _streamlit_scripts() -> list[str]:
    """Return the files of PARTS and what they import, in order, without what the page itself names."""
    index = (SCRIPTS.parents[1] / "index.html").read_text(encoding="utf-8")
    found: dict[str, None] = {}
    waiting = [path.name for part in PARTS for path in sorted(SCRIPTS.glob(f"{part}.*.js"))]
    while waiting:
        name = waiting.pop(0)
        if name not in found and name not in index and (SCRIPTS / name).is_file():
            found[name] = None
            waiting += IMPORT.findall((SCRIPTS / name).read_text(encoding="utf-8"))
    return list(found)
