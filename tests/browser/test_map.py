"""The map, as hand, finger and keys walk on it."""

import contextlib
import csv
import io
import re
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import TimeoutError, expect

import vae
from pages.components.shell import pictures
from vae import store
from vae.data import DATASETS
from vae.latent import maps

from .app_server import settle
from .map_page import MAP, NAME, inner, on_screen, open_map
from .panel import in_query, shows, until, wait_for_another_z, z_in_url


@pytest.fixture(scope="module")
def known():
    return store.Store().read_map(NAME), DATASETS["mnist"].load("test")


def card(page, other_than=-1):
    """(index, thumbnail (H, W) grey) of the card, once it is shown, of another point if so wished."""
    page.wait_for_function(
        f"(p) => !{MAP}[1].card.hidden && Number({MAP}[1].card.dataset.index) !== p", arg=other_than
    )
    index, height, width, values = page.evaluate(
        f"() => {{ const {{ card }} = {MAP}[1], c = card.querySelector('canvas');"
        " return [Number(card.dataset.index), c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]] }"  # noqa: E501
    )
    return index, np.array(values).reshape(height, width, 4)[:, :, 0]


def assert_right_thumbnail(page, known, index):
    until(page, lambda: card(page)[0] == index)
    _, thumbnail = card(page)
    found, split = known
    expected = split.render(found.rows[[index]])[0, 0].astype(float)
    # the sheet is compressed: alike, and like no other image of the collection
    assert np.abs(thumbnail - expected).mean() < 12
    others = split.render(found.rows[:500])[:, 0].astype(float)
    nearest = np.abs(others - thumbnail).mean((1, 2)).argmin()
    assert index >= 500 or nearest == index


def lonely(xy, count=3, among=None):
    """Points far from all others: there a hover means just them."""
    among = np.arange(len(xy)) if among is None else among
    apart = np.sqrt(((xy[among][:, None] - xy[among][None]) ** 2).sum(2))
    np.fill_diagonal(apart, np.inf)
    return among[np.argsort(-apart.min(1))[:count]]


def test_hover_shows_the_right_image_after_dimming_sorting_and_lasso(page, address, known):
    found, split = known
    labels = split.labels[found.rows]
    open_map(page, address)
    inner(page)
    for index in lonely(found.umap):
        page.mouse.move(*on_screen(page, found.umap[[index]])[0])
        assert_right_thumbnail(page, known, index)
    # dimmed: only the lit class answers, though others lie nearer
    page.get_by_role("group", name="classes").get_by_role("button", name=re.compile("^3 ?500")).click()
    threes = np.flatnonzero(labels == 3)
    for index in lonely(found.umap, among=threes):
        page.mouse.move(*on_screen(page, found.umap[[index]])[0] + [1, 0])
        assert_right_thumbnail(page, known, index)
    # coloured by another quantity, which sorts nothing anew
    page.get_by_role("group", name="classes").get_by_role("button", name=re.compile("^3 ?500")).click()
    page.get_by_role("combobox").nth(1).fill("reconstruction error")
    page.keyboard.press("Enter")
    page.get_by_text("Colour: -log p(x | z").wait_for()
    settle(page)
    inner(page)
    index = lonely(found.umap)[0]
    page.mouse.move(*on_screen(page, found.umap[[index]])[0])
    assert_right_thumbnail(page, known, index)
    # a lasso round the zeros; and the sorted pictures of what it caught
    zeros = np.flatnonzero(labels == 0)
    middle = np.median(found.umap[zeros], axis=0)
    corners = on_screen(page, middle + np.array([[-2.2, -2.2], [2.2, -2.2], [2.2, 2.2], [-2.2, 2.2]]))
    before = z_in_url(page)
    page.get_by_role("button", name="Lasso").click()
    lasso(page, corners)
    wait_for_another_z(page, before)
    inside = (np.abs(found.umap - middle) < 2.2).all(1)
    page.get_by_text(f"Chosen: {inside.sum():,} of 5,000 images").wait_for()
    inner(page)
    index = lonely(found.umap, among=np.flatnonzero(inside))[0]
    page.mouse.move(*on_screen(page, found.umap[[index]])[0])
    assert_right_thumbnail(page, known, index)
    assert z_in_url(page) == pytest.approx(found.codes[inside].mean(0).tolist(), abs=2e-4)
    grid = page.get_by_role("group", name="chosen images").get_by_role("button")
    settle(page)
    # by keys: the list opens beside its button, and a late answer of the server may close it again
    sorting = page.locator(".st-key-map_selection_sort").get_by_role("combobox")
    chosen = page.get_by_role("option", name="reconstruction error, highest first")
    for _ in range(5):
        sorting.press("ArrowDown")
        with contextlib.suppress(TimeoutError):
            chosen.click(timeout=1000)
            break
    worst = np.flatnonzero(inside)[np.argsort(-found.recon[inside], kind="stable")]
    expect(grid.nth(0)).to_have_attribute("title", re.compile(f"test image {found.rows[worst[0]]}$"))
    before = z_in_url(page)
    grid.nth(0).click()
    wait_for_another_z(page, before)
    assert z_in_url(page) == pytest.approx(found.codes[worst[0]].tolist(), abs=2e-4)
    with page.expect_download() as download:
        page.get_by_role("button", name="Rows (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert [int(row["image"]) for row in rows] == found.rows[inside].tolist()
    assert float(rows[0]["z3"]) == pytest.approx(found.codes[inside][0, 3], abs=1e-4)


def lasso(page, corners):
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=6)
    page.mouse.up()


