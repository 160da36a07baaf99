"""Handouts for browser tests: one HTML file, opened from disk without a network."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from vae import lessons
from vae.browser.handout import handout

MODELS = ("mnist-vae-16d", "rooms-ada", "rooms-vae")


def write(folder: Path, models: tuple[str, ...] = MODELS) -> Path:
    """Write a handout of these models with the lesson "kl"."""
    path = folder / "explorer.html"
    path.write_text(handout(models, {"kl": lessons.read()[0]["kl"]}), encoding="utf-8")
    return path


@contextlib.contextmanager
def opened(browser, path: Path, place: str = "", width: int = 1440, height: int = 900, **options) -> Iterator:
    """Open a handout at a place ("#map?model=rooms-ada") in a profile without a network.

    Fails on errors in the console, on any request and where the page is wider than its window. From 390 px with touch.
    """
    if width < 500:
        options = {"has_touch": True, "is_mobile": True, **options}
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)
    page, errors = context.new_page(), []

    def leaving(request):
        if not request.url.startswith(("data:", "blob:", path.as_uri())):
            errors.append(f"a request to {request.url}")

    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", leaving)
    page.goto(path.as_uri() + place)
    page.wait_for_selector("h2, [role=alert]:not([hidden])")
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert not errors
