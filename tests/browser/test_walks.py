"""Walks through the app as its users take them, in Chromium."""

import re
import urllib.parse

import numpy as np
import pytest
from PIL import Image

import vae
from vae.data import DATASETS

from .app_server import running_app, settle, watch

PAGES = ["", "sample", "sliders", "interpolate", "map"]


def open_page(page, address, path="", **query):
    page.goto(f"{address}/{path}?{urllib.parse.urlencode(query)}")
    page.wait_for_selector("h1", timeout=60_000)
    settle(page)


def z_in_url(page):
    query = urllib.parse.parse_qs(urllib.parse.urlparse(page.url).query)
    return [float(v) for v in query["z"][0].split(",")]


def panel_pixels(page):
    """The live panel's canvas, (H, W) grey."""
    values = page.evaluate(
        "() => { const c = [...document.querySelectorAll('*')].flatMap(e => e.shadowRoot ?"
        " [...e.shadowRoot.querySelectorAll('canvas.picture')] : [])[0];"
        " return [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]] }"
    )
    return np.array(values[2]).reshape(values[0], values[1], 4)[:, :, 0]


def decoded(name, z):
    import torch

    return vae.load(name).decode(torch.tensor([z]))[0, 0].numpy() * 255


def painted(page):
    return int(page.locator("canvas.picture").get_attribute("data-painted"))


DRAG = """async ([seconds, perSecond]) => {
  const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean);
  const root = roots.find(r => r.querySelector('canvas.picture'));
  const canvas = root.querySelector('canvas.picture'), input = root.querySelector('input[type=range]');
  const pictures = [];
  const observer = new MutationObserver(() => pictures.push(canvas.toDataURL()));
  observer.observe(canvas, { attributeFilter: ['data-painted'] });
  const low = Number(input.min), high = Number(input.max);
  const start = performance.now();
  for (let now = start; now - start < 1000 * seconds; now = performance.now()) {
    input.value = low + (high - low) * (0.5 + 0.45 * Math.sin((now - start) / 200));
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise(next => setTimeout(next, 1000 / perSecond));
  }
  observer.disconnect();
  input.dispatchEvent(new Event('change', { bubbles: true }));
  return [pictures.length, new Set(pictures).size];
}"""


def test_dragging_changes_the_picture_many_times_a_second(page, address):
    open_page(page, address, "sliders", model="mnist-vae-16d")
    painted, different = page.evaluate(DRAG, [1, 60])
    print(f"a drag of one second: {painted} pictures painted, {different} different")
    assert painted >= 15 and different >= 15


def test_only_the_release_writes_the_point(page, address):
    open_page(page, address, "sliders", model="mnist-vae-16d")
    box = page.locator("input[type=range]").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    before, z_before = painted(page), z_in_url(page)
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for step in range(10):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.04 * step), middle)
    page.wait_for_function(f"""() => Number([...document.querySelectorAll('*')].map(e =>
        e.shadowRoot?.querySelector('canvas.picture')).find(Boolean).dataset.painted) > {before + 1}""")
    assert z_in_url(page) == z_before
    page.mouse.up()
    page.wait_for_function(f"z => !location.search.includes(z)", arg=in_query(z_before))
    settle(page)
    z = z_in_url(page)
    assert sum(a != b for a, b in zip(z, z_before)) == 1
    np.testing.assert_allclose(panel_pixels(page), decoded("mnist-vae-16d", z), atol=1)


def in_query(z):
    return "z=" + "%2C".join(f"{v:g}" for v in z)


def test_the_keyboard_moves_a_slider(page, address):
    open_page(page, address, "sliders", model="mnist-vae-2d", z="0,0")
    page.locator("input[type=range]").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => !location.search.includes('z=0%2C0')")
    settle(page)
    z = z_in_url(page)
    assert z[0] > 0.1 and z[1] == 0
    np.testing.assert_allclose(panel_pixels(page), decoded("mnist-vae-2d", z), atol=1)


def test_few_sliders_are_shown_first_and_all_on_request(page, address):
    open_page(page, address, "sliders", model="mnist-vae-16d")
    sliders = page.locator("input[type=range]:visible")
    assert sliders.count() == 6
    page.get_by_role("button", name="Show all 16").click()
    assert sliders.count() == 16