def here(page):
    """(z, pixels (H, W)) of the picture that follows the pointer."""
    page.wait_for_function(f"() => {MAP}?.[1].hereCanvas.dataset.z")
    z, values = page.evaluate(
        f"() => {{ const c = {MAP}[1].hereCanvas;"
        " return [c.dataset.z.split(',').map(Number), [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]] }"  # noqa: E501
    )
    return np.array(z), np.array(values).reshape(28, 28, 4)[:, :, 0]


def digits_zip(path, n):
    x, labels = DATASETS["mnist"].load("test").batch(range(n))
    with zipfile.ZipFile(path, "w") as archive:
        for i, pixels in enumerate(pictures.to_uint8(x)):
            archive.writestr(f"all/{labels[i]}/{i}.png", pictures.png(pictures.to_image(pixels)))
    return path


def choose_layout(page, key):
    """Take another layout and wait until its points are there. Returns the x at which frames showed the first point."""  # noqa: E501
    title = {"umap": "UMAP", "pca": "PCA"}[key]
    page.evaluate(
        f"""() => {{ window.seen = []; const [over, map] = {MAP};
          const look = () => {{ if (window.seen) {{ window.seen.push(map.shown[0]); requestAnimationFrame(look) }} }}; look() }}"""  # noqa: E501
    )
    page.get_by_role("radio", name=title, exact=True).or_(page.get_by_role("button", name=title, exact=True)).first.click()  # noqa: E501
    page.wait_for_function(f"(key) => {MAP}[1].placed === key && !{MAP}[1].travelling", arg=key)
    settle(page)
    return page.evaluate("() => { const { seen } = window; window.seen = null; return seen }")


def assert_decoded_between_points(page, name, key):
    """At the emptiest spot in the middle of the map: what is shown there, and that a click goes there."""
    found, model = store.Store().read_map(name), vae.load(name)
    xy = found.codes if key == "dims" else getattr(found, key)
    rng = np.random.default_rng(0)
    spots = rng.uniform(*np.quantile(xy, [0.01, 0.99], axis=0), (400, 2))
    gaps = np.sqrt(((spots[:, None] - xy[None]) ** 2).sum(2)).min(1)
    spot = spots[gaps.argmax()]
    inner(page)
    at = np.round(on_screen(page, spot[None])[0])
    page.mouse.move(*at)
    # the place that the pixel means
    unit = on_screen(page, np.array([[0.0, 0.0], [1.0, 1.0]]))
    place = (at - unit[0]) / (unit[1] - unit[0])
    if key == "umap":
        expected = maps.inverse(place[None], xy, found.codes)[0]
    else:
        plane = maps.pca_plane(found.codes) if key == "pca" else maps.dimension_plane(np.zeros(2), (0, 1))
        expected = plane.inverse(place[None])[0]
    until(page, lambda: np.allclose(here(page)[0], expected, atol=2e-3))
    z, shown = here(page)
    picture = model.decode(torch.tensor(z[None], dtype=torch.float32))[0, 0].numpy() * 255
    np.testing.assert_allclose(shown, picture, atol=1.5)
    before = z_in_url(page)
    page.mouse.click(*at)  # and a click goes there
    wait_for_another_z(page, before)
    assert z_in_url(page) == pytest.approx(expected.tolist(), abs=2e-3)


