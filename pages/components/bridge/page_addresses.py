"""Finds the page that a damaged address means: /Sliders, /sliders). and /sliders%3Fmodel=... are all Sliders."""

from __future__ import annotations

import re

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..shell.navigation import DEFAULT_PAGE, page_files
from .assets import BASE


class PageAddresses:
    """ASGI middleware that redirects a request for a page under another spelling to the page."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and path.startswith(BASE):
            found = page_address(path.removeprefix(BASE), scope.get("query_string", b"").decode("latin-1"))
            if found is not None:
                await RedirectResponse(BASE + found, 307)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def page_address(path: str, query: str) -> str | None:
    """Return the address "sliders?z=1" of the page that a path and a query mean.

    None for a path that is right, and for one that means no page.
    """
    name, _, inner = path.partition("?")
    word = re.match(r"[\s/]*([A-Za-z_]+)[^A-Za-z0-9_]*$", name)
    if word is None:
        return None
    found = word[1].lower()
    if found not in {file.stem for file in page_files()} or path == found != DEFAULT_PAGE:
        return None
    queries = "&".join(part for part in (inner, query) if part)
    return ("" if found == DEFAULT_PAGE else found) + (f"?{queries}" if queries else "")
