"""Interpolate of a handout, and Sliders from an image: test images, drawings and files without a server."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import expect

import vae
from vae import latent
from vae.data import DATASETS

from .handouts import PHONE
from .picture_inputs import ALTERED, Touch, bar, drag_event, file_of, paste, transfer_of

CELLS = "[aria-label='interpolation in latent space'] .cell"


def z_of(page):
    """z of the address."""
    return np.array(page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('z')").split(","), float)


def walk(name, rows, t, path=latent.lerp):
    """Codes (S, D) between the means of test images, and their pictures (S, C, H, W), as torch computes them."""
    import torch

    model = vae.load(name)
    x, _ = DATASETS[model.card.data].load("test").batch(np.array(rows))
    with torch.no_grad():
        a, b = model.encode(x).mean
        zs = path(a, b, torch.tensor(t))
        return zs.numpy(), model.decode(zs).numpy()


def downloaded(page, button):
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Image.open(io.BytesIO(download.value.path().read_bytes()))


def source(page, name):
    """The picture input of this name."""
    return page.locator(".pair > div").nth("AB".index(name))


def draw(page, place, x=0.5):
    """Draw an upright line on the pad of a picture input."""
    place.get_by_role("tab", name="Draw").click()
    pad = place.locator(".pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.15 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.85 * box["height"], steps=6)
    page.mouse.up()


def test_a_walk_between_two_test_images_is_that_of_torch(open_view):
    page = open_view("interpolate?model=rooms-ada&interpolate_A=0&interpolate_B=1&interpolate_steps=5")
    expect(page.locator(CELLS)).to_have_count(5)
    zs, images = walk("rooms-ada", (0, 1), (0.0, 0.25, 0.5, 0.75, 1.0))
    page.locator(CELLS).nth(1).click()
    expect(page.locator(CELLS).nth(1)).to_have_attribute("aria-current", "true")
    np.testing.assert_allclose(z_of(page), zs[1], atol=1e-4)
    strip = downloaded(page, "Images (PNG)")
    assert strip.info["Copyright"].startswith("Rooms, Ada-GVAE, 10-D (rooms-ada), ")
    pixels = np.asarray(strip.resize((5 * 64, 2 * 64), Image.Resampling.NEAREST)) / 255
    for i, image in enumerate(images):
        np.testing.assert_allclose(pixels[:64, 64 * i : 64 * (i + 1)], image.transpose(1, 2, 0), atol=0.5 / 255 + 1e-4)
    x = DATASETS["rooms"].load("test").batch(np.array([0, 1]))[0].numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(pixels[64:, 128:192], x.mean(0), atol=0.51 / 255)


@pytest.mark.slow
def test_a_great_arc_beyond_both_ends_as_an_animation(open_view):
    page = open_view("interpolate?model=mnist-vae-16d&interpolate_A=1&interpolate_B=0")
    page.get_by_role("button", name="Great arc").click()
    page.get_by_label("Go beyond both ends").check()
    page.get_by_label("Steps").fill("4")
    expect(page.locator(CELLS)).to_have_count(4)
    zs, images = walk("mnist-vae-16d", (1, 0), (-0.25, 0.25, 0.75, 1.25), latent.slerp)
    page.locator(CELLS).first.click()
    np.testing.assert_allclose(z_of(page), zs[0], atol=2e-4)
    animation = downloaded(page, "Animation (GIF)")
    assert b"mnist-vae-16d" in animation.info["comment"] and animation.info["duration"] == 120
    frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(animation)]
    assert len(frames) == 6, "there and back"
    np.testing.assert_allclose(frames[3][4::8, 4::8] / 255, images[3, 0], atol=0.5 / 255 + 1e-4)
    np.testing.assert_array_equal(frames[1], frames[5])
    page.reload()
    expect(page.locator(CELLS)).to_have_count(4)
    expect(page.get_by_role("button", name="Great arc")).to_have_attribute("aria-pressed", "true")


@pytest.mark.slow
def test_own_pictures_become_ends_and_outlive_views_models_and_a_reload(open_view):
    page = open_view("interpolate?model=mnist-vae-16d")
    a, b = source(page, "A"), source(page, "B")
    draw(page, a)
    expect(a.locator(".caption")).to_have_text("your picture")
    assert "photo or file" in page.evaluate(WORDS) and "server" not in page.evaluate(WORDS)
    expect(a.locator(".sent")).to_have_text("Your picture stays in this page: nothing is sent.")
    b.get_by_role("tab", name="Photo or file").click()
    b.locator(".input").dispatch_event("pointerenter")
    paste(page, file_of(bar()))
    expect(b.locator(".caption")).to_have_text("your picture")
    for input_ in (a, b):  # both are upright bars
        assert input_.locator(".seen").evaluate(MIDDLE)
    page.locator("nav").get_by_text("Sample").click()
    page.locator("nav").get_by_text("Interpolate").click()
    expect(source(page, "A").locator(".caption")).to_have_text("your picture")
    page.reload()
    expect(source(page, "B").locator(".caption")).to_have_text("your picture")
    page.locator("header select").select_option("rooms-vae")
    expect(page).to_have_title("Interpolate: Rooms, VAE, 10-D")
    expect(source(page, "A").locator(".caption")).to_have_text("your picture")  # prepared again, for other data
    source(page, "A").locator(".tabs").get_by_text("Test images").click()
    source(page, "A").locator(".gallery .cell").nth(3).click()
    expect(source(page, "A").locator(".caption")).to_contain_text("test image")
    assert "interpolate_A=" in page.url and "interpolate_B=" not in page.url


# the texts of all widgets
WORDS = "[...document.querySelectorAll('main *')].map((e) => e.shadowRoot?.textContent ?? '').join(' ').toLowerCase()"
MIDDLE = """(canvas) => {
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const at = (x, y) => data[4 * (Math.round(y * (height - 1)) * width + Math.round(x * (width - 1)))];
  return at(0.5, 0.5) > 150 && at(0.5, 0.25) > 150 && at(0.2, 0.5) < 60; }"""  # noqa: E501


@pytest.mark.slow
def test_sliders_start_from_a_test_image_or_a_drawing(open_view):
    page = open_view("sliders?model=mnist-vae-16d")
    page.get_by_text("Start from an image").click()
    place = page.locator("details")
    place.locator(".gallery .cell").nth(2).click()
    row = int(page.url.split("sliders_start=")[1].split("&")[0])
    np.testing.assert_allclose(z_of(page), walk("mnist-vae-16d", (row, row), (0.0,))[0][0], atol=1e-4)
    before = z_of(page)
    draw(page, place)
    expect(place.locator(".caption")).to_have_text("your picture")
    assert np.abs(z_of(page) - before).max() > 0.3 and "sliders_start" not in page.url


@pytest.mark.slow
def test_a_dropped_file_on_a_phone(open_view):
    page = open_view("interpolate?model=mnist-vae-16d", **PHONE)
    place = source(page, "B")
    transfer = transfer_of(page, file_of(bar(), "JPEG"), "bar.jpg", "image/jpeg")
    page.evaluate("(element) => (element.id = 'b')", place.locator(".input").evaluate_handle("(e) => e.getRootNode().host"))  # noqa: E501
    drag_event(page, "drop", transfer, "b")
    expect(place.locator(".caption")).to_have_text("your picture")
    assert place.locator(".seen").evaluate(MIDDLE)
    place.get_by_role("tab", name="Draw").click()
    pad = place.locator(".pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    touch = Touch(page)
    touch("touchStart", 0, (box["x"] + 20, box["y"] + 60))
    touch("touchMove", 0, (box["x"] + box["width"] - 20, box["y"] + 60))
    touch("touchEnd", 0)
    expect(place.locator(".result")).to_be_visible()
    assert not place.locator(".seen").evaluate(MIDDLE), "the drawing has replaced the file"


@pytest.mark.slow
def test_a_browser_that_alters_pixels_says_so_and_draws(open_view):
    page = open_view("interpolate?model=mnist-vae-16d")
    page.add_init_script(ALTERED)
    page.reload()
    place = source(page, "A")
    paste(page, file_of(bar()))
    expect(place.get_by_role("alert")).to_contain_text("This browser alters the pixels that a page reads")
    draw(page, place)
    expect(place.locator(".caption")).to_have_text("your picture")


@pytest.mark.slow
@pytest.mark.parametrize("link", ["interpolate_A=9999&interpolate_steps=99", "interpolate_A=x&interpolate_steps=4.5&interpolate_line=no"])  # noqa: E501
def test_settings_that_cannot_be_used_are_not(open_view, link):
    page = open_view(f"interpolate?model=mnist-vae-16d&{link}")
    expect(page.locator(CELLS)).to_have_count(9)
    expect(source(page, "A").locator(".caption")).to_have_text("test image 0: 7")
