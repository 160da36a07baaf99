"""The pages that compute in the browser, in Firefox: opened, dragged on, drawn on."""

import os
import time

import numpy as np
import pytest

from .firefox import FIREFOX, TIMEOUT, firefox
from .layout import address_of

pytestmark = pytest.mark.slow

FIRST_STEP = ".grid[aria-label='interpolation in latent space'] .picture"  # on Interpolate: image A's reconstruction


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "resist-fingerprinting"])
def tab(request):
    """A tab. With privacy.resistFingerprinting, as in Tor and LibreWolf, a page reads its canvas as noise."""
    if FIREFOX is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Firefox: .ci/run must install it")
        pytest.skip("no Firefox on this machine")
    with firefox(**{"privacy.resistFingerprinting": request.param}) as tab:
        yield tab


@pytest.fixture(autouse=True)
def without_errors(tab):
    """The console stays empty, and the page shows no exception."""
    tab.errors.clear()
    yield
    assert not tab.errors
    assert not tab.evaluate("() => document.querySelectorAll('[data-testid=stException]').length")


def picture(tab, selector):
    """Return what the screen shows of an element, once that is not of one colour."""
    return until(lambda: tab.picture(selector), lambda seen: seen.std() > 5, f"{selector} stays empty")


def changes(tab, selector, before):
    """Wait until an element looks different by more than the noise of a screenshot."""

    def differs(seen):
        return seen.shape != before.shape or np.abs(seen.astype(float) - before).mean() > 1

    until(lambda: tab.picture(selector), differs, f"{selector} stays as it was")


def until(look, holds, otherwise):
    end = time.monotonic() + TIMEOUT
    while not holds(seen := look()):
        assert time.monotonic() < end, otherwise
        time.sleep(0.2)
    return seen


def z_in_url(tab):
    return tab.evaluate("() => new URLSearchParams(location.search).get('z')")


def z_changes(tab, before):
    tab.until("(z) => new URLSearchParams(location.search).get('z') !== z", before)
    tab.settle()


def test_home_moves_its_latent_code_and_takes_a_drawing(tab, address):
    tab.open(address_of(address, "home"))
    before = picture(tab, "canvas.x_hat")
    tab.stroke(".plane", [(0.5, 0.5), (0.7, 0.4), (0.85, 0.2)])
    changes(tab, "canvas.x_hat", before)
    before = picture(tab, "canvas.x")
    tab.stroke("canvas.pad", [(0.3, 0.2), (0.7, 0.5), (0.3, 0.8)])
    changes(tab, "canvas.x", before)


def test_a_slider_is_dragged(tab, address):
    tab.open(address_of(address, "sliders", "model=mnist-vae-2d&z=0,0"))
    before, z = picture(tab, "canvas.picture"), z_in_url(tab)
    tab.stroke(".panel input[type=range]", [(0.5, 0.5), (0.6, 0.5), (0.75, 0.5), (0.85, 0.5)])
    z_changes(tab, z)
    moved = [float(value) for value in z_in_url(tab).split(",")]
    assert moved[0] > 0.5 and moved[1] == 0
    changes(tab, "canvas.picture", before)


def test_a_click_on_the_map_sets_z(tab, address):
    tab.open(address_of(address, "map", "model=mnist-vae-2d"))
    tab.until("() => window.latentSpaceExplorer?.models.size > 0")
    picture(tab, "canvas.dots")
    z = z_in_url(tab)
    tab.stroke("canvas.over", [(0.45, 0.55)])
    z_changes(tab, z)


def test_inside_encodes_a_drawing(tab, address):
    tab.open(address_of(address, "inside", "model=mnist-vae-2d"))
    before = picture(tab, "canvas.x_hat")
    tab.stroke("canvas.pad", [(0.5, 0.1), (0.5, 0.35), (0.5, 0.6), (0.5, 0.9)])
    changes(tab, "canvas.x_hat", before)


def test_interpolate_begins_at_a_drawing(tab, address):
    tab.open(address_of(address, "interpolate", "model=mnist-vae-16d"))
    before = picture(tab, FIRST_STEP)
    tab.click("[role=tab][data-tab=draw]")
    tab.stroke("canvas.pad", [(0.3, 0.2), (0.7, 0.2), (0.5, 0.5), (0.4, 0.9)])
    tab.settle()
    changes(tab, FIRST_STEP, before)