def test_an_uploaded_image_ends_as_a_gif(page, address, tmp_path):
    digits, _ = DATASETS["mnist"].load("test").batch([3])
    # as a stranger would have it: dark on white, large, a JPEG
    picture = Image.fromarray(255 - (digits[0, 0].numpy() * 255).astype(np.uint8)).resize((400, 400))
    picture.save(tmp_path / "zero.jpg")
    open_page(page, address, "interpolate", model="mnist-vae-16d")
    page.get_by_role("radio", name="Upload").or_(page.get_by_role("button", name="Upload")).first.click()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "zero.jpg")
    page.get_by_text("what the model sees").wait_for()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Animation (GIF)").click()
    gif = Image.open(download.value.path())
    assert gif.format == "GIF" and gif.n_frames == 16  # 9 steps there, 7 back
    first = np.asarray(gif.convert("L").resize((28, 28), Image.Resampling.BOX), float)
    # its first frame is the model's reconstruction of what was uploaded
    assert np.corrcoef(first.ravel(), digits[0, 0].numpy().ravel())[0, 1] > 0.8


def test_a_map_click_is_the_current_point_on_sliders(page, address):
    open_page(page, address, "map", model="mnist-vae-2d", z="0,0")
    page.locator(".js-plotly-plot .points path").nth(40).wait_for()
    # a real click at the place of a point
    spot = page.evaluate(
        "() => { const plot = document.querySelector('.js-plotly-plot');"
        " const points = [...plot.querySelectorAll('.scatterlayer .trace')[0].querySelectorAll('path.point')];"
        " const box = points[40].getBoundingClientRect();"
        " return [box.x + box.width / 2, box.y + box.height / 2] }"
    )
    page.mouse.move(*spot)
    page.wait_for_timeout(200)
    page.mouse.click(*spot)
    page.wait_for_function("() => !location.search.includes('z=0%2C0')")
    settle(page)
    z = z_in_url(page)
    x, _ = DATASETS["mnist"].load("test").batch(range(5000))
    codes = vae.load("mnist-vae-2d").encode(x).mean.numpy()
    assert np.abs(codes - z).max(1).min() < 1e-3  # it is the code of a held-out image
    page.get_by_role("link", name="Sliders").click()
    page.get_by_role("heading", name="Sliders").wait_for()
    settle(page)
    assert z_in_url(page) == z
    np.testing.assert_allclose(panel_pixels(page), decoded("mnist-vae-2d", z), atol=1)


def test_a_click_on_a_sample_is_the_current_point(page, address):
    import torch

    open_page(page, address, "sample", model="mnist-vae-16d", seed=5)
    draws = vae.load("mnist-vae-16d").sample(36, generator=torch.Generator().manual_seed(5))
    before = z_in_url(page)
    page.get_by_role("button", name="draw 4 of 36").click()
    page.wait_for_function(f"() => !location.search.includes('z={before[0]:g}%2C')")
    assert z_in_url(page) == pytest.approx(draws[3].tolist(), abs=1e-4)


def test_a_link_shows_the_same_picture_in_another_browser(page, address, browser):
    open_page(page, address, "sliders", model="mnist-cvae")
    page.get_by_role("button", name="Random").click()
    page.wait_for_function("() => location.search.includes('seed=1')")
    page.get_by_role("radio", name="4", exact=True).or_(
        page.get_by_role("button", name="4", exact=True)
    ).first.click()
    page.wait_for_function("() => location.search.includes('y=4')")
    settle(page)
    other = browser.new_context().new_page()
    other.goto(page.url)
    other.locator("canvas.picture").wait_for(timeout=60_000)
    settle(other)
    np.testing.assert_array_equal(panel_pixels(other), panel_pixels(page))
    other.context.close()


def test_one_click_from_home_to_the_sliders(page, address):
    open_page(page, address)
    page.get_by_role("button", name="Explore").nth(2).click()
    page.get_by_role("heading", name="Sliders").wait_for()
    settle(page)
    assert "model=mnist-vae-16d" in page.url
    assert painted(page) >= 1


def test_a_deep_link_as_a_fresh_servers_first_request(browser):
    with running_app() as fresh:
        context = browser.new_context()
        page = context.new_page()
        errors = watch(page)
        page.goto(f"{fresh}/sliders?model=mnist-vae-2d&z=0.5,-0.5")
        page.locator("canvas.picture").wait_for(timeout=60_000)
        settle(page)
        assert page.get_by_role("link", name="Interpolate").count()
        np.testing.assert_allclose(
            panel_pixels(page), decoded("mnist-vae-2d", [0.5, -0.5]), atol=1
        )
        assert not errors
        context.close()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_fit_and_call_nobody(page, address, path, width):
    outside = []
    page.on(
        "request",
        lambda request: re.match(r"data:|blob:", request.url)
        or request.url.startswith(address)
        or outside.append(request.url),
    )
    page.set_viewport_size({"width": width, "height": 844})
    open_page(page, address, path, model="mnist-vae-16d")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not page.locator("[data-testid=stException]").count()
    assert not outside
