"""The cookie by which the server knows a browser again after a reload, see shell/visitors.py."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..shell.cookie import COOKIE, COOKIE_VALUE
from . import html_pages
from .assets import BASE


class Visitor:
    """ASGI middleware that gives each browser a random cookie with its first page. It ends with the browser."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or COOKIE_VALUE.fullmatch(_cookie(scope)):
            await self.app(scope, receive, send)
            return

        async def add_cookie(message: Message) -> None:
            if html_pages.begins(message):
                secure = "; Secure" if scope.get("scheme") == "https" else ""
                value = f"{COOKIE}={secrets.token_urlsafe(24)}; Path={BASE}; HttpOnly; SameSite=Lax{secure}"
                MutableHeaders(scope=message).append("Set-Cookie", value)
            await send(message)

        await self.app(scope, receive, add_cookie)


def _cookie(scope: Scope) -> str:
    """Return the value of the cookie that a request has sent; "" for none."""
    for name, value in scope["headers"]:
        if name == b"cookie" and (found := cookie_parser(value.decode("latin-1")).get(COOKIE)):
            return found
    return ""
