"""The model at work on Home: z moved there is the z of all pages, and a photo goes through the model."""

import numpy as np
import pytest
import torch

import vae

from .app_server import settle
from .panel import decoded, in_query, open_page, until, wait_for_another_z, z_in_url

NAME = "mnist-vae-2d"
HOME = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.autoencoder).find(Boolean)"


@pytest.fixture
def home(page, address):
    open_page(page, address, model=NAME, z="0.5,-0.5")
    page.wait_for_function(f"() => {HOME}?.painted && {HOME}.tilesOf")
    return page


def image(page, name):
    """The grey levels of a canvas (H, W), 0 to 255."""
    height, width, values = page.evaluate(
        f"""() => {{ const c = {HOME}.root.querySelector('canvas.{name}');
          return [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]] }}"""
    )
    return np.array(values).reshape(height, width, 4)[:, :, 0]


def shows(page, z):
    """Wait until the link, the circle and the decoded image are those of z."""
    close = lambda values: np.allclose(values, z, atol=1e-3)  # noqa: E731
    until(page, lambda: close(z_in_url(page)) and close(page.evaluate(f"[...{HOME}.z]")))
    settle(page)
    until(page, lambda: np.abs(image(page, "x_hat") - decoded(NAME, z)[:, :, 0]).max() <= 1)


def drag(page, x, y):
    """Drag the white circle to a place, in shares of the plane's width and height. Returns the new z."""
    before, box = z_in_url(page), page.locator(".plane").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=5)
    page.wait_for_timeout(400)  # a hand that rests has not released
    assert z_in_url(page) == before
    page.mouse.up()
    wait_for_another_z(page, before)
    return z_in_url(page)


@pytest.mark.slow
def test_z_moved_on_home_is_the_z_of_all_pages_and_can_be_undone(home):
    length = home.evaluate("history.length")
    shows(home, [0.5, -0.5])
    first = drag(home, 0.8, 0.3)
    shows(home, first)
    second = drag(home, 0.2, 0.6)
    shows(home, second)
    home.get_by_role("button", name="Undo").click()
    shows(home, first)
    home.locator("h1").click()
    home.keyboard.press("Control+z")
    shows(home, [0.5, -0.5])
    home.keyboard.press("Control+y")
    shows(home, first)
    home.get_by_role("button", name="Redo").click()
    shows(home, second)
    assert home.evaluate("history.length") == length
    home.get_by_role("link", name="Sliders", exact=True).first.click()
    home.wait_for_function("() => location.pathname === '/sliders'")
    settle(home)
    assert in_query(second) in home.url


def stroke(page, *places):
    """Draw a line on the image, through places in shares of its size. Returns the z of the drawing."""
    before, box = z_in_url(page), page.locator("canvas.pad").bounding_box()
    for i, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=4)
        if i == 0:
            page.mouse.down()
    page.mouse.up()
    wait_for_another_z(page, before)
    return z_in_url(page)


@pytest.mark.slow
def test_undo_and_the_way_back_show_the_image_that_z_belongs_to(home):
    test_image = image(home, "x")
    one = stroke(home, (0.5, 0.1), (0.5, 0.9))
    drawn = image(home, "x")
    assert not np.array_equal(drawn, test_image)
    cross = stroke(home, (0.1, 0.5), (0.9, 0.5))
    crossed = image(home, "x")
    moved = drag(home, 0.3, 0.7)
    for z, x in ((cross, crossed), (one, drawn), ([0.5, -0.5], test_image)):
        home.get_by_role("button", name="Undo").click()
        shows(home, z)
        np.testing.assert_array_equal(image(home, "x"), x)
    assert home.get_by_text("(draw here)").is_visible()
    for z, x in ((one, drawn), (cross, crossed), (moved, crossed)):
        home.get_by_role("button", name="Redo").click()
        shows(home, z)
        np.testing.assert_array_equal(image(home, "x"), x)
    home.get_by_role("link", name="Glossary").first.click()
    home.get_by_role("heading", name="Glossary").wait_for()
    home.get_by_role("link", name="Home").first.click()
    home.wait_for_function(f"() => {HOME}?.tilesOf")
    shows(home, moved)
    np.testing.assert_array_equal(image(home, "x"), crossed)


def test_an_answer_that_comes_late_does_not_move_z(home):
    """Three places before the first answer: the last one stays."""
    for part in (0.3, 0.6, 0.8):
        box = home.locator(".plane").bounding_box()
        home.mouse.click(box["x"] + box["width"] * part, box["y"] + box["height"] * part)
        home.wait_for_timeout(260)
    last = home.evaluate(f"[...{HOME}.z]")
    shows(home, [round(v, 4) for v in last])


@pytest.mark.slow
def test_a_photo_goes_through_the_model_and_the_camera_is_off_afterwards(home):
    home.set_viewport_size({"width": 390, "height": 700})
    home.context.grant_permissions(["camera"])
    camera = home.locator(".camera")
    before = z_in_url(home)
    home.get_by_role("button", name="Photograph").click()
    home.get_by_role("button", name="Close the camera").click()
    assert camera.is_hidden() and home.evaluate(f"{HOME}.root.querySelector('video').srcObject") is None
    home.get_by_role("button", name="Photograph").click()
    home.wait_for_function(f"() => {HOME}.root.querySelector('video').videoWidth")
    home.get_by_role("button", name="Take the photo").click()
    home.get_by_text("your photo, prepared like the training data").wait_for()
    assert camera.is_hidden() and home.evaluate(f"{HOME}.root.querySelector('video').srcObject") is None
    wait_for_another_z(home, before)
    assert home.locator("canvas.x_hat").bounding_box()["y"] >= 44  # the result is in view
    x = torch.from_numpy(image(home, "x") / np.float32(255))[None, None].float()
    assert x.std() > 0.05
    mu = vae.load(NAME).encode(x).mean[0].tolist()
    shows(home, z_in_url(home))
    assert z_in_url(home) == pytest.approx(mu, abs=0.02)  # the canvas has 256 levels
