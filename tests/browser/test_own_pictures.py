"""The visitor's own picture on the app's pages: drawn by mouse or finger wherever an image can be chosen, and kept."""

import base64
import io
import itertools
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from playwright.sync_api import expect

import vae

from .app_server import CENTRE, settle, watch
from .panel import open_page, z_in_url
from .picture_inputs import Touch

SEVEN = [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]
ONE = [(0.5, 0.15), (0.5, 0.85)]
# page, the key of its picture, what leads to it, more of the link
PLACES = [
    ("interpolate", "interpolate_A", None, {}),
    ("sliders", "sliders_start", "Start from an image", {}),
    ("map", "map_image", "Your images", {}),
    ("compare", "compare_image", "Choose an image", {}),
    ("uses", "denoise_image", "Choose an image", {"use": "denoising"}),
    ("uses", "fill_image", "Choose an image", {"use": "filling"}),
    ("uses", "anomaly_image", "Score an image", {"use": "anomalies"}),
]


def part(page, key):
    """The picture component with this key."""
    return page.locator(f".st-key-{key}_picture")


def open_pad(page, key):
    """Show the pad. Returns the place of its canvas."""
    here = part(page, key)
    here.get_by_role("tab", name="Draw").click()
    pad = here.locator("canvas.pad")
    pad.evaluate(CENTRE)
    return pad.bounding_box()


def at(box, point):
    return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]


def draw(page, key, points):
    box = open_pad(page, key)
    page.mouse.move(*at(box, points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(box, point), steps=6)
    page.mouse.up()
    in_use(page, key)


def in_use(page, key):
    expect(part(page, key).locator(".caption")).to_have_text("your picture", timeout=30_000)
    settle(page)


def seen(page, key):
    """The picture that the server uses, as the component shows it, (1, 1, 28, 28) in [0, 1]."""
    values = part(page, key).locator("canvas.seen").evaluate(
        "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 0)"
    )
    return torch.tensor(values).float().reshape(1, 1, 28, 28) / 255


def open_place(page, address, name, button, query):
    open_page(page, address, name, model="mnist-vae-16d", **query)
    if button:
        roles = [page.get_by_role(role, name=button) for role in ("button", "radio")]
        roles[0].or_(roles[1]).or_(page.locator("summary", has_text=button)).first.click()
        settle(page)


def test_two_drawn_ends_are_walked_between(page, address):
    open_page(page, address, "interpolate", model="mnist-vae-16d")
    draw(page, "interpolate_A", SEVEN)
    draw(page, "interpolate_B", ONE)
    model = vae.load("mnist-vae-16d")
    ends = [model.encode(seen(page, f"interpolate_{name}")).mean for name in "AB"]
    sheet = page.locator(".st-key-interpolate_frames .picture").first.evaluate("(e) => e.style.backgroundImage")
    frames = page.evaluate(
        """async (address) => { const bitmap = await createImageBitmap(await (await fetch(address)).blob());
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height), pen = canvas.getContext('2d');
          pen.drawImage(bitmap, 0, 0);
          const all = pen.getImageData(0, 0, bitmap.width, bitmap.height).data;
          return [bitmap.width, [...all].filter((_, i) => i % 4 === 0)] }""",
        sheet.split('"')[1],
    )
    width, values = frames
    pixels = np.array(values).reshape(28, width) / 255
    for z, shown in zip(ends, (pixels[:, :28], pixels[:, -28:]), strict=True):
        np.testing.assert_allclose(shown, model.decode(z)[0, 0], atol=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "key", "button", "query"), PLACES, ids=[key for _, key, *_ in PLACES])
def test_a_finger_draws_on_every_page_that_takes_a_picture(browser, address, name, key, button, query):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    errors = watch(page)
    try:
        open_place(page, address, name, button, query)
        box = open_pad(page, key)
        finger = Touch(page)
        finger("touchStart", 0, at(box, SEVEN[0]))
        for (x0, y0), (x1, y1) in itertools.pairwise(SEVEN):
            for i in range(1, 7):
                finger("touchMove", 0, at(box, (x0 + (x1 - x0) * i / 6, y0 + (y1 - y0) * i / 6)))
        finger("touchEnd", 0)
        in_use(page, key)
        x = seen(page, key)
        middle = (x[0, 0].sum(0) * torch.arange(28)).sum() / x.sum()
        assert x.max() > 0.9 and 10 < middle < 17 and 20 < (x > 0.5).sum() < 200
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        context.close()
    assert not errors


