import contextlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from .app_server import assert_fits, running_app, watch
from .handouts import handout as handout
from .handouts import opened


def pytest_collection_modifyitems(items):
    """A real browser on a crowded machine may stumble: one more try, which the summary names."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def context(browser):
    """One browser profile for the tabs of all tests, so that Streamlit's scripts are fetched and compiled once."""
    return browser.new_context(viewport={"width": 1440, "height": 900})


@pytest.fixture(scope="session")
def first_visit(context):
    """A fresh server's address, and the tab that was its first visitor, by a deep link."""
    with running_app() as address:
        page = context.new_page()
        errors = watch(page)
        page.goto(f"{address}/sliders?model=mnist-vae-2d&z=0.5,-0.5")
        yield SimpleNamespace(address=address, page=page, errors=errors)
        page.close()  # a server waits for its visitors


@pytest.fixture(scope="session")
def address(first_visit):
    return first_visit.address


@pytest.fixture
def page(context, address):
    """A new tab, which is a new session of the app. The test fails on errors in its console, on requests to other
    machines and where its last page is wider than the window."""
    page = context.new_page()
    errors = watch(page)
    yield page
    try:
        assert_fits(page)
    finally:
        page.close()
    assert not errors


@pytest.fixture
def open_view(browser, handout):
    """A function that opens the handout at a view, "map?model=...", without a network: see opened()."""
    with contextlib.ExitStack() as stack:
        yield lambda view, **options: stack.enter_context(opened(browser, handout, f"#{view}", **options))
