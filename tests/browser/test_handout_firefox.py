"""The handout in Firefox, from disk: every view opens, a slider moves, a digit is drawn."""

import os
import re

import pytest

from .firefox import FIREFOX, firefox

pytestmark = pytest.mark.slow

# of what fills a view, in shadow roots too
FILLED = """() => {
  const roots = [...document.querySelectorAll('.view *')].map((e) => e.shadowRoot).filter(Boolean);
  return document.querySelector('.view dl') !== null
    || roots.some((root) => root.querySelector('canvas, .cell, button'));
}"""


@pytest.fixture(scope="module")
def tab(handout):
    if FIREFOX is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Firefox: .ci/run must install it")
        pytest.skip("no Firefox on this machine")
    with firefox(**{"network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.http_port": 9}) as tab:
        tab.send("browsingContext.navigate", context=tab.context, url=handout.as_uri(), wait="complete")
        tab.until("() => document.querySelector('h2') !== null")
        yield tab


def go(tab, place):
    """Go to a place and wait until its view is filled."""
    tab.evaluate(f"() => {{ location.hash = '{place}' }}")
    view = place[1:].partition("?")[0]
    tab.until(f"() => document.querySelector('nav a[aria-current]')?.hash.startsWith('#{view}?')")
    tab.until(FILLED)


def z_of(tab):
    return tab.evaluate("() => new URLSearchParams(location.hash.split('?')[1]).get('z')")


@pytest.mark.parametrize("model", ["mnist-vae-16d", "rooms-ada"])
def test_every_view_opens(tab, model):
    views = tab.evaluate("() => [...document.querySelectorAll('nav a')].map((a) => a.hash)")
    for view in [re.match(r"#\w+", address)[0] for address in views if "lesson=" not in address]:
        if model.startswith("mnist") and view == "#disentangle":
            continue
        go(tab, f"{view}?model={model}")
        assert tab.picture(".view").std() > 5, view
    assert not tab.errors


def test_a_drag_moves_z(tab):
    go(tab, "#sliders?model=rooms-ada")
    before = tab.picture("canvas.picture").astype(float)
    tab.stroke("input[type=range]", [(0.5, 0.5), (0.7, 0.5), (0.95, 0.5)])
    tab.until("() => location.hash.includes('z=')")
    assert abs(tab.picture("canvas.picture") - before).mean() > 1
    assert not tab.errors
