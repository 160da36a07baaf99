"""The live panel in Chromium: right pictures, every way to move, weights sent once, bad luck survived."""

import base64

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import vae
from pages.components.shell import cached
from vae import store
from vae.browser.bundle import bundle

from ..benchmarks.network import delaying_proxy
from .app_server import settle, watch
from .panel import (
    PANEL,
    ROOT,
    decoded,
    drag,
    drawn,
    line,
    open_page,
    open_panel,
    pixels,
    released,
    shows,
    until,
    wait_for_another_z,
    z_in_url,
)  # fmt: skip

RUN = """async ([source, file, weights, zs, ys]) => {
  const { createModel } = await import('data:text/javascript;base64,' + source);
  const model = createModel(file, Uint8Array.from(atob(weights), (c) => c.charCodeAt(0)));
  const pictures = zs.map((z, i) => [...model.decode(z, ys?.[i])]);
  const again = [...model.decode(zs[0], ys?.[0])];
  return { pictures, same: again.every((v, i) => v === pictures[0][i]), isPlain: model.isPlain };
}"""


@pytest.fixture(scope="module")
def blank(context):
    """A tab with no page in it: the runtime needs none."""
    page = context.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("name", ["mnist-vae-2d", "glyphs-cvae", "mnist-ladder", "rooms-vqvae"])
def test_browser_and_torch_decode_alike(blank, name):
    """tests/unit/browser compares all networks of all models in node."""
    model = vae.load(name)
    zs = model.sample(4, temperature=1.5, generator=torch.Generator().manual_seed(0))
    ys = [0, 3, 5, 9] if model.num_classes else None
    source = base64.b64encode(bundle("runtime/network.js").encode()).decode()
    weights = base64.b64encode((store.PRETRAINED / name / "model.safetensors").read_bytes()).decode()
    found = blank.evaluate(RUN, [source, store.Store().read_network(name), weights, zs.tolist(), ys])
    expected = model.decode(zs, None if ys is None else torch.tensor(ys)).permute(0, 2, 3, 1)
    np.testing.assert_allclose(found["pictures"], expected.flatten(1), atol=1e-5)
    assert found["same"] and not found["isPlain"]


def test_a_page_that_refuses_webassembly_decodes_in_plain_javascript(browser, address):
    page = browser.new_page()
    errors = watch(page)
    page.add_init_script("WebAssembly.Module = class { constructor() { throw new Error('refused') } }")
    open_panel(page, address, model="mnist-vae-2d", z="0,0")
    until(page, lambda: "in your browser, in plain JavaScript, in" in line(page))
    assert not errors
    page.close()


def test_only_the_release_writes_the_point_and_sends_a_message(page, address):
    """And a slider that is let go where it was taken up leaves the panel at rest; strips are drawn at rest."""
    open_panel(page, address, model="mnist-vae-2d", z="0,0")
    drawn(page)
    for k in range(2):
        assert_strip_shows_its_track(page, "mnist-vae-2d", k)
    # Streamlit keeps its socket in no public place: count what goes out through the prototype
    page.evaluate(
        "() => { const send = WebSocket.prototype.send; window.sent = 0;"
        " WebSocket.prototype.send = function (data) { window.sent++; return send.call(this, data) } }"
    )
    before = strip(page)
    drag(page, "mnist-vae-2d")
    assert page.evaluate("window.sent") == 0 and strip(page) == before
    page.mouse.up()
    wait_for_another_z(page, [0, 0])
    released(page)
    assert page.evaluate("window.sent") == 1
    assert sum(v != 0 for v in z_in_url(page)) == 1
    shows(page, "mnist-vae-2d")
    drawn(page)
    assert strip(page) != before
    # let go where it was taken up
    z, before = z_in_url(page), strip(page)
    box = page.locator("input[type=range]").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 2, middle)
    page.mouse.down()
    page.mouse.up()  # at the right end
    wait_for_another_z(page, z)
    released(page)
    end, sent = z_in_url(page), page.evaluate("window.sent")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.move(box["x"] + box["width"] + 40, middle)  # there and back to the end
    page.mouse.up()
    released(page)
    assert z_in_url(page) == end and page.evaluate("window.sent") == sent
    page.get_by_role("button", name="Sample z").click()  # another point is still taken up
    wait_for_another_z(page, end)
    released(page)
    shows(page, "mnist-vae-2d")
    drawn(page)
    assert strip(page) != before


