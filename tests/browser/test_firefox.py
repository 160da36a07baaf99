"""The pages that compute in the browser, in Firefox: opened, dragged on, drawn on."""

import os
import re

import numpy as np
import pytest

from .firefox import FIREFOX, firefox
from .layout import address_of

pytestmark = pytest.mark.slow

LINE = "() => location.search"


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "resist-fingerprinting"])
def tab(request):
    """A tab. With privacy.resistFingerprinting, as in Tor and LibreWolf, a canvas is read as noise."""
    if FIREFOX is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Firefox: .ci/run must install it")
        pytest.skip("no Firefox on this machine")
    with firefox(**{"privacy.resistFingerprinting": request.param}) as tab:
        yield tab


@pytest.fixture(autouse=True)
def empty_console(tab):
    tab.errors.clear()
    yield
    assert not tab.errors
    assert not tab.evaluate("() => document.querySelectorAll('[data-testid=stException]').length")


def shows_something(tab, selector):
    """Return the picture of an element, which is not of one colour."""
    picture = tab.picture(selector)
    assert picture.std() > 5, f"{selector} is empty"
    return picture


def differ(a, b):
    """Whether two pictures of an element differ by more than the noise of resampling."""
    return a.shape != b.shape or np.abs(a.astype(float) - b).mean() > 1


def test_home_draws_its_autoencoder(tab, address):
    tab.open(address_of(address, "home"))
    before = shows_something(tab, "canvas")
    assert before.size


def test_a_slider_is_dragged(tab, address):
    tab.open(address_of(address, "sliders", "model=mnist-vae-2d&z=0,0"))
    before, link = shows_something(tab, "canvas.picture"), tab.evaluate(LINE)
    tab.stroke(".panel input[type=range]", [(0.5, 0.5), (0.6, 0.5), (0.75, 0.5), (0.85, 0.5)])
    moved = tab.until("(link) => location.search !== link && location.search", link)
    assert float(re.search(r"z=([-.\d]+)", moved)[1]) > 0.5
    tab.settle()
    assert differ(before, tab.picture("canvas.picture"))


def test_the_map_takes_a_click(tab, address):
    tab.open(address_of(address, "map", "model=mnist-vae-2d"))
    tab.until("() => window.latentSpaceExplorer?.models.size > 0")
    shows_something(tab, "canvas.dots")
    link = tab.evaluate(LINE)
    tab.stroke("canvas.over", [(0.45, 0.55)])
    tab.until("(link) => location.search !== link", link)
    tab.settle()


def test_a_digit_is_drawn_on_inside(tab, address):
    tab.open(address_of(address, "inside", "model=mnist-vae-2d"))
    before = shows_something(tab, "canvas.x_hat")
    tab.stroke("canvas.pad", [(0.5, 0.1), (0.5, 0.35), (0.5, 0.6), (0.5, 0.9)])
    tab.until("() => true")
    for _ in range(50):
        if differ(before, tab.picture("canvas.x_hat")):
            break
        tab.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert differ(before, shows_something(tab, "canvas.x_hat"))


def test_interpolate_shows_its_steps_and_takes_a_drawing(tab, address):
    tab.open(address_of(address, "interpolate", "model=mnist-vae-16d"))
    before = shows_something(tab, ".picture")
    assert before.size
