"""The HTML of a page, as the middlewares see it that add to it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Message, Scope


def page_of(scope: Scope) -> str | None:
    """Return the page that a request asks for, "" for Home; None for no HTTP request."""
    return scope.get("path", "").rstrip("/").rpartition("/")[2] if scope["type"] == "http" else None


def begins(message: Message) -> bool:
    """Return whether an HTML response begins with a message."""
    return message["type"] == "http.response.start" and Headers(raw=message["headers"]).get(
        "content-type", ""
    ).startswith("text/html")