def strip(page, k=1):
    return page.evaluate(f"(k) => {ROOT}.querySelectorAll('canvas.strip')[k].toDataURL()", k)


def assert_strip_shows_its_track(page, name, k):
    """The k-th film strip's tiles are what stands along the k-th slider's track."""
    found = page.evaluate(
        f"""(k) => {{ const root = {ROOT}, c = root.querySelectorAll('canvas.strip')[k];
          const input = root.querySelectorAll('input[type=range]')[k];
          return {{ dim: Number(input.dataset.dim), low: Number(input.min), high: Number(input.max),
            pixels: [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data] }} }}""",
        k,
    )
    tiles = np.array(found["pixels"]).reshape(28, 7, 28, 4)[..., :1]
    for i in (0, 3, 6):
        z = z_in_url(page)
        z[found["dim"]] = found["low"] + (i + 0.5) / 7 * (found["high"] - found["low"])
        np.testing.assert_allclose(tiles[:, i], decoded(name, z), atol=1)


@pytest.mark.slow
def test_a_hidden_tab_does_no_work(page, address):
    open_panel(page, address, model="mnist-vae-2d", z="0,0")
    drawn(page)
    before = strip(page)
    hide = "on => { Object.defineProperty(document, 'hidden', { get: () => on, configurable: true });" \
           " document.dispatchEvent(new Event('visibilitychange')) }"  # fmt: skip
    page.evaluate(hide, True)
    page.locator("input[type=range]").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    wait_for_another_z(page, [0, 0])
    released(page)  # half a second and more after strips would have been drawn
    assert strip(page) == before
    page.evaluate(hide, False)
    drawn(page)
    assert strip(page) != before