def test_places_between_points_layouts_and_a_pinch(page, address):
    """And of the whole visit, codes and thumbnails are sent once."""
    sizes = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: sizes.append(len(frame if isinstance(frame, (bytes, str)) else b""))),  # noqa: E501
    )  # fmt: skip
    open_map(page, address)
    large = sum(size > 200_000 for size in sizes)
    assert large >= 2  # codes, thumbnails
    assert_decoded_between_points(page, NAME, "umap")
    seen = choose_layout(page, "pca")
    assert set(seen) - {seen[0], seen[-1]} and seen[0] != seen[-1]  # a point was seen on its way
    assert_decoded_between_points(page, NAME, "pca")
    page.emulate_media(reduced_motion="reduce")
    assert len(set(choose_layout(page, "umap"))) == 2  # there at once
    # a pinch zooms about its middle
    box = inner(page)
    x, y = box["x"] + 300, box["y"] + 200
    page.evaluate(
        f"""([x, y]) => {{ const [over] = {MAP}; over.setPointerCapture = () => {{}};
          const send = (type, id, dx) => over.dispatchEvent(new PointerEvent(type, {{ pointerId: id, pointerType: 'touch', clientX: x + dx, clientY: y, bubbles: true, cancelable: true }}));
          send('pointerdown', 1, -40); send('pointerdown', 2, 40);
          for (let i = 1; i <= 20; i++) {{ send('pointermove', 1, -40 - 2 * i); send('pointermove', 2, 40 + 2 * i); }}
          send('pointerup', 1, -80); send('pointerup', 2, 80); }}""",  # noqa: E501
        [x, y],
    )
    assert page.evaluate(f"{MAP}[1].view.k") == pytest.approx(2, rel=0.05)
    # to another page and back
    page.get_by_role("link", name="Sliders").click()
    page.get_by_role("heading", name="Sliders").wait_for()
    settle(page)
    page.get_by_role("link", name="Map").click()
    page.locator("canvas.dots[data-drawn]").wait_for()
    settle(page)
    assert sum(size > 200_000 for size in sizes) == large


def test_the_plane_a_cancelled_fit_and_a_click_that_is_the_current_point_on_sliders(page, address, tmp_path):
    name = "mnist-vae-2d"
    open_map(page, address, name, z="0,0")
    assert_decoded_between_points(page, name, "dims")
    # a fit under way can be cancelled, and the page answers meanwhile
    page.get_by_role("button", name="Your images").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(digits_zip(tmp_path / "some.zip", 30))
    page.get_by_role("button", name="Fit a map of their own").click()
    page.get_by_text("Your map:").wait_for()
    page.keyboard.press("Escape")
    before = z_in_url(page)
    box = inner(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    # the page does not come to rest, since it reports
    page.wait_for_function("z => !location.search.includes(z)", arg=in_query(before))
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Your map:").wait_for(state="detached")
    settle(page)
    assert not page.get_by_role("button", name="Back to held-out images").count()
    # a click on an image
    codes, before = store.Store().read_map(name).codes, z_in_url(page)
    inner(page)
    page.mouse.click(*on_screen(page, codes[[40]])[0])
    wait_for_another_z(page, before)
    z = z_in_url(page)
    assert np.abs(codes - z).max(1).min() < 1e-3  # it is the code of a held-out image
    page.get_by_role("link", name="Sliders").click()
    page.get_by_role("heading", name="Sliders").wait_for()
    settle(page)
    assert z_in_url(page) == z
    shows(page, name, z)


def test_a_drawn_path_is_walked_and_its_end_is_the_current_point(page, address, context, known):
    found, _ = known
    open_map(page, address)
    inner(page)
    ends = found.umap[lonely(found.umap, 2)]
    before = z_in_url(page)
    page.get_by_role("button", name="Path").click()
    start, end = on_screen(page, ends)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*(start + end) / 2, steps=5)
    page.mouse.move(*end, steps=5)
    page.mouse.up()
    wait_for_another_z(page, before)
    page.get_by_role("heading", name="Along your path").wait_for()
    expected = maps.inverse(ends[1:], found.umap, found.codes)[0]
    assert z_in_url(page) == pytest.approx(expected.tolist(), abs=0.15)  # within a pixel of the end
    with page.expect_download() as download:
        page.get_by_role("button", name="Animation (GIF)").click()
    assert Image.open(download.value.path()).n_frames == 30  # 16 there, 14 back
    other = context.new_page()  # the link reproduces the point
    open_map(other, address, z=",".join(f"{v:g}" for v in z_in_url(page)))
    until(page, lambda: np.array_equal(here(other)[1], here(page)[1]))
    other.close()


