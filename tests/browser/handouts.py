"""Handouts as a visitor opens them: one HTML file from disk, without a network."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from vae import lessons
from vae.browser.handout import handout as make_handout

from .app_server import assert_fits

MODELS = ("mnist-vae-16d", "rooms-ada", "rooms-vae")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LESSON = Path(__file__).parents[1] / "lessons/example.toml"


@pytest.fixture(scope="session")
def handout(tmp_path_factory) -> Path:
    """A handout with MODELS and the lesson of tests/lessons."""
    path = tmp_path_factory.mktemp("handout") / "explorer.html"
    path.write_text(make_handout(MODELS, {"kl": lessons.read_lesson(LESSON)}), encoding="utf-8")
    return path


@contextlib.contextmanager
def opened(browser, handout: Path, place: str = "", **options) -> Iterator:
    """Open a handout at a place ("#map?model=..."). It must fit its window, log no error and ask for
    nothing. options: of the browser's context, such as PHONE."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "offline": True, **options})
    page, errors = context.new_page(), []

    def leaving(request):
        if not request.url.startswith(("data:", "blob:", handout.as_uri())):
            errors.append(f"a request to {request.url}")

    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", leaving)
    page.goto(handout.as_uri() + place)
    page.locator("h2").first.wait_for()
    try:
        yield page
        assert_fits(page)
    finally:
        context.close()
    assert not errors