def press_tab_to(page, selector, limit=80):
    """Reach an element by the Tab key alone."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate(
            f"s => {{ const root = {ROOT}; return Boolean(root.activeElement?.matches(s)) }}", selector
        ):
            return
    raise AssertionError(f"Tab does not reach {selector}")


@pytest.mark.slow
def test_the_whole_panel_by_keyboard_and_its_link_elsewhere(page, address, browser):
    open_panel(page, address, model="mnist-cvae", z="0,0,0,0,0,0,0,0", y=3)
    start = [0.0] * 8
    # a class
    press_tab_to(page, ".classes button[value='5']")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('y=5')")
    settle(page)
    shows(page, "mnist-cvae", start, 5)
    # the pad moves two dimensions
    press_tab_to(page, ".pad")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    wait_for_another_z(page, start)
    on_pad = z_in_url(page)
    assert sum(v != 0 for v in on_pad) == 2
    # a slider, with small and large steps
    press_tab_to(page, "input[type=range]")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    wait_for_another_z(page, on_pad)
    shows(page, "mnist-cvae", y=5)
    # undo goes back, redo comes again
    slid = z_in_url(page)
    page.keyboard.press("Control+z")
    wait_for_another_z(page, slid)
    assert z_in_url(page) == pytest.approx(on_pad, abs=1e-3)
    page.keyboard.press("Control+Shift+z")
    wait_for_another_z(page, on_pad)
    assert z_in_url(page) == pytest.approx(slid, abs=1e-3)
    # a name, by Enter on the label
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("slant")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('slant')")
    settle(page)
    # a lock
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => {ROOT}.querySelector('input[type=range]').disabled")
    # the link shows the same picture, and the name, to somebody else
    context = browser.new_context()
    other = context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="slant", exact=True).wait_for(timeout=60_000)
    other.locator("canvas.picture[data-painted]").wait_for()
    settle(other)
    until(page, lambda: np.array_equal(pixels(other), pixels(page)))
    context.close()


@pytest.mark.slow
def test_the_pad_names_locks_and_ways_back(page, address):
    start = [0.5, -0.5]
    open_panel(page, address, model="mnist-vae-2d", z="0.5,-0.5")
    # a hover previews and restores, a click commits
    pad = page.locator(".pad").bounding_box()
    before = pixels(page)
    page.mouse.move(pad["x"] + pad["width"] * 0.9, pad["y"] + pad["height"] * 0.2)
    until(page, lambda: np.abs(pixels(page) - before).max() > 50)
    assert z_in_url(page) == start
    page.mouse.move(pad["x"] - 30, pad["y"] - 30)
    until(page, lambda: np.array_equal(pixels(page), before))
    page.mouse.click(pad["x"] + pad["width"] * 0.9, pad["y"] + pad["height"] * 0.2)
    wait_for_another_z(page, start)
    page.mouse.move(5, 5)
    shows(page, "mnist-vae-2d")
    page.get_by_role("button", name="Back to the start").click()
    page.wait_for_function("() => location.search.includes('z=0.5%2C-0.5')")
    settle(page)
    # a name
    page.locator(".slider .name").first.click()
    page.keyboard.type("roundness")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('roundness')")
    settle(page)
    assert "roundness" in page.locator(".slider .name").first.text_content()
    # a lock holds against the pad, Sample z and Reset
    first = page.locator(".slider").first
    axis = int(first.locator("input[type=range]").get_attribute("data-dim"))
    first.locator(".lock").click()
    settle(page)
    page.mouse.click(pad["x"] + 10, pad["y"] + 10)
    wait_for_another_z(page, start)
    moved = z_in_url(page)
    assert moved[axis] == start[axis] and moved[1 - axis] != start[1 - axis]
    for button in ("Sample z", "Reset to the mean"):
        before = z_in_url(page)
        page.get_by_role("button", name=button).click()
        wait_for_another_z(page, before)
        assert z_in_url(page)[axis] == start[axis]
    first.locator(".lock").click()
    page.wait_for_function(f"() => !{ROOT}.querySelector('input[type=range]').disabled")
    settle(page)
    # Undo right after a key takes back that key alone
    before = z_in_url(page)
    page.locator("input[type=range]").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    wait_for_another_z(page, before)
    released(page)
    once = z_in_url(page)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Control+z")
    released(page)
    assert z_in_url(page) == pytest.approx(once, abs=1e-3)


@pytest.mark.slow
def test_the_pad_shows_the_plane_of_two_dimensions_of_many_and_follows_the_others(page, address):
    z = [0.0] * 16
    open_panel(page, address, model="mnist-vae-16d", z=",".join(map(str, z)))
    drawn(page)
    x, y = (int(page.locator(f".axis-{axis}").input_value()) for axis in "xy")
    low, high = cached.slider_ranges("mnist-vae-16d").T
    before = pad_tile(page, 4, 4)
    expected = list(z)
    expected[x], expected[y] = (low[[x, y]] + high[[x, y]]) / 2
    # the middle of the 9 x 9 tiles, where data is dense and nothing is dimmed
    np.testing.assert_allclose(before, decoded("mnist-vae-16d", expected), atol=1)
    assert page.locator(".density .contours").get_attribute("d").count("M") > 100
    # a third dimension moves: the plane is another one
    other = page.locator("input[type=range]").nth(2)
    d = int(other.get_attribute("data-dim"))
    assert d not in (x, y)
    other.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    released(page)
    drawn(page)
    expected[d] = z_in_url(page)[d]
    np.testing.assert_allclose(pad_tile(page, 4, 4), decoded("mnist-vae-16d", expected), atol=1)
    assert np.abs(pad_tile(page, 4, 4) - before).max() > 20
    # one on the pad does not: nothing is decoded again
    page.locator("input[type=range]").first.focus()
    page.evaluate(f"() => {{ window.shown = {PANEL}.padShows }}")
    page.keyboard.press("Shift+ArrowRight")
    released(page)
    drawn(page)
    assert page.evaluate(f"() => {PANEL}.padShows === window.shown")


def pad_tile(page, row, column):
    """The pixels of one of the pad's 9 x 9 images, (28, 28, 1)."""
    values = page.evaluate(
        f"([row, column]) => [...{PANEL}.padCanvas.getContext('2d').getImageData(28 * column, 28 * row, 28, 28).data]",
        [row, column],
    )
    return np.array(values).reshape(28, 28, 4)[:, :, :1]


