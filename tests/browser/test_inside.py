"""Inside, drawn on with the hand."""

import json

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import vae
from vae import metrics

from .app_server import CENTRE, settle, watch
from .panel import in_query, open_page, z_in_url
from .picture_inputs import Touch

INSIDE = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.inside).find(Boolean)"
OF_BETA = {
    "0": "mnist-ae-16d", "0.25": "mnist-beta025", "1": "mnist-vae-16d", "4": "mnist-beta4", "16": "mnist-beta16",
    "60": "mnist-collapsed",
}  # fmt: skip
BETAS = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.betas).find(Boolean)"
# two bows, one above the other
THREE = [(90, 80), (115, 60), (150, 55), (180, 72), (182, 104), (160, 128), (130, 136), (165, 146), (190, 172), (182, 208), (150, 226), (112, 222), (86, 202)]  # noqa: E501


def computed(page, more_than=0):
    """Wait for more forward passes than before, and until none is left to do. Returns how many there were."""
    page.wait_for_function(f"(n) => {INSIDE}?.passes > n && {INSIDE}.tasks.idle()", arg=more_than)
    return page.evaluate(f"{INSIDE}.passes")


def pass_of(page):
    """The forward pass that is shown: numbers and lists."""
    text = f"JSON.stringify({INSIDE}.pass, (_, value) => ArrayBuffer.isView(value) ? [...value] : value)"
    return json.loads(page.evaluate(text))


def picture(page, name):
    height, width, values = page.evaluate(
        f"""() => {{ const c = {INSIDE}.root.querySelector('canvas.{name}');
          return [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]] }}"""
    )
    return np.array(values).reshape(height, width, 4)[:, :, 0] / 255


def draw(page, places):
    page.locator("canvas.pad").evaluate(CENTRE)
    box = page.locator("canvas.pad").bounding_box()
    scale = box["width"] / 280
    for i, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * scale, box["y"] + y * scale, steps=3)
        if i == 0:
            page.mouse.down()
    page.mouse.up()


@pytest.mark.slow
def test_an_image_its_betas_a_drawn_3_and_its_bars(page, address):
    open_page(page, address, "inside", model="mnist-vae-16d")
    computed(page)
    assert not page.evaluate(f"{BETAS}?.networks.some(Boolean)")  # not before they come into view
    # the same image from no KL to collapse
    page.locator(".betas").scroll_into_view_if_needed()
    page.wait_for_function(f"() => {BETAS}.networks.every((network) => network?.model) && {BETAS}.tasks.idle()")
    captions = page.locator(".betas figcaption b").all_inner_texts()
    assert captions == [f"beta {beta}" for beta in OF_BETA]
    assert page.locator(".betas figure.here b").inner_text() == "beta 1"
    x = torch.from_numpy(np.rint(picture(page, "x") * 255) / 255).float()[None, None]
    shown = page.evaluate(
        f"""() => [...{BETAS}.box.querySelectorAll('canvas')].map((c) =>
          [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 0))"""
    )
    for name, values in zip(OF_BETA.values(), shown, strict=True):
        model = vae.load(name)
        expected = model.decode(model.encode(x).mean)[0, 0].flatten()
        np.testing.assert_allclose(np.array(values) / 255, expected, atol=0.03, err_msg=name)
    symbols = page.locator("math .symbol")
    assert symbols.count() >= 7  # the formulae are mathematics, each part a symbol that lights up
    page.locator(".dims").hover(position={"x": 5, "y": 5})
    expect(page.locator("math .symbol.lit[data-part='kl']")).to_have_count(1)
    # a drawn 3 comes out as a 3
    before = computed(page)
    page.get_by_role("button", name="Clear").click()
    cleared = computed(page, before)
    page.get_by_text("The drawing is empty").wait_for()
    draw(page, THREE)
    computed(page, cleared)
    judge = metrics.load_classifier("mnist", (1, 28, 28), (10,))
    for name in ("x", "x_hat"):
        image = torch.from_numpy(picture(page, name)).float()[None, None]
        assert int(judge(image)[0].argmax()) == 3, name
    # the table is what the loss function gives, and its parts add up to the last digit shown
    cells = page.locator(".terms td[data-value]")
    shown = [float(text) for text in cells.all_inner_texts()]
    assert shown[0] + shown[1] == pytest.approx(shown[2], abs=1e-6)
    said = pass_of(page)
    model = vae.load("mnist-vae-16d")
    x = torch.from_numpy(np.rint(picture(page, "x") * 255) / 255).float()[None, None]
    q = model.encode(x)
    np.testing.assert_allclose(said["mu"], q.mean[0], atol=0.02)
    recon = -float(model.likelihood(torch.tensor([said["z"]])).log_prob(x))
    assert shown[0] == pytest.approx(recon, abs=0.5)
    assert shown[2] == round(said["negativeElbo"], 2)
    assert sum(said["klPerDim"]) == pytest.approx(said["kl"], abs=1e-3)
    # another draw: another z about the same mean, another fan member's kind of picture
    n = computed(page)
    page.get_by_role("button", name="Sample ε again").click()
    computed(page, n)
    again = pass_of(page)
    np.testing.assert_allclose(again["mu"], said["mu"], atol=1e-6)
    assert np.abs(np.array(again["z"]) - said["z"]).max() > 0.01
    page.get_by_role("button", name="ε = 0").click()
    computed(page, n + 1)
    np.testing.assert_allclose(pass_of(page)["z"], said["mu"], atol=1e-5)
    # a bar, its slider and its mark are one, and all pages use its z
    n = computed(page)
    d = int(np.argmax(pass_of(page)["klPerDim"]))
    row = page.locator(f".dim[data-dim='{d}']")
    before = pass_of(page)
    assert row.locator("b").inner_text() == f"{before['klPerDim'][d]:.2f}"
    row.hover()
    expect(page.locator(f"svg.posterior .lit[data-dim='{d}']")).to_have_count(2)  # its dot and its name
    expect(page.locator("svg.posterior .lit")).to_have_count(2)
    handle = row.locator("input")
    handle.focus()
    handle.press("Home")
    computed(page, n)
    after = pass_of(page)
    low = float(handle.get_attribute("min"))
    assert after["z"][d] == pytest.approx(low, abs=1e-3)
    np.testing.assert_allclose(np.delete(after["z"], d), np.delete(before["z"], d), atol=1e-5)
    np.testing.assert_allclose(after["klPerDim"], before["klPerDim"], atol=1e-5)  # it is q's, not z's
    assert after["recon"] != before["recon"]
    model = vae.load("mnist-vae-16d")
    decoded = model.decode(torch.tensor([after["z"]]))[0, 0]
    np.testing.assert_allclose(picture(page, "x_hat"), decoded, atol=0.01)
    page.get_by_role("button", name="Use this z").click()
    page.wait_for_function("z => location.search.includes(z)", arg=in_query([round(v, 4) for v in after["z"]])[:40])
    assert z_in_url(page) == pytest.approx(after["z"], abs=1e-3)


