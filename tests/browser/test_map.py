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
from vae import store
from vae.data import DATASETS, pictures
from vae.latent import maps

from .app_server import CENTRE, settle, watch
from .map_page import MAP, NAME, draw_line, inner, on_screen, open_map
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


@pytest.mark.slow
def test_hover_shows_the_right_image_after_filtering_sorting_and_lasso(page, address, known):
    found, split = known
    labels = split.labels[found.rows]
    open_map(page, address)
    inner(page)
    for index in lonely(found.umap):
        page.mouse.move(*on_screen(page, found.umap[[index]])[0])
        assert_right_thumbnail(page, known, index)
    # filtered: only the class shown answers, though hidden images lie nearer
    page.get_by_role("group", name="classes").get_by_role("button", name=re.compile("^3 ?500")).click()
    threes = np.flatnonzero(labels == 3)
    for index in lonely(found.umap, among=threes):
        page.mouse.move(*on_screen(page, found.umap[[index]])[0] + [1, 0])
        assert_right_thumbnail(page, known, index)
    # coloured by another quantity, which sorts nothing anew
    page.get_by_role("group", name="classes").get_by_role("button", name=re.compile("^3 ?500")).click()
    page.get_by_role("combobox").nth(1).fill("reconstruction error")
    page.keyboard.press("Enter")
    page.get_by_text("Colour shows the reconstruction error").wait_for()
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
    draw_line(page, corners)
    wait_for_another_z(page, before)
    inside = (np.abs(found.umap - middle) < 2.2).all(1)
    page.get_by_text(f"Selected: {inside.sum():,} of 5,000 images").wait_for()
    inner(page)
    index = lonely(found.umap, among=np.flatnonzero(inside))[0]
    page.mouse.move(*on_screen(page, found.umap[[index]])[0])
    assert_right_thumbnail(page, known, index)
    assert z_in_url(page) == pytest.approx(found.codes[inside].mean(0).tolist(), abs=2e-4)
    grid = page.get_by_role("group", name="selected images").get_by_role("button")
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
        page.get_by_role("button", name="Data (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert [int(row["image"]) for row in rows] == found.rows[inside].tolist()
    assert float(rows[0]["z3"]) == pytest.approx(found.codes[inside][0, 3], abs=1e-4)


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_plane_a_cancelled_fit_and_a_click_that_is_the_current_point_on_sliders(page, address, tmp_path):
    name = "mnist-vae-2d"
    open_map(page, address, name, z="0,0")
    assert_decoded_between_points(page, name, "dims")
    # a fit under way can be cancelled, and the page answers meanwhile
    page.get_by_role("button", name="Your images").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(digits_zip(tmp_path / "some.zip", 30))
    page.get_by_role("button", name="Fit a separate map").click()
    page.get_by_text("Fitting your map:").wait_for()
    page.keyboard.press("Escape")
    before = z_in_url(page)
    box = inner(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    # the page does not come to rest, since it reports
    page.wait_for_function("z => !location.search.includes(z)", arg=in_query(before))
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Fitting your map:").wait_for(state="detached")
    settle(page)
    assert not page.get_by_role("button", name="Back to the test images").count()
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_map_by_keyboard_and_with_uploads(page, address, tmp_path, known):
    found, split = known
    open_map(page, address)
    page.locator("canvas.over").focus()
    page.keyboard.press("ArrowRight")  # the point nearest to the middle
    first, _ = card(page)
    expect(page.locator(".said")).to_contain_text("test image")
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
    page.get_by_role("button", name="Decode this path").press("Enter")
    page.get_by_role("heading", name="Along your path").wait_for()
    # a class, instead of a lasso
    page.get_by_role("group", name="classes").get_by_role("button", name=re.compile("^7 ?512")).press("Enter")
    page.get_by_role("button", name="Select these images").press("Enter")
    page.get_by_text("Selected: 512 of 5,000 images").wait_for()
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
    page.get_by_text("needs 5 images or more").first.wait_for()
    page.get_by_text("mine.png: excess reconstruction error").wait_for()
    page.get_by_text("noise.png: unusually high excess reconstruction error").first.wait_for()
    marks = lambda: page.evaluate(f"() => {MAP}[1].data.marks")  # noqa: E731
    until(page, lambda: marks() and np.allclose(marks()[0]["place"], found.umap[7], atol=1e-3))  # its own place


def scrolled(page):
    return page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")


def touches(session, kind, *places):
    points = [{"x": float(x), "y": float(y), "id": i} for i, (x, y) in enumerate(places)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def swipe(page, session, start, end, steps=10):
    """Move fingers from places (F, 2) to places (F, 2). Returns the codes decoded on the way."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    touches(session, "touchStart", *start)
    codes = []
    for i in range(1, steps + 1):
        touches(session, "touchMove", *(start + (end - start) * i / steps))
        page.wait_for_timeout(30)
        codes.append(here(page)[0].tolist())
    touches(session, "touchEnd")
    page.wait_for_timeout(300)
    return codes


@pytest.mark.slow
def test_one_finger_scrolls_two_zoom_and_a_map_that_is_held_is_explored(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    errors = watch(page)
    open_map(page, address)
    session = context.new_cdp_session(page)
    view, z = f"() => {{ const {{ x, y, k }} = {MAP}[1].view; return [x, y, k] }}", z_in_url(page)
    box = page.locator("canvas.over").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 0.6 * box["height"]
    # one finger: the page
    before = scrolled(page)
    swipe(page, session, [[x, y]], [[x, y - 150]])
    assert scrolled(page) > before + 80 and page.evaluate(view) == [0, 0, 1] and z_in_url(page) == z
    expect(page.locator(".hint")).to_contain_text("Use two fingers to move the map")
    # two fingers: the map
    box, before = page.locator("canvas.over").bounding_box(), scrolled(page)
    y = box["y"] + 0.6 * box["height"]
    swipe(page, session, [[x - 40, y], [x + 40, y]], [[x - 80, y], [x + 80, y]])
    assert page.evaluate(view)[2] == pytest.approx(2, rel=0.1)
    swipe(page, session, [[x - 40, y], [x + 40, y]], [[x - 40, y - 60], [x + 40, y - 60]])
    assert page.evaluate(view)[1] < -0.03 and scrolled(page) == before and z_in_url(page) == z
    # held: one finger shows what lies under it, and lifting it takes the code
    page.get_by_role("button", name="Whole map").tap()
    page.get_by_role("button", name="Hold map").tap()
    expect(page.get_by_role("button", name="Hold map")).to_have_attribute("aria-pressed", "true")
    page.locator("canvas.over").evaluate(CENTRE)
    box, before = page.locator("canvas.over").bounding_box(), scrolled(page)
    y = box["y"] + 0.5 * box["height"]
    walked = swipe(page, session, [[x - 90, y]], [[x + 60, y - 40]])
    assert len({tuple(code) for code in walked}) > 5 and scrolled(page) == before and page.evaluate(view) == [0, 0, 1]
    wait_for_another_z(page, z)
    assert z_in_url(page) == pytest.approx(walked[-1], abs=1e-3)
    # released: the page again
    page.get_by_role("button", name="Hold map").tap()
    before = scrolled(page)
    swipe(page, session, [[x, y]], [[x, y - 100]])
    assert scrolled(page) != before
    for button in page.locator(".scatter button:visible, .scatter label:visible").all():
        assert button.bounding_box()["height"] >= 44, button.inner_text()
    assert not errors
    context.close()


@pytest.mark.slow
def test_the_wheel_scrolls_the_page_until_the_map_is_held_and_classes_are_filtered(page, address, known):
    found, split = known
    labels = split.labels[found.rows]
    page.set_viewport_size({"width": 1440, "height": 700})  # lower than the page
    open_map(page, address)
    box = inner(page)
    zoom, x, y = f"() => {MAP}[1].view.k", box["x"] + box["width"] / 2, box["y"] + 200
    page.mouse.move(x, y)
    page.mouse.wheel(0, 60)
    until(page, lambda: scrolled(page) > 0)
    assert page.evaluate(zoom) == 1
    expect(page.locator(".hint")).to_contain_text("Click the map")
    before = z_in_url(page)
    page.mouse.click(x, y)
    wait_for_another_z(page, before)
    top = scrolled(page)
    page.mouse.wheel(0, -300)
    until(page, lambda: page.evaluate(zoom) > 1.2)
    assert scrolled(page) == top
    page.keyboard.press("Escape")
    zoomed = page.evaluate(zoom)
    page.mouse.wheel(0, -60)
    until(page, lambda: scrolled(page) < top)
    assert page.evaluate(zoom) == zoomed
    # a class filter: the count, and what answers to the pointer
    page.get_by_role("button", name="Whole map").click()
    classes = page.get_by_role("group", name="classes")
    for label in (3, 7):
        classes.get_by_role("button", name=re.compile(f"^{label} ?{(labels == label).sum()}")).click()
    expect(classes).to_contain_text(f"{np.isin(labels, [3, 7]).sum():,} of 5,000 images")
    inner(page)
    ones, shown = found.umap[labels == 1], found.umap[np.isin(labels, [3, 7])]
    gaps = np.sqrt(((ones[:, None] - shown[None]) ** 2).sum(2)).min(1)
    page.mouse.move(*on_screen(page, ones[[gaps.argmax()]])[0])
    page.wait_for_timeout(300)
    assert page.evaluate(f"{MAP}[1].hover") == -1
    # the middle of a cluster that is not shown is as empty as the ground
    ground = f"""([x, y]) => {{ const {{ dots, ratio }} = {MAP}[1], box = dots.getBoundingClientRect();
      return [...dots.getContext('2d').getImageData((x - box.x) * ratio, (y - box.y) * ratio, 1, 1).data] }}"""
    place = on_screen(page, ones[[gaps.argmax()]])[0].tolist()
    edge = page.locator("canvas.over").bounding_box()
    blank = page.evaluate(ground, [edge["x"] + edge["width"] - 3, edge["y"] + edge["height"] - 3])
    assert page.evaluate(ground, place) == blank
    page.evaluate(f"() => {MAP}[1].legend.querySelector('.all').click()")  # without scrolling to it
    until(page, lambda: page.evaluate(ground, place) != blank)


@pytest.mark.slow
def test_a_map_of_ones_own_images(page, address, tmp_path):
    open_map(page, address, "mnist-vae-2d")
    page.get_by_role("button", name="Your images").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(digits_zip(tmp_path / "some.zip", 60))
    page.get_by_role("button", name="Fit a separate map").click()
    page.get_by_text("Fitting your map:").wait_for(timeout=120_000)  # any stage: the short ones fall between two looks
    page.get_by_role("button", name="Back to the test images").wait_for(timeout=180_000)
    page.keyboard.press("Escape")
    page.wait_for_function(f"() => {MAP}?.[1].points?.names?.length === 60")
    settle(page)
    page.get_by_text("60 of your images").first.wait_for()
    folders = set(DATASETS["mnist"].load("test").labels[:60].tolist())  # they have become classes
    expect(page.get_by_role("group", name="classes").get_by_role("button")).to_have_count(len(folders))
    before = z_in_url(page)
    box = inner(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_for_another_z(page, before)
    page.get_by_role("button", name="Back to the test images").click()
    page.wait_for_function(f"() => {MAP}?.[1].points?.n === 5000")


def lasso_round(page, layout, indices, reach=1.5):
    """Select what lies around the middle of these points of a layout. Returns which points these are."""
    middle = np.median(layout[indices], axis=0)
    inner(page)
    page.get_by_role("button", name="Lasso").click()
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    draw_line(page, on_screen(page, middle + reach * signs))
    inside = (np.abs(layout - middle) < reach).all(1)
    page.get_by_text(f"Selected: {inside.sum():,} of 5,000 images").wait_for()
    settle(page)
    return inside


@pytest.mark.slow
@pytest.mark.parametrize("name", [NAME, "mnist-cvae", "mnist-ae-2d"])
def test_the_direction_from_a_first_group_to_a_second_one(page, address, name):
    errors = watch(page)
    open_map(page, address, name)
    found, model = store.Store().read_map(name), vae.load(name)
    labels = DATASETS["mnist"].load("test").labels[found.rows]
    layout = found.codes if model.latent_dim == 2 else found.umap
    reach = 0.15 * float(np.ptp(np.percentile(layout, [5, 95], axis=0), axis=0).min())
    first = lasso_round(page, layout, labels == 0, reach)
    page.get_by_role("button", name="Keep as the first group").click()
    page.get_by_text("This is the first group. Select a second group on the map.").wait_for()
    second = lasso_round(page, layout, labels == 1, reach)
    walk = page.get_by_role("group", name="the direction from the current z").get_by_role("button")
    expect(walk).to_have_count(6)
    page.get_by_text(f"minus the mean code of the {(first & ~second).sum():,} images kept before").wait_for()
    # a step along the direction is the difference of the groups' mean codes
    z, before = np.array(z_in_url(page)), z_in_url(page)
    walk.nth(3).click()
    wait_for_another_z(page, before)
    direction = found.codes[second].mean(0) - found.codes[first & ~second].mean(0)
    moved = np.array(z_in_url(page)) - z
    assert moved @ direction / np.linalg.norm(moved) / np.linalg.norm(direction) > 0.999
    page.get_by_role("button", name="Compare with all others").click()
    page.get_by_text("minus the mean code of the others").wait_for()
    assert not errors


@pytest.mark.slow
def test_a_discrete_code_has_no_direction_between_groups(page, address):
    open_map(page, address, "mnist-vqvae")
    found = store.Store().read_map("mnist-vqvae")
    lasso_round(page, found.umap, DATASETS["mnist"].load("test").labels[found.rows] == 0)
    page.get_by_text("Codebook indices cannot be added, so no direction leads to these images.").wait_for()
    assert page.get_by_role("button", name="Keep as the first group").count() == 0