@pytest.mark.slow
def test_quick_undo_and_pad_keys_over_a_slow_network(browser, address):
    """Echoes of earlier releases come late: they must not undo what the hand did since."""
    with delaying_proxy(address, 0.3) as slow:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        errors = watch(page)
        open_panel(page, slow, model="mnist-vae-2d", z="0,0")
        page.locator(".pad").focus()
        past = f"(() => {{ const root = {ROOT}; return (root.panel ?? root.host.panel).memory.past.length }})()"
        begun = page.evaluate(past)
        for i in range(4):  # four releases, each sent before the echo of the one before is back
            page.keyboard.press("ArrowRight")
            page.wait_for_function(f"(n) => {past} >= n", arg=begun + i + 1, polling=10)
        released(page)
        z = z_in_url(page)
        step = page.evaluate(
            f"() => {{ const i = {ROOT}.querySelector('input[data-dim=\"0\"]'); return (i.max - i.min) / 100 }}"
        )
        assert z[0] == pytest.approx(4 * step, abs=1e-3) and z[1] == 0
        for _ in range(3):
            page.keyboard.press("Control+z")
            page.wait_for_timeout(60)
        released(page)
        assert z_in_url(page)[0] == pytest.approx(step, abs=1e-3)
        for _ in range(3):  # and nothing of the way forward is lost
            page.keyboard.press("Control+Shift+z")
            page.wait_for_timeout(60)
        released(page)
        assert z_in_url(page) == pytest.approx(z, abs=1e-3)
        shows(page, "mnist-vae-2d", z)
        assert not errors
        context.close()


@pytest.mark.slow
def test_a_point_outside_the_data_keeps_its_track_and_no_number_is_put_back(page, address):
    open_panel(page, address, model="mnist-vae-2d", z="6,0")
    limits = f"() => {{ const i = {ROOT}.querySelector('input[data-dim=\"0\"]'); return [Number(i.min), Number(i.max)] }}"  # noqa: E501
    low, high = page.evaluate(limits)
    assert high == 6 > -low
    box = page.locator("input[data-dim='0']").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 8, middle)
    page.mouse.down()
    for part in (0.9, 0.8, 0.7):
        page.mouse.move(box["x"] + box["width"] * part, middle)
        assert page.evaluate(limits) == [low, high]
    page.mouse.up()
    wait_for_another_z(page, [6, 0])
    assert z_in_url(page)[0] == pytest.approx(low + 0.7 * (high - low), abs=0.3)
    released(page)
    before = z_in_url(page)
    page.evaluate(
        f"""() => {{ const panel = {PANEL}; panel.z[0] = NaN; panel.z[1] = Infinity;
          {ROOT}.querySelector('.pad').dispatchEvent(new KeyboardEvent('keydown', {{ key: 'ArrowUp' }})) }}"""
    )
    assert "was replaced" in line(page)
    wait_for_another_z(page, before)
    assert all(abs(v) < 10 for v in z_in_url(page))


@pytest.mark.slow
def test_touch_on_a_phone(browser, address):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    errors = watch(page)
    open_panel(page, address, model="mnist-vae-16d")
    # the picture is on the first screen, and none of the model's figures stands above it
    expect(page.get_by_text("On 10,000 test images")).to_be_hidden()
    assert page.locator("canvas.picture").bounding_box()["y"] < 310
    cdp = context.new_cdp_session(page)

    def swipe(box, start, end, on_the_way):
        """A finger from one place to another, in parts of a box's width and height."""
        places = np.linspace(start, end, 12)
        spot = lambda p: [{"x": box["x"] + box["width"] * p[0], "y": box["y"] + box["height"] * p[1]}]  # noqa: E731
        cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": spot(places[0])})
        for place in places[1:]:
            cdp.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": spot(place)})
            page.wait_for_timeout(20)
        on_the_way()
        cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    for selector, start, end in [("input[type=range]", (0.3, 0.5), (0.8, 0.5)), (".pad", (0.3, 0.3), (0.7, 0.6))]:
        element = page.locator(selector).first
        element.scroll_into_view_if_needed()
        settle(page)
        z_before = z_in_url(page)

        def followed():
            """The picture is of the place under the finger, of which the link knows nothing yet."""
            z = page.evaluate(f"[...{PANEL}.z]")
            assert z != pytest.approx(z_before, abs=1e-3) and z_in_url(page) == z_before  # noqa: B023
            shows(page, "mnist-vae-16d", z)

        swipe(element.bounding_box(), start, end, followed)
        wait_for_another_z(page, z_before)
        # the picture is in sight while the finger is on the element below it
        assert page.locator("canvas.picture").bounding_box()["y"] >= 0
        shows(page, "mnist-vae-16d")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not errors
    context.close()


