"""The map of a handout: decoding, layouts, nearest images, a lasso and a path, all without a server."""

import numpy as np
import pytest
from PIL import Image

import vae
from vae.browser.handout import N_ENCODED
from vae.latent import maps, nearest
from vae.store import Store

from .handouts import PHONE, opened
from .map_page import MAP, NAME, draw_line, inner, on_screen
from .panel import until


@pytest.fixture(scope="module")
def encoded():
    return Store().read_map(NAME).take(np.arange(N_ENCODED))


@pytest.fixture
def page(browser, handout):
    with opened(browser, handout, f"#map?model={NAME}") as page:
        wait(page)
        yield page


def wait(page):
    page.locator("canvas.dots[data-drawn]").wait_for()
    page.wait_for_function(f"() => {MAP}?.[1].points")


def props(page, expression):
    """A prop of the map's widget."""
    return page.evaluate(f"() => {MAP}[1].data.{expression}")


def current(page):
    return np.array(props(page, "z"))


def captions(page):
    cells = page.get_by_role("group", name="nearest test images").locator(".caption")
    return [float(text) for text in cells.all_inner_texts()]


def emptiest(xy):
    """A place amid points (N, 2) that is far from all of them, on the lower right, where no tool lies over the map."""
    across, up = np.quantile(xy[:, 0], np.linspace(0.5, 0.99, 24)), np.quantile(xy[:, 1], np.linspace(0.01, 0.5, 24))
    grid = np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)
    return grid[np.linalg.norm(grid[:, None] - xy, axis=2).min(1).argmax()]


def test_a_click_on_a_point_takes_its_code(page, encoded):
    inner(page)
    page.mouse.click(*on_screen(page, encoded.umap[[7]])[0])
    until(page, lambda: np.abs(encoded.codes - current(page)).max(1).min() < 1e-6)
    i = int(np.abs(encoded.codes - current(page)).max(1).argmin())
    np.testing.assert_allclose(props(page, "current"), encoded.umap[i], atol=1e-4)
    indices, distances = nearest(encoded.codes[[i]], encoded.codes, 8)
    assert props(page, "near") == indices[0].tolist()
    np.testing.assert_allclose(captions(page), distances[0], atol=0.006)
    in_link = [float(v) for v in page.url.split("z=")[1].split("&")[0].split(",")]
    np.testing.assert_allclose(in_link, encoded.codes[i], atol=1e-4)


@pytest.mark.slow
def test_a_click_between_points_takes_the_code_that_is_decoded_there(page, encoded):
    inner(page)
    place = emptiest(encoded.umap)
    at = on_screen(page, [place])[0]
    page.mouse.move(*at)
    hovered = page.locator(".here canvas").get_attribute("data-z")
    page.mouse.click(*at)
    until(page, lambda: np.allclose(current(page), [float(v) for v in hovered.split(",")], atol=1e-4))
    own = np.array(props(page, "current"))  # the ring stands where the click was, not near the nearest codes
    np.testing.assert_allclose(own, place, atol=0.05)
    np.testing.assert_allclose(current(page), maps.inverse(own[None], encoded.umap, encoded.codes)[0], atol=1e-4)


@pytest.mark.slow
def test_a_z_that_no_image_has_stands_at_the_mean_of_its_nearest_codes(browser, handout, encoded):
    z = encoded.codes[:2].mean(0)
    with opened(browser, handout, f"#map?model={NAME}&z={','.join(f'{v:.4f}' for v in z)}") as page:
        wait(page)
        expected = maps.inverse(z[None], encoded.codes, encoded.umap)[0]  # the same mean, from codes to positions
        np.testing.assert_allclose(props(page, "current"), expected, atol=5e-3)
        page.get_by_label("Layout").select_option("pca")
        expected = maps.pca_plane(Store().read_map(NAME).codes).place(z[None])[0]
        np.testing.assert_allclose(props(page, "current"), expected, atol=1e-3)
        assert props(page, "layout.key") == "pca" and "map_kind=pca" in page.url


