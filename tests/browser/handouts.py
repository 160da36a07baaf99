"""A handout that the browser tests open as a visitor would: a file, without a network."""

import contextlib

import pytest

from vae.browser.handout import handout as make_handout

from .app_server import assert_fits, watch

MODELS = ("mnist-vae-16d", "rooms-ada", "rooms-vae")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="session")
def handout(tmp_path_factory):
    """The address of a handout with MODELS."""
    path = tmp_path_factory.mktemp("handout") / "explorer.html"
    path.write_text(make_handout(MODELS), encoding="utf-8")
    return path.as_uri()


@contextlib.contextmanager
def opened(browser, address, place="", **options):
    """A page of a handout at a place ("#map?model=..."). It must fit its window, log no error and ask for nothing."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "offline": True, **options})
    page = context.new_page()
    errors = watch(page)
    page.goto(address + place)
    page.locator("h2").first.wait_for()
    try:
        yield page
        assert_fits(page)
    finally:
        context.close()
    assert not errors
