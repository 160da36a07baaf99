"""The first panel of a page, which works while Streamlit is still loading.

The HTML of such a page gets one more script: it fetches what a link shows, mounts the panel, and gives way to the
page's own panel as soon as that is painted (early.js). Both share the model that the browser has fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vae.browser.bundle import bundle
from vae.browser.messages import without_nan

from . import assets, html_pages

_ENTRY = Path(__file__).with_name("entry.js")  # not a file: the text below, which stands beside early.js
SCRIPT = b'<script type="module"'  # Streamlit's own, before which this one begins
BASES = ("light", "dark")
COLOURS = ("primaryColor", "backgroundColor", "secondaryBackgroundColor", "textColor", "borderColor")
_props: dict[str, tuple[str, str]] = {}  # page -> (widget, module with `props`)


def register(page: str, widget: str, module: str) -> None:
    """Give a page an early panel.

    widget: a name of vae/browser/widgets. module: imported at the first request; its function props(parameters)
    returns what the widget shows of a link's query parameters, None where a session is needed to say.
    """
    _props[page] = widget, module


@lru_cache
def module(page: str) -> str:
    """Return the address of a page's script."""
    widget, _ = _props[page]
    colours = {
        f"--{_dashed(name)}": f"light-dark({', '.join(st.get_option(f'theme.{base}.{name}') for base in BASES)})"
        for name in COLOURS
    }
    options = {"widget": widget, "address": f"{assets.PREFIX}/early/{page}", "colours": colours}
    text = (
        f"import {{ mount }} from '/widgets/{widget}/{widget}.js';\n"
        "import { begin } from './early.js';\n"
        f"begin(mount, {json.dumps(options)});\n"
    )
    return assets.module_address(f"early_{page}", bundle(_ENTRY, text))


def _dashed(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


def _answer(request: Request) -> Response:
    from ..shell import places

    page = request.path_params["page"]
    if page not in _props:
        return Response(status_code=404)
    if places.is_full():  # the page will say so
        return Response(status_code=204)
    find: Callable[[Mapping[str, str]], dict | None] = import_module(_props[page][1]).props
    found = find(dict(request.query_params))
    if found is None:
        return Response(status_code=204)
    return JSONResponse(without_nan(found), headers={"Cache-Control": "no-store"})


class Early:
    """ASGI middleware that adds the script to the HTML of the pages that have an early panel."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = html_pages.page_of(scope)
        if page is None or page not in _props or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        # without compression, and in full: the browser's copy may lack the script, or have an older one
        left_out = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")
        scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in left_out]}
        start: Message | None = None
        body = b""

        async def add_script(message: Message) -> None:
            nonlocal start, body
            if html_pages.begins(message) and message["status"] == 200:
                start = message
            elif start is not None and message["type"] == "http.response.body":
                body += message.get("body", b"")
                if not message.get("more_body"):
                    address = await run_in_threadpool(module, page)
                    script = f'<script type="module" async src="{address}"></script>\n    '.encode()
                    content = body.replace(SCRIPT, script + SCRIPT, 1)
                    MutableHeaders(scope=start)["content-length"] = str(len(content))
                    await send(start)
                    await send({"type": "http.response.body", "body": content})
            else:
                await send(message)

        await self.app(scope, receive, add_script)


ROUTES = [Route(f"{assets.PREFIX}/early/{{page}}", _answer)]