def test_drawing_sends_no_message(page, address):
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    open_page(page, address, "inside", model="mnist-vae-16d")
    n = computed(page)
    assert sent, "messages are seen"
    sent.clear()
    draw(page, THREE)
    assert computed(page, n) > n
    page.locator(".undo").click()
    page.wait_for_timeout(500)
    assert not sent


@pytest.mark.slow
def test_the_ellipse_is_to_scale(page, address):
    open_page(page, address, "inside", model="mnist-vae-2d")
    n = computed(page)
    # on the screen: how many pixels a unit of the plane is, by the ring of the prior's one sigma
    found = page.evaluate(
        f"""() => {{ const svg = {INSIDE}.svg, box = (e) => e.getBoundingClientRect();
          const e = svg.querySelector('ellipse.sigma1'), ring = svg.querySelector("ellipse.prior1");
          const line = Number(e.getAttribute('stroke-width'));
          return {{ rx: Number(e.getAttribute('rx')), ry: Number(e.getAttribute('ry')), cx: Number(e.getAttribute('cx')),
            cy: Number(e.getAttribute('cy')), unit: svg.getScreenCTM().a, up: svg.getScreenCTM().d, answer: {{ mu: [...{INSIDE}.pass.mu], sigma: [...{INSIDE}.pass.sigma] }} }} }}"""  # noqa: E501
    )
    assert [found["rx"], found["ry"]] == pytest.approx(found["answer"]["sigma"])
    assert [found["cx"], -found["cy"]] == pytest.approx(found["answer"]["mu"])
    assert found["unit"] == pytest.approx(found["up"], rel=1e-3)  # one unit is as long across as up
    box = page.locator("svg.posterior").bounding_box()
    low, high = page.evaluate(f"[{INSIDE}.data.plane.low, {INSIDE}.data.plane.high]")
    mu, sigma = (np.array(found["answer"][key]) for key in ("mu", "sigma"))
    wanted = mu + sigma * [3, -2]
    part = (wanted - low) / (high - low)
    page.mouse.move(box["x"] + box["width"] * part[0], box["y"] + box["height"] * (1 - part[1]))
    page.mouse.down()
    page.mouse.up()
    computed(page, n)
    pixel = (high - low) / box["width"]
    assert pass_of(page)["z"] == pytest.approx(wanted.tolist(), abs=2 * pixel)
    # magnified, the ellipse of two standard deviations fills half of the square, wherever the pen takes it
    n = computed(page)
    page.get_by_role("button", name="ε = 0").click()
    computed(page, n)
    page.get_by_role("button", name="Zoom to q(z|x)").click()
    n = computed(page)
    draw(page, THREE)
    computed(page, n)
    ellipse, square = (page.locator(f"svg.posterior{part}").bounding_box() for part in (" ellipse.sigma2", ""))
    assert max(ellipse["width"], ellipse["height"]) == pytest.approx(square["width"] / 2, rel=0.05)


