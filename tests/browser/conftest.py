import os
from pathlib import Path

import pytest

from .app_server import CHROMIUM, chromium, running_app, watch


def pytest_collection_modifyitems(items):
    """A real browser on a crowded machine may stumble: one more try, which the summary names."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def address():
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Chromium: .ci/run must install it")
        pytest.skip("no Chromium on this machine: browser tests are left out")
    with running_app() as address:
        yield address


@pytest.fixture(scope="session")
def browser(address):
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser):
    """A fresh browser profile's page; the test fails on errors in its console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors = watch(page)
    yield page
    context.close()
    assert not errors