def test_the_map_by_keyboard_and_with_uploads(page, address, tmp_path, known):
    found, split = known
    open_map(page, address)
    page.locator("canvas.over").focus()
    page.keyboard.press("ArrowRight")  # the point nearest to the middle
    first, _ = card(page)
    expect(page.locator(".said")).to_contain_text("held-out image")
    for key, sign, axis in (("ArrowRight", 1, 0), ("ArrowUp", 1, 1), ("ArrowLeft", -1, 0)):
        before, _ = card(page)
        page.keyboard.press(key)
        after, _ = card(page, other_than=before)
        assert sign * (found.umap[after] - found.umap[before])[axis] > 0
    before = z_in_url(page)
    page.keyboard.press("Enter")
    wait_for_another_z(page, before)
    assert z_in_url(page) == pytest.approx(found.codes[after].tolist(), abs=2e-4)
    zoom = f"() => {MAP}[1].view.k"
    page.locator("canvas.over").focus()
    page.keyboard.press("+")
    assert page.evaluate(zoom) > 1.5
    page.keyboard.press("0")
    assert page.evaluate(zoom) == 1
    # a path, stop by stop
    page.get_by_role("button", name="Path").press("Enter")
    page.locator("canvas.over").focus()
    before = z_in_url(page)
    for key in ("ArrowRight", "Enter", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Walk this path").press("Enter")
    page.get_by_role("heading", name="Along your path").wait_for()
    # a class, instead of a lasso
    page.get_by_role("group", name="classes").get_by_role("button", name=re.compile("^7 ?512")).press("Enter")
    page.get_by_role("button", name="Choose the lit ones").press("Enter")
    page.get_by_text("Chosen: 512 of 5,000 images").wait_for()
    settle(page)
    # uploads are placed, and the first is the current point
    x, _ = split.batch([7])
    (tmp_path / "mine.png").write_bytes(pictures.png(pictures.to_image(pictures.to_uint8(x)[0])))
    noise = np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    before = z_in_url(page)
    page.get_by_role("button", name="Your images").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([tmp_path / "mine.png", tmp_path / "noise.png"])
    wait_for_another_z(page, before)
    assert z_in_url(page) == pytest.approx(vae.load(NAME).encode(x).mean[0].tolist(), abs=2e-4)
    page.get_by_text("Fewer than 5 images").first.wait_for()
    page.get_by_text("mine.png lies within the data").wait_for()
    page.get_by_text("noise.png lies outside the data").first.wait_for()
    marks = lambda: page.evaluate(f"() => {MAP}[1].data.marks")  # noqa: E731
    until(page, lambda: marks() and np.allclose(marks()[0]["place"], found.umap[7], atol=1e-3))  # its own place


@pytest.mark.slow
def test_a_map_of_ones_own_images(page, address, tmp_path):
    open_map(page, address, "mnist-vae-2d")
    page.get_by_role("button", name="Your images").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(digits_zip(tmp_path / "some.zip", 60))
    page.get_by_role("button", name="Fit a map of their own").click()
    page.get_by_text("Your map:").wait_for(timeout=120_000)  # any stage: the short ones fall between two looks
    page.get_by_role("button", name="Back to held-out images").wait_for(timeout=180_000)
    page.keyboard.press("Escape")
    page.wait_for_function(f"() => {MAP}?.[1].points?.names?.length === 60")
    settle(page)
    page.get_by_text("60 images of yours").first.wait_for()
    folders = set(DATASETS["mnist"].load("test").labels[:60].tolist())  # they have become classes
    expect(page.get_by_role("group", name="classes").get_by_role("button")).to_have_count(len(folders))
    before = z_in_url(page)
    box = inner(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_for_another_z(page, before)
    page.get_by_role("button", name="Back to held-out images").click()
    page.wait_for_function(f"() => {MAP}?.[1].points?.n === 5000")