@pytest.mark.slow
def test_a_picture_outlives_pages_models_and_a_reload(page, address):
    open_page(page, address, "interpolate", model="mnist-vae-16d")
    draw(page, "interpolate_A", SEVEN)
    x = seen(page, "interpolate_A")
    page.get_by_role("link", name="Sample").click()
    expect(page.locator("h1")).to_have_text("Sample")
    settle(page)
    page.get_by_role("link", name="Interpolate").click()
    expect(page.locator("h1")).to_have_text("Interpolate")
    in_use(page, "interpolate_A")
    assert torch.equal(seen(page, "interpolate_A"), x)
    page.reload()
    page.wait_for_selector("h1")
    in_use(page, "interpolate_A")
    assert torch.equal(seen(page, "interpolate_A"), x)
    # a model of other data gets it as its own data are
    page.goto(page.url.replace("mnist-vae-16d", "fashion-vae-16d"))
    in_use(page, "interpolate_A")
    assert not torch.equal(seen(page, "interpolate_A"), x)


@pytest.mark.slow
def test_sliders_goes_to_the_picture_as_soon_as_it_is_drawn(page, address):
    open_place(page, address, "sliders", "Start from an image", {})
    before = z_in_url(page)
    draw(page, "sliders_start", ONE)
    x = seen(page, "sliders_start")
    page.wait_for_function("z => !location.search.includes(z)", arg="z=" + "%2C".join(f"{v:g}" for v in before))
    np.testing.assert_allclose(z_in_url(page), vae.load("mnist-vae-16d").encode(x).mean[0], atol=1e-3)


@pytest.mark.slow
def test_a_browser_that_alters_pixels_has_its_file_decoded_by_the_server(browser, address):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(
        "CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) => new ImageData("
        "Uint8ClampedArray.from({ length: 4 * width * height }, () => 256 * Math.random()), width, height)"
    )
    page = context.new_page()
    try:
        open_page(page, address, "interpolate", model="mnist-vae-16d")
        here = part(page, "interpolate_A")
        here.get_by_role("tab", name="Photo or file").click()
        with page.expect_file_chooser() as chooser:
            here.get_by_role("button", name="Choose a file").click()
        chooser.value.set_files([{"name": "seven.png", "mimeType": "image/png", "buffer": drawn_file()}])
        in_use(page, "interpolate_A")
        expect(here.get_by_role("alert").first).to_be_empty()
        expect(here.locator(".editor")).to_be_visible()
    finally:
        context.close()


def drawn_file():
    """A seven in black ink on white paper, a PNG."""
    picture = Image.new("L", (300, 300), 255)
    ImageDraw.Draw(picture).line([(300 * x, 300 * y) for x, y in SEVEN], fill=0, width=22, joint="curve")
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def sent_pictures(page):
    """A function that returns the pictures that the page has sent since this call."""
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame.replace(b"\\", b""))))
    events = re.compile(rb"\[\{\"event\".*\}\]")
    return lambda: [json.loads(events.search(frame)[0])[0]["value"] for frame in sent if b'"inverted"' in frame]


def code_of(own):
    """The code that torch gives the picture of a message."""
    x = np.frombuffer(base64.b64decode(own["x"]), np.uint8).reshape(1, 1, 28, 28) / np.float32(255)
    return vae.load("mnist-vae-16d").encode(torch.from_numpy(x)).mean[0].tolist()


def test_a_drawing_on_sliders_is_sent_with_its_code(page, address):
    """The browser has the model, so the server need not encode."""
    pictures = sent_pictures(page)
    open_page(page, address, "sliders", model="mnist-vae-16d")
    page.get_by_text("Start from an image").click()
    settle(page)
    draw(page, "sliders_start", SEVEN)
    (own,) = pictures()
    assert own["weights"].startswith("mnist-vae-16d ")
    mean = code_of(own)
    assert own["z"] == pytest.approx(mean, abs=1e-4) and z_in_url(page) == pytest.approx(mean, abs=2e-4)


@pytest.mark.slow
def test_a_page_that_needs_no_model_in_the_browser_fetches_it_for_the_pad(page, address):
    pictures = sent_pictures(page)
    open_place(page, address, "compare", "Choose an image", {})
    assert page.evaluate("latentSpaceExplorer.models.size") == 0
    open_pad(page, "compare_image")
    page.wait_for_function("() => [...latentSpaceExplorer.models.values()].some(({ decoder }) => decoder)")
    draw(page, "compare_image", SEVEN)
    (own,) = pictures()
    assert own["z"] == pytest.approx(code_of(own), abs=1e-4)