@pytest.mark.slow
def test_a_drawing_is_what_each_model_sees(page, address):
    """28 pixels for digits, 32 for glyphs, 64 for sprites, and colour for rooms."""
    open_page(page, address, "inside", model="mnist-vae-2d")
    n = computed(page)
    draw(page, THREE)
    computed(page, n)
    for name in ("glyphs-cvae", "rooms-vae", "sprites-vae"):
        page.get_by_role("combobox", name="Model").fill(name)
        page.get_by_role("option", name=f"· {name}").click()
        page.wait_for_url(f"**model={name}*")
        settle(page)
        if name == "rooms-vae":  # a colour model begins with an image of its own
            page.get_by_role("radio", name="Draw").or_(page.get_by_role("button", name="Draw", exact=True)).first.click()  # noqa: E501
            settle(page)
        size = vae.load(name).image_shape[1]
        shows = f"(size) => {INSIDE}?.pass && {INSIDE}.root.querySelector('canvas.x').height === size"
        page.wait_for_function(shows, arg=size)
        computed(page)
        x = picture(page, "x")
        ink = x < 0.5 if name == "rooms-vae" else x > 0.5  # its data are not light on dark
        assert x.shape == (size, size) and np.ptp(x) > 0.8 and 0.01 < ink.mean() < 0.4, name
        assert picture(page, "x_hat").shape == (size, size)
    # an image of the gallery, and the steps by keyboard
    n = computed(page)
    page.get_by_role("radio", name="Test image or photo").or_(page.get_by_role("button", name="Test image or photo")).first.click()  # noqa: E501
    computed(page, n)
    settle(page)
    sprites = vae.data.DATASETS["sprites"]
    x, _ = sprites.load("test").batch([sprites.start])
    np.testing.assert_allclose(picture(page, "x"), x[0, 0], atol=0.01)
    page.mouse.move(2, 2)
    for part, name in (("q", "VAE.encode"), ("kl", "gaussian_kl"), ("x_hat", "decode_logits")):
        page.locator(f"[data-part='{part}'][tabindex]").first.focus()
        expect(page.locator(".which")).to_contain_text(name)
        expect(page.locator(f".symbol[data-part='{part}'].lit")).to_have_count(1)


@pytest.mark.slow
def test_a_finger_draws_on_a_phone_with_the_decoded_picture_in_view(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    errors = watch(page)
    open_page(page, address, "inside", model="mnist-vae-2d")
    n, before = computed(page), picture(page, "x_hat")
    pad, decoded = (page.locator(f"canvas.{name}").bounding_box() for name in ("pad", "x_hat"))
    for box in (pad, decoded):
        assert box["y"] >= 44 and box["y"] + box["height"] <= 844 and box["width"] > 120
    assert decoded["x"] >= pad["x"] + pad["width"] and decoded["y"] < pad["y"] + pad["height"]  # side by side
    finger, scale = Touch(page), pad["width"] / 280
    places = [(pad["x"] + x * scale, pad["y"] + y * scale) for x, y in ((140, 50), (140, 230))]
    finger("touchStart", 0, places[0])
    for i in range(1, 9):
        finger("touchMove", 0, (places[0][0], places[0][1] + (places[1][1] - places[0][1]) * i / 8))
    finger("touchEnd", 0)
    computed(page, n)
    assert np.abs(picture(page, "x_hat") - before).max() > 0.5  # the example is a 3, this is a 1
    assert page.locator("canvas.pad").bounding_box() == pad and not errors
    context.close()


def test_there_is_one_place_to_draw(page, address):
    open_page(page, address, "inside", model="mnist-vae-2d")
    expect(page.locator("canvas.pad")).to_have_count(1)
    page.get_by_role("radio", name="Test image or photo").or_(page.get_by_role("button", name="Test image or photo")).first.click()  # noqa: E501
    settle(page)
    expect(page.locator("canvas.pad:visible")).to_have_count(0)
    tabs = page.get_by_role("tab")
    assert tabs.all_inner_texts() == ["Test images", "Photo or file", "Yours"]
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Photo or file")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Yours")).to_have_attribute("aria-selected", "true")