def fetched_assets(page):
    """A list that fills with the addresses below /assets/ that a page fetches, other than from the browser's cache."""
    fetched, waiting = [], {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def responded(event):
        response = event["response"]
        news = "/assets/painted/" in response["url"] or "/assets/early/" in response["url"]
        if "/assets/" in response["url"] and not news and not response["fromDiskCache"]:
            assert response["headers"]["cache-control"] == "public, max-age=31536000, immutable"
            waiting[event["requestId"]] = response["url"].partition("/assets/")[2]

    session.on("Network.responseReceived", responded)
    session.on("Network.requestServedFromCache", lambda event: waiting.pop(event["requestId"], None))
    session.on("Network.loadingFinished", lambda event: event["encodedDataLength"] and take(event["requestId"]))

    def take(request):
        if request in waiting:
            fetched.append(waiting.pop(request))

    return fetched


@pytest.mark.slow
def test_models_are_fetched_once_and_a_returning_visitor_fetches_nothing_twice(browser, address):
    profile = browser.new_context(viewport={"width": 1440, "height": 900})  # that has never been there
    page = profile.new_page()
    fetched = fetched_assets(page)
    open_panel(page, address, model="mnist-vae-16d")
    sliders = page.locator("input[type=range]:visible")
    expect(sliders).to_have_count(6)  # few at first, all on request
    page.get_by_role("button", name="Show all 16").click()
    expect(sliders).to_have_count(16)
    before = z_in_url(page)
    drag(page, "mnist-vae-16d", parts=(0.3, 0.7))
    page.mouse.up()
    wait_for_another_z(page, before)
    assert "in your browser" in line(page)
    before = z_in_url(page)
    page.get_by_role("button", name="Sample z").click()
    wait_for_another_z(page, before)
    for where in ("Sample", "Sliders"):  # the map's codes and thumbnails have a test of their own
        page.get_by_role("link", name=where).click()
        page.get_by_role("heading", name=where).wait_for()
        settle(page)
    page.locator("canvas.picture[data-painted]").wait_for()
    for name in ("rooms-vae", "mnist-vae-16d"):  # away, to large pictures in colour, and back
        page.get_by_role("combobox", name="Model").fill(name)
        page.get_by_role("option", name=f"· {name}").click()
        page.wait_for_url(f"**model={name}*")
        settle(page)
        until(page, lambda: "in your browser" in line(page))
        shows(page, name)
    # of the whole walk only the other model's files were fetched, and each module once
    models = [url.split("/")[1] + "/" + url.split("/")[3] for url in fetched if url.startswith("models/")]
    names, files = ("mnist-vae-16d", "rooms-vae"), ("network", "samples", "weights")
    assert sorted(models) == sorted(f"{name}/{file}" for name in names for file in files)
    modules = [url for url in fetched if url.startswith("modules/")]
    assert len(modules) == len(set(modules)) and len({url.split("/")[2] for url in modules}) == len(modules)
    again = profile.new_page()
    fetched = fetched_assets(again)
    open_panel(again, address, model="mnist-vae-16d")
    until(again, lambda: "in your browser" in line(again))
    assert not fetched
    profile.close()


def answer_weights(page, change):
    """Answer every request for weights with change(bytes) instead; None for no answer at all."""

    def handle(route):
        body = change(route.fetch().body())
        if body is not None:
            route.fulfill(body=body)

    page.route("**/assets/models/*/*/weights", handle)


@pytest.mark.slow
def test_weights_that_do_not_match_the_layers_are_told_and_the_server_decodes(page, address):
    answer_weights(page, lambda weights: weights.replace(b'"decoder.0.weight"', b'"decoder.0.weighX"'))
    open_panel(page, address, model="mnist-vae-16d")
    drag(page, "mnist-vae-16d")
    page.mouse.up()
    released(page)
    until(page, lambda: "on the server" in line(page) and "lack decoder.0.weight" in line(page))
    shows(page, "mnist-vae-16d")
    until(page, lambda: len(set(strip(page))) > 2)  # strips come from the server too


@pytest.mark.slow
def test_weights_that_never_arrive_are_told_and_the_server_decodes(page, address):
    answer_weights(page, lambda weights: None)
    open_page(page, address, "sliders", model="mnist-vae-2d", z="0,0")
    page.wait_for_function(f"() => {ROOT}.querySelector('.line').textContent.includes('not arrived')", timeout=20_000)
    shows(page, "mnist-vae-2d", [0, 0])
    page.locator("input[type=range]").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    wait_for_another_z(page, [0, 0])
    shows(page, "mnist-vae-2d")

