"""What the server sends beside the pages: modules and models for ever, and the news of what a page will need."""

import re
import urllib.error
import urllib.request

import pytest

from .app_server import settle
from .panel import PANEL, ROOT, open_panel, z_in_url


def answer(address, path, method="GET"):
    """(status, headers, body) of a request."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address + path, method=method), timeout=20) as found:
            return found.status, found.headers, found.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, b""


def links(address, path):
    """The addresses of a page's Link header, and how each is to be loaded."""
    header = answer(address, path)[1].get("Link", "")
    return dict(re.findall(r"<([^>]+)>; rel=(\w+)", header))


def test_a_page_names_what_its_first_picture_needs(page, address):
    open_panel(page, address, model="mnist-vae-16d")  # after which the server knows the addresses
    found = links(address, "/sliders?model=mnist-vae-16d&z=1")
    assert [a for a, how in found.items() if how == "modulepreload" and "/static/js/BidiComponent." in a]
    (module,) = [a for a, how in found.items() if how == "modulepreload" and a.startswith("/assets/modules/")]
    models = [a for a, how in found.items() if how == "preload"]
    assert sorted(a.rpartition("/")[2] for a in models) == ["network", "samples", "weights"]
    for path in (module, *models, *(a for a in found if a.startswith("/static/"))):
        status, headers, body = answer(address, path)
        assert status == 200 and body
        if path.startswith("/assets/"):
            assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert headers["X-Content-Type-Options"] == "nosniff"
    assert any("/mnist-vae-2d/" in path for path, how in links(address, "/").items() if how == "preload")
    # an unknown model has no files, other pages have no picture, and a name cannot break out of the header
    assert not [a for a, how in links(address, "/sliders?model=no-such").items() if how == "preload"]
    assert not links(address, "/compare?model=mnist-vae-16d")
    assert links(address, "/sliders?model=%3E%0D%0Ax:y").keys() <= found.keys()


@pytest.mark.parametrize("path", [
    "/assets/models/mnist-vae-16d/0123456789abcdef/weights", "/assets/models/no-such/0123456789abcdef/weights",
    "/assets/models/..%2F..%2Fapp/0123456789abcdef/weights", "/assets/models/mnist-vae-16d/0123456789abcdef/card.json",
    "/assets/modules/0123456789abcdef/live_panel.js", "/assets/modules/../../app.py",
])  # fmt: skip
def test_an_address_that_was_never_given_has_nothing(address, path):
    status, headers, body = answer(address, path)
    # Streamlit answers an address that is not ours with its own page
    assert status in (400, 404) or headers["Content-Type"].startswith("text/html")
    assert b"st.App" not in body and "immutable" not in headers.get("Cache-Control", "")


def test_news_of_an_unknown_session_is_ignored(address):
    assert answer(address, "/assets/painted/nobody", "POST")[0] == 204
    assert answer(address, "/assets/painted/nobody")[0] != 204


HOLD = """const connect = WebSocket.prototype.send;
window.held = [];
WebSocket.prototype.send = function (...message) {
  if (window.held) window.held.push(() => connect.apply(this, message));
  else connect.apply(this, message);
};
window.letGo = () => { const held = window.held; window.held = null; held.forEach((send) => send()) };"""
EARLY = "document.querySelector('.early-panel > div').shadowRoot"


def held_page(browser, address, query, **viewport):
    """A page whose session cannot begin before `letGo()`, once its early panel shows its picture."""
    page = browser.new_page(**viewport)
    page.add_init_script(HOLD)
    page.goto(f"{address}/sliders?{query}")
    page.wait_for_function("() => document.querySelector('.early-panel')?.style.visibility === 'visible'")
    return page


@pytest.mark.parametrize("width, height", [(1440, 900), (390, 844)])
def test_the_panel_works_before_the_page_is_there_and_gives_way_in_place(browser, address, width, height):
    page = held_page(browser, address, "model=mnist-vae-16d", viewport={"width": width, "height": height})
    assert page.evaluate(f"{EARLY}.querySelector('canvas.picture').dataset.painted")
    slider = page.locator(".early-panel input[type=range]").first
    slider.focus()
    before = slider.input_value()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => {EARLY}.panel.sent === 1 && !{EARLY}.panel.unanswered")
    page.keyboard.press("ArrowRight")
    index = page.evaluate(f"{EARLY}.panel.rows[0].dim.index")
    moved = page.evaluate(f"{EARLY}.panel.z[{index}]")
    assert float(slider.input_value()) != float(before)
    place = page.evaluate(f"(() => {{ const b = {EARLY}.host.getBoundingClientRect(); return [b.left, b.top] }})()")
    page.evaluate("() => letGo()")
    page.wait_for_function("() => !document.querySelector('.early-panel')", timeout=60_000)
    settle(page)
    # the page's panel stands where the early one stood, at its point, with the focus on the same slider
    assert page.evaluate(f"{PANEL}.z[{index}]") == pytest.approx(moved, abs=1e-3)
    assert z_in_url(page)[index] == pytest.approx(moved, abs=1e-3)
    box = f"(() => {{ const b = {ROOT}.host.getBoundingClientRect(); return [b.left, b.top] }})()"
    assert page.evaluate(box) == pytest.approx(place, abs=3)
    assert page.evaluate(f"{ROOT}.activeElement === {ROOT}.querySelector('input[type=range]')")
    page.close()


def test_a_visitor_who_leaves_early_sees_the_other_page(browser, address):
    page = held_page(browser, address, "model=mnist-vae-16d")
    page.evaluate("() => history.pushState(null, '', '/map')")
    page.wait_for_function("() => !document.querySelector('.early-panel')")
    page.close()


def test_a_link_with_a_lesson_has_no_early_panel(browser, address):
    page = browser.new_page()
    page.add_init_script(HOLD)
    with page.expect_response(lambda answer: "/assets/early/" in answer.url) as answered:
        page.goto(f"{address}/sliders?model=mnist-vae-16d&lesson=kl.1")
    assert answered.value.status == 204
    page.wait_for_function("() => window.latentSpaceExplorer?.early === null")
    assert not page.locator(".early-panel").count()
    page.close()