@pytest.mark.slow
def test_two_dimensions_are_a_plane_through_z(page, encoded):
    before = current(page)
    page.get_by_label("Layout").select_option("dims")
    across, up = props(page, "layout.dims")
    page.get_by_label("Up").select_option(str(across))  # the axes change places
    assert props(page, "layout.dims") == [up, across]
    inner(page)
    page.wait_for_function(f"() => !{MAP}[1].travelling")
    place = emptiest(encoded.codes[:, [up, across]])
    page.mouse.click(*on_screen(page, [place])[0])
    until(page, lambda: not np.allclose(current(page), before))
    after = current(page)
    rest = [d for d in range(len(before)) if d not in (across, up)]
    np.testing.assert_allclose(after[rest], before[rest])
    np.testing.assert_allclose(after[[up, across]], place, atol=0.05)
    np.testing.assert_allclose(props(page, "current"), after[[up, across]], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("colour", ["reconstruction error", "z2"])
def test_a_colour_of_a_link_has_its_scale(browser, handout, encoded, colour):
    values = encoded.recon if colour != "z2" else encoded.codes[:, 2]
    with opened(browser, handout, f"#map?model={NAME}&map_colour={colour}") as page:
        wait(page)
        assert page.get_by_label("Colour").input_value() == colour
        low, high = np.quantile(values, [0.02, 0.98])
        if colour == "z2":
            low, high = -max(-low, high), max(-low, high)
        found = [props(page, "colouring.low"), props(page, "colouring.high")]
        np.testing.assert_allclose(found, [low, high], rtol=0.03)
        assert len(props(page, "colouring.ramp")) == 32


@pytest.mark.slow
def test_a_path_becomes_pictures_of_which_one_can_be_picked(page, encoded):
    inner(page)
    page.get_by_role("button", name="Path").click()
    draw_line(page, on_screen(page, encoded.umap[[0, 1, 2]]).tolist())
    strip = page.get_by_role("group", name="images along the path").get_by_role("button")
    until(page, lambda: strip.count() == 16)
    end = current(page)
    strip.nth(4).click()
    until(page, lambda: not np.allclose(current(page), end))
    with page.expect_download() as download:
        page.get_by_role("button", name="Images (PNG)").click()
    assert Image.open(download.value.path()).size == (16 * 28 * 4, 28 * 4)
    with page.expect_download() as download:
        page.get_by_role("button", name="Animation (GIF)").click()
    gif = Image.open(download.value.path())
    assert (gif.size, gif.n_frames) == ((8 * 28, 8 * 28), 30)  # there and back
    page.get_by_role("button", name="Clear").click()
    until(page, lambda: not strip.count() or not strip.first.is_visible())
    assert not props(page, "path")


@pytest.mark.slow
def test_a_lasso_counts_its_images_and_takes_their_mean(page, encoded):
    box = inner(page)
    page.get_by_role("button", name="Lasso").click()
    left, right = box["x"] + 4, box["x"] + box["width"] / 2
    top, bottom = box["y"] + 300, box["y"] + box["height"] - 4
    draw_line(page, [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])
    until(page, lambda: props(page, "chosen.length"))
    chosen = props(page, "chosen")
    page.get_by_role("heading", name=f"Selected: {len(chosen)} of 1,000 images").wait_for()
    np.testing.assert_allclose(current(page), encoded.codes[chosen].mean(0), atol=1e-5)
    labels = vae.data.DATASETS["mnist"].load("test", download=False).labels[encoded.rows[chosen]]
    counts = {name: int(n) for name, n in zip(*np.unique(labels, return_counts=True), strict=True)}
    text = page.get_by_text("By class:").inner_text()
    assert all(f"{label}: {n}" in text for label, n in counts.items())
    thumbnails = page.get_by_role("group", name="selected test images").get_by_role("button")
    assert thumbnails.count() == min(12, len(chosen))
    thumbnails.first.click()
    typical = chosen[int(np.linalg.norm(encoded.codes[chosen] - encoded.codes[chosen].mean(0), axis=1).argmin())]
    until(page, lambda: np.allclose(current(page), encoded.codes[typical], atol=1e-6))


@pytest.mark.slow
def test_a_lasso_begins_between_the_tools_even_while_text_is_selected(page):
    """The toolbar's box lies over the map; dragging selected text would cancel the pointer."""
    inner(page)
    page.get_by_role("button", name="Lasso").click()
    box, density = page.locator(".tools").bounding_box(), page.get_by_text("Density").bounding_box()
    start = (box["x"] + box["width"] - 4, density["y"] + density["height"] / 2)
    assert start[0] > density["x"] + density["width"] + 20
    for height in (200, 300):
        page.keyboard.press("ControlOrMeta+a")
        before = props(page, "chosen")
        left, right, bottom = box["x"] + 4, box["x"] + 400, start[1] + height
        draw_line(page, [start, (right, start[1]), (right, bottom), (left, bottom), (left, start[1] + 60), start])
        until(page, lambda old=before: len(props(page, "chosen") or []) > len(old or []))
    page.get_by_text("Density").click()  # the tools themselves still work
    assert not page.get_by_label("Density").is_checked()


@pytest.mark.slow
def test_a_tap_on_a_phone_takes_a_code(browser, handout, encoded):
    with opened(browser, handout, f"#map?model={NAME}", **PHONE) as page:
        wait(page)
        before = current(page)
        inner(page)
        page.touchscreen.tap(*on_screen(page, encoded.umap[[7]])[0])
        until(page, lambda: not np.allclose(current(page), before))
        assert np.abs(encoded.codes - current(page)).max(1).min() < 1e-6


@pytest.mark.slow
def test_the_keyboard_goes_to_a_point(page, encoded):
    page.locator("canvas.over").focus()
    for key in ("ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    until(page, lambda: np.abs(encoded.codes - current(page)).max(1).min() < 1e-6)
