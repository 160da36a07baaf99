"""The picture input on a page of plain HTML: no server, no Streamlit."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from vae.browser.bundle import bundle
from vae.data import DATASETS

from .panel import until
from .picture_inputs import (
    ALTERED,
    Touch,
    bar,
    choose,
    decoded,
    drag_event,
    draw,
    emitted,
    file_of,
    is_upright,
    next_own,
    page_of,
    paste,
    props_of,
    tab,
    transfer_of,
)  # fmt: skip

HOST = Path(__file__).parent / "plain" / "picture_inputs.js"
LINE = [(0.5, 0.2), (0.5, 0.8)]
SERVED = "http://localhost:9/inputs.html"  # answered by the test itself
@pytest.fixture(scope="module")
def script():
    return bundle(HOST)


@pytest.fixture
def open_page(browser, script, tmp_path):
    """open_page(parts, init, **context): the page, opened from the disk. It asks no machine and logs nothing.

    served: whether it has an address instead, since a reload from the disk may lose what the page has stored.
    """
    faults = []
    with contextlib.ExitStack() as stack:

        def opened(parts=None, init="", width=1200, served=False, **options):
            context = stack.enter_context(browser.new_context(viewport={"width": 1200, "height": 900}, **options))
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.on("console", lambda message: faults.append(message.text))
            page.on("pageerror", lambda error: faults.append(str(error)))
            left = lambda url: url.startswith(("http", "ws")) and url != SERVED  # noqa: E731
            page.on("request", lambda request: left(request.url) and faults.append(request.url))
            if init:
                page.add_init_script(init)
            file, content = tmp_path / "inputs.html", page_of(script, parts or {"start": props_of()}, width)
            file.write_text(content, encoding="utf-8")
            page.route(SERVED, lambda route: route.fulfill(body=content, content_type="text/html; charset=utf-8"))
            page.goto(SERVED if served else file.as_uri())
            page.wait_for_function("() => window.handles?.start")
            return page

        yield opened
    assert not faults


def update(page, part="start", **changes):
    page.evaluate("([part, props]) => handles[part].update(props)", [part, props_of(key=part, **changes)])


def in_use(page, own, part="start", prepared=True, **changes):
    """Answer a message as the server does: the picture is in use. prepared: the server has x for the data set."""
    choice = {"kind": "own", "id": own["id"], "prepared": prepared}
    update(page, part, **{"choice": choice, "x": own["x"], "caption": "your picture", **changes})


# ---- test images


def test_a_test_image_is_picked_and_others_are_asked_for(open_page):
    page = open_page()
    page.locator("#start .gallery button.cell").nth(4).click()
    page.get_by_role("button", name="More test images").click()
    assert emitted(page, "pick") == [4] and emitted(page, "more") == [True]
    assert page.locator("#start").bounding_box()["height"] < 320


@pytest.mark.slow
@pytest.mark.parametrize("width", [300, 390])
def test_it_fits_a_narrow_column_with_targets_for_a_finger(open_page, width):
    page = open_page(width=width, has_touch=True)
    for name in ("Test images", "Draw", "Photo or file", "Yours"):
        tab(page, name)
        assert page.locator("#start").evaluate("(e) => e.scrollWidth <= e.clientWidth")
        for button in page.locator("#start button:visible").all():
            box = button.bounding_box()
            assert box["height"] >= 43.9 and box["width"] >= 40, button


# ---- drawing


def test_a_stroke_of_the_mouse_is_prepared_and_sent(open_page):
    page = open_page()
    tab(page, "Draw")
    draw(page, LINE)
    own = next_own(page, 1)
    assert is_upright(decoded(own)) and own["data"] == "mnist" and own["name"] == "drawing" and own["inverted"]
    assert page.locator("#start .stages figcaption").all_inner_texts()[0] == "drawing"
    draw(page, [(0.3, 0.5), (0.7, 0.5)])
    again = next_own(page, 2)
    assert again["id"] == own["id"] and decoded(again).sum() > 1.2 * decoded(own).sum()
    page.keyboard.press("Control+z")
    assert next_own(page, 3)["x"] == own["x"]


def test_the_pad_looks_like_the_data(open_page):
    """As on Home and Inside: white on black for digits, dark on white for colour images."""
    page = open_page()
    tab(page, "Draw")
    level = """(pad, at) => {
      const copy = new OffscreenCanvas(1, 1).getContext('2d');
      copy.drawImage(pad, -at * pad.width, -at * pad.height);
      return copy.getImageData(0, 0, 1, 1).data[0];
    }"""
    draw(page, LINE)
    pad = page.locator("#start .pad")
    assert [pad.evaluate(level, at) for at in (0.02, 0.5)] == [0, 255]
    preparation = dataclasses.asdict(DATASETS["faces"].preparation)
    update(page, data="faces", shape=[3, 64, 64], preparation=preparation)
    assert [pad.evaluate(level, at) for at in (0.02, 0.5)] == [255, 17]


def test_a_tap_is_a_dot_and_only_the_main_button_draws(open_page):
    page = open_page()
    tab(page, "Draw")
    box = page.locator("#start .pad").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*middle, button="right")
    page.mouse.click(*middle, button="middle")
    assert not emitted(page, "own")
    page.mouse.click(*middle)
    x = decoded(next_own(page, 1))
    assert x[14, 14] > 150 and x[0].max() < 60


@pytest.mark.slow
def test_a_second_finger_does_not_join_the_stroke_and_the_page_stays(open_page):
    page = open_page(has_touch=True, is_mobile=True)
    tab(page, "Draw")
    pad, touch = page.locator("#start .pad"), Touch(page)
    box = pad.bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    touch("touchStart", 1, at(0.5, 0.2))
    touch("touchMove", 1, at(0.5, 0.4))
    touch("touchStart", 2, at(0.05, 0.9))
    touch("touchMove", 2, at(0.1, 0.95))
    touch("touchMove", 1, at(0.5, 0.8))
    touch("touchEnd", 2)
    touch("touchEnd", 1)
    x = decoded(next_own(page, 1))
    assert is_upright(x)
    assert np.ptp(np.flatnonzero((x > 127).any(0))) < 8, "the second finger has drawn"
    assert page.evaluate("scrollY") == 0


@pytest.mark.slow
def test_the_rest_of_the_widget_scrolls_the_page(open_page):
    page = open_page(has_touch=True, is_mobile=True)
    assert page.locator("#start .pad").evaluate("(e) => getComputedStyle(e).touchAction") == "none"
    for selector in (".now", ".gallery", ".tabs", ".input"):
        assert page.locator(f"#start {selector}").first.evaluate("(e) => getComputedStyle(e).touchAction") == "auto"


def test_a_cleared_pad_begins_another_drawing(open_page):
    page = open_page()
    tab(page, "Draw")
    draw(page, LINE)
    first = next_own(page, 1)
    page.get_by_role("button", name="Clear").click()
    assert len(emitted(page, "own")) == 1, "an empty pad is no picture"
    page.locator("#start .pen-undo").click()
    assert next_own(page, 2)["id"] == first["id"]
    page.get_by_role("button", name="Clear").click()
    draw(page, LINE)
    assert next_own(page, 3)["id"] != first["id"]
    tab(page, "Yours")
    expect(page.locator("#start .mine")).to_have_count(2)


def test_the_keyboard_draws(open_page):
    page = open_page()
    page.locator("#start").get_by_role("tab", name="Test images").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#start").get_by_role("tab", name="Draw")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    expect(page.locator("#start .pad")).to_be_focused()
    expect(page.locator("#start #pad-keys")).to_be_visible()
    for key in ["ArrowUp"] * 12 + ["Space"] + ["ArrowDown"] * 24 + ["Space"]:
        page.keyboard.press(key)
    assert is_upright(decoded(next_own(page, 1)))


# ---- files


def test_a_photograph_is_turned_upright_by_its_orientation(open_page):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying, to be turned to the right
    page = open_page()
    choose(page, file_of(bar().rotate(90, expand=True), "JPEG", exif=exif, quality=95), "IMG_1.jpg")
    own = next_own(page, 1)
    assert is_upright(decoded(own)) and own["name"] == "IMG_1.jpg"
    choose(page, file_of(bar().rotate(90, expand=True), "JPEG", quality=95), "no orientation")
    assert not is_upright(decoded(next_own(page, 2)))


@pytest.mark.slow
def test_a_12_megapixel_photo_sends_a_few_kilobytes(open_page):
    picture = bar((4000, 3000), (1800, 400, 2200, 2600))
    noise = np.random.default_rng(0).integers(-8, 8, (3000, 4000, 3), np.int16)
    content = file_of(Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8)), "JPEG", quality=92)
    assert len(content) > 2**20
    page = open_page()
    choose(page, content, "IMG_2.jpe")
    assert is_upright(decoded(next_own(page, 1)))
    assert len(json.dumps(page.evaluate("emitted"))) < 10_000
    kept = page.evaluate("Object.values(sessionStorage).reduce((sum, text) => sum + text.length, 0)")
    assert 10_000 < kept < 1_000_000


@pytest.mark.slow
def test_every_kind_of_picture_arrives(open_page):
    upright = bar((120, 120), (54, 20, 66, 100))
    grey = np.asarray(upright.convert("L"))
    kinds = {
        "GIF, animated": file_of(upright, "GIF", save_all=True, append_images=[upright.rotate(90)]),
        "PNG, animated": file_of(upright, save_all=True, append_images=[upright.rotate(90)]),
        "WebP": file_of(upright, "WEBP"),
        "AVIF": file_of(upright, "AVIF"),
        "CMYK": file_of(upright.convert("CMYK"), "JPEG"),
        "16 bit": file_of(Image.fromarray(grey.astype(np.uint16) * 257)),
        "palette with transparency": file_of(upright.quantize(4), transparency=0),
        "white ink on transparency": file_of(white_ink(grey)),
    }
    page = open_page()
    for n, (kind, content) in enumerate(kinds.items()):
        choose(page, content, kind)
        own = next_own(page, n + 1)
        assert own["name"] == kind and is_upright(decoded(own)), kind
    assert not own["inverted"], "light ink is laid on a dark ground"
    for n, size in enumerate([(10_000, 1), (1, 1)]):
        choose(page, file_of(Image.new("L", size, 255)))
        next_own(page, len(kinds) + 1 + n)


def white_ink(grey):
    """White where grey (H, W) is dark, on a transparent ground."""
    picture = Image.new("LA", grey.shape[::-1], (255, 0))
    picture.putalpha(Image.fromarray(255 * (grey < 128).astype(np.uint8)))
    return picture


def test_a_refused_file_leaves_the_picture_and_says_so(open_page):
    page = open_page({"start": props_of(maxBytes=2**20)})
    alert = page.locator("#start").get_by_role("alert")
    for content, sentence in [
        (file_of(bar(), "PDF"), "This is a PDF. Take a screenshot"),
        (file_of(bar(), "TIFF"), "TIFF"),
        (file_of(bar(), "JPEG")[:-200], "damaged or cut off"),
        (file_of(bar())[:100] + bytes(500) + file_of(bar())[100:], "damaged"),
        (file_of(bar(), "AVIF").replace(b"avif", b"heic"), "cannot open HEIC pictures. Save the picture as"),
        (bytes(2**21), "larger than 1 MB"),
        (file_of(Image.new("1", (11_000, 11_000))), "121 megapixels"),
        (b"not a picture", "text file"),
        (b"", "empty"),
    ]:
        choose(page, content, "picture.jpg")
        expect(alert).to_contain_text(sentence)
        expect(alert).to_contain_text("Test image 0: 7 stays in use.")
    assert not page.evaluate("emitted") and not page.evaluate("sessionStorage.length")
    choose(page, file_of(bar()))
    next_own(page, 1)
    expect(alert).to_have_text("")


def test_a_dropped_picture_is_taken_and_the_place_is_marked(open_page):
    page = open_page()
    transfer = transfer_of(page, file_of(bar()))
    drag_event(page, "dragenter", transfer)
    drag_event(page, "dragover", transfer)
    assert page.locator("#start .input").evaluate("(e) => getComputedStyle(e).outlineStyle") == "dashed"
    drag_event(page, "drop", transfer)
    assert is_upright(decoded(next_own(page, 1)))
    expect(page.locator("#start")).not_to_have_class("dropping")


def test_a_dropped_address_is_no_picture(open_page):
    page = open_page()
    transfer = page.evaluate_handle(
        "() => { const transfer = new DataTransfer(); transfer.setData('text/uri-list', 'https://example.org/a.png');"
        " return transfer }"
    )
    drag_event(page, "drop", transfer)
    expect(page.locator("#start").get_by_role("alert")).to_contain_text("Save it, then choose the file.")


def test_a_pasted_picture_goes_to_the_widget_that_was_last_touched(open_page):
    page = open_page({"start": props_of(), "end": props_of("end", "end image")})
    paste(page, file_of(bar()), name="image.png")
    assert next_own(page, 1)["name"] == "pasted picture"
    page.locator("#end .now").hover()
    paste(page, file_of(bar()))
    next_own(page, 1, "end")
    page.mouse.move(1190, 890)
    paste(page, file_of(bar()))
    next_own(page, 2, "end")
    page.evaluate("handles.end.destroy()")
    paste(page, file_of(bar()))
    next_own(page, 2)


@pytest.mark.slow
def test_the_camera_takes_a_photo_and_is_off_afterwards(open_page):
    page = open_page(permissions=["camera"])
    page.evaluate("""() => { const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices); window.streams = [];
      navigator.mediaDevices.getUserMedia = async (wanted) => { const stream = await get(wanted); streams.push(stream); return stream } }""")  # noqa: E501
    live = lambda: page.evaluate("streams.flatMap((one) => one.getTracks()).filter((one) => one.readyState === 'live').length")  # noqa: E501, E731
    for leave in (lambda: page.get_by_role("button", name="Close the camera").click(), lambda: tab(page, "Draw")):
        tab(page, "Photo or file")
        page.get_by_role("button", name="Take a photo").click()
        page.get_by_role("button", name="Take the photo").wait_for()
        assert live() == 1
        leave()
        assert live() == 0
    tab(page, "Photo or file")
    page.get_by_role("button", name="Take a photo").click()
    page.wait_for_function("() => document.getElementById('start').shadowRoot.querySelector('video').videoWidth")
    page.get_by_role("button", name="Take the photo").click()
    assert decoded(next_own(page, 1)).std() > 5
    assert live() == 0


@pytest.mark.slow
def test_the_camera_is_offered_only_where_it_can_work(open_page):
    page = open_page(init="Object.defineProperty(window, 'isSecureContext', { value: false })")
    tab(page, "Photo or file")
    expect(page.locator("#start .photograph")).to_be_hidden()
    page = open_page(init="Object.defineProperty(window, 'isSecureContext', { value: false })", has_touch=True, is_mobile=True)  # noqa: E501
    tab(page, "Photo or file")
    with page.expect_file_chooser():  # the phone's own camera
        page.locator("#start .photograph").click()


# ---- the crop frame


def cropped(page):
    """A photo with two bars, of which the frame is moved over the right one by the tests."""
    picture = bar((400, 200), (80, 90, 160, 110))  # lying, on the left
    picture.paste(bar((200, 200), (90, 40, 110, 160)), (200, 0))  # upright, on the right
    choose(page, file_of(picture))
    page.locator("#start .editor").wait_for()
    return next_own(page, 1)


def test_the_keyboard_moves_resizes_and_turns_the_frame(open_page):
    page = open_page()
    cropped(page)
    page.get_by_role("button", name="Take a photo").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#start #crop-keys")).to_be_visible()
    sent = 1
    for key, times in [("-", 14), ("ArrowRight", 13)]:
        for _ in range(times):
            page.keyboard.press(key)
        sent += times
        next_own(page, sent)
    right = next_own(page, sent)
    assert is_upright(decoded(right))
    page.keyboard.down("]")
    for _ in range(29):
        page.keyboard.down("]")  # held: one message, on release
    page.keyboard.up("]")
    turned = next_own(page, sent + 1)
    x = decoded(turned).astype(float)
    assert np.abs(x - decoded(right)).max() > 100
    upper, lower = x[5:11] @ np.arange(28) / x[5:11].sum(1), x[17:23] @ np.arange(28) / x[17:23].sum(1)
    assert upper.mean() > lower.mean() + 3, "turned to the right, the upper end is on the right"
    page.keyboard.press("Control+z")
    assert next_own(page, sent + 2)["x"] == right["x"]


def test_the_frame_is_moved_and_resized_by_mouse_with_the_stages_in_view(open_page):
    page = open_page()
    first = cropped(page)
    box = page.locator("#start .crop").bounding_box()
    scale = min((box["width"] - 24) / 400, (box["height"] - 24) / 200)
    at = lambda x, y: (box["x"] + box["width"] / 2 + (x - 200) * scale, box["y"] + box["height"] / 2 + (y - 100) * scale)  # noqa: E501, E731
    shown = lambda: page.locator("#start .stages canvas").first.evaluate("(c) => c.toDataURL()")  # noqa: E731
    before = shown()
    page.mouse.move(*at(0, 0))
    page.mouse.down()
    page.mouse.move(*at(200, 0), steps=4)
    until(page, lambda: shown() != before)
    assert len(emitted(page, "own")) == 1, "nothing is sent while the frame moves"
    page.mouse.up()
    assert is_upright(decoded(next_own(page, 2)))
    page.mouse.move(*at(300, 100))
    page.mouse.down()
    page.mouse.move(*at(100, 100), steps=4)
    page.mouse.up()
    assert not is_upright(decoded(next_own(page, 3)))
    page.get_by_role("button", name="Whole picture").click()
    assert next_own(page, 4)["x"] == first["x"]
    for n in range(3):
        page.locator("#start .undo").click()
        next_own(page, 5 + n)
    expect(page.locator("#start .undo")).to_be_disabled()


@pytest.mark.slow
def test_the_frame_is_moved_by_one_finger(open_page):
    page = open_page(has_touch=True, is_mobile=True)
    cropped(page)
    page.locator("#start .crop").scroll_into_view_if_needed()
    box, touch = page.locator("#start .crop").bounding_box(), Touch(page)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    scale = min((box["width"] - 24) / 400, (box["height"] - 24) / 200)
    corner = middle[0] - 200 * scale, middle[1] - 100 * scale
    touch("touchStart", 1, corner)
    touch("touchStart", 2, middle)
    touch("touchMove", 1, (middle[0], corner[1]))
    touch("touchMove", 2, (middle[0] + 50, middle[1]))
    touch("touchEnd", 2)
    touch("touchEnd", 1)
    assert is_upright(decoded(next_own(page, 2)))


@pytest.mark.slow
def test_quarter_turns_tilt_and_invert(open_page):
    page = open_page()
    choose(page, file_of(bar()))
    first = next_own(page, 1)
    page.get_by_role("button", name="Rotate right").click()
    assert not is_upright(decoded(next_own(page, 2)))
    page.get_by_role("button", name="Rotate left").click()
    assert next_own(page, 3)["x"] == first["x"]
    page.get_by_role("slider", name="Tilt").fill("20")
    tilted = next_own(page, 4)
    assert np.abs(decoded(tilted).astype(int) - decoded(first)).max() > 100
    page.get_by_role("slider", name="Tilt").fill("0")
    assert next_own(page, 5)["x"] == first["x"]
    swap = page.get_by_role("button", name="Swap light and dark")
    expect(swap).to_have_attribute("aria-pressed", "false")  # the page has decided, not the visitor
    swap.click()
    inverted = next_own(page, 6)
    assert first["inverted"] and not inverted["inverted"] and inverted["x"] != first["x"]
    expect(swap).to_have_attribute("aria-pressed", "true")
    swap.click()
    assert next_own(page, 7)["x"] == first["x"]
    expect(swap).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Plain resize").click()
    assert next_own(page, 8)["plain"]


def test_undo_takes_back_the_last_change_of_a_drawing_be_it_a_setting_or_a_stroke(open_page):
    page = open_page()
    tab(page, "Draw")
    draw(page, LINE)
    one = next_own(page, 1)
    page.get_by_role("button", name="Plain resize").click()
    plain = next_own(page, 2)
    draw(page, [(0.2, 0.5), (0.8, 0.5)])
    assert next_own(page, 3)["plain"]
    page.keyboard.press("Control+z")
    assert next_own(page, 4)["x"] == plain["x"]
    page.locator("#start .pen-undo").click()
    again = next_own(page, 5)
    assert again["x"] == one["x"] and not again["plain"]
    page.keyboard.press("Control+z")
    expect(page.locator("#start .pen-undo")).to_be_disabled()
    assert len(emitted(page, "own")) == 5, "an empty pad is no picture"


@pytest.mark.parametrize("width", [358, 700])
def test_neither_stages_nor_the_remark_move_the_page_under_the_pen(open_page, width):
    page = open_page(width=width)
    tab(page, "Draw")
    height = lambda: page.locator("#start").bounding_box()["height"]  # noqa: E731
    pad = lambda: page.locator("#start .pad").bounding_box()  # noqa: E731
    before = pad(), height()
    draw(page, LINE)
    remark = "Reconstruction error: 113 nats (excess 45), more than for 87 % of test images."
    in_use(page, next_own(page, 1), remark=remark)
    expect(page.locator("#start .stages canvas")).to_have_count(4)
    assert (pad(), height()) == before
    last = page.locator("#start .stages figure").last.bounding_box()
    assert last["x"] >= pad()["x"] + pad()["width"] and last["x"] + last["width"] <= width + 20, "beside the pad"


# ---- what was found


def test_each_digit_of_a_page_is_offered(open_page):
    page = open_page()
    picture = Image.new("RGB", (600, 300), (235,) * 3)
    for left, box in [(0, (90, 60, 110, 240)), (200, (70, 100, 150, 120)), (400, (85, 80, 115, 200))]:
        picture.paste(bar((200, 300), box, paper=235), (left, 0))
    choose(page, file_of(picture))
    first = next_own(page, 1)
    assert first["candidate"] == 0 and is_upright(decoded(first))
    expect(page.locator("#start .found")).to_have_text("3 digits found. Choose one:")
    candidates = page.locator("#start .candidate")
    expect(candidates).to_have_count(3)
    found = []
    for i in (1, 2):
        candidates.nth(i).click()
        own = next_own(page, 1 + i)
        assert own["candidate"] == i and own["found"]
        expect(candidates.nth(i)).to_have_attribute("aria-pressed", "true")
        found.append(own["x"])
    assert len({first["x"], *found}) == 3
    page.locator("#start .undo").click()
    assert next_own(page, 4)["x"] == found[0]


def test_a_page_without_writing_says_so_and_the_plain_resize_has_no_stages_between(open_page):
    page = open_page()
    choose(page, file_of(Image.new("L", (300, 200), 240)))
    assert not next_own(page, 1)["found"]
    expect(page.locator("#start .found")).to_have_text("No writing found: the whole picture is used.")
    choose(page, file_of(bar()))
    assert next_own(page, 2)["found"]
    titles = page.locator("#start .stages figcaption")
    expect(titles).to_have_text(["photo", "found", "cleaned", "as the model sees it"])
    page.get_by_role("button", name="Plain resize").click()
    plain = next_own(page, 3)
    assert plain["plain"] and is_upright(decoded(plain))
    expect(titles).to_have_text(["photo", "as the model sees it"])


# ---- what the tab keeps


@pytest.mark.slow
def test_pictures_outlive_a_reload_and_are_offered_to_every_widget(open_page):
    none = {"kind": "none"}
    page = open_page({"start": props_of(choice=none), "end": props_of("end", "end image", choice=none)}, served=True)
    choose(page, file_of(bar(), "JPEG"), "IMG_3.jpg")
    next_own(page, 1)
    page.get_by_role("button", name="Rotate right").first.click()
    photo = next_own(page, 2)
    tab(page, "Draw", "end")
    draw(page, LINE, "end")
    drawing = next_own(page, 1, "end")
    page.reload()  # a new session of the server, which has not chosen
    again, drawn = next_own(page, 1), next_own(page, 1, "end")
    assert (again["id"], drawn["id"], drawn["x"]) == (photo["id"], drawing["id"], drawing["x"])
    assert np.abs(decoded(again).astype(int) - decoded(photo)).max() <= 12 and not is_upright(decoded(again))
    tab(page, "Yours", "end")
    mine = page.locator("#end .mine")
    expect(mine).to_have_text(["drawing", "IMG_3.jpg"])
    mine.nth(1).click()
    assert next_own(page, 2, "end")["x"] == again["x"]
    tab(page, "Yours", "end")
    page.locator("#end").get_by_role("button", name="Remove all").click()
    expect(mine).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0
    expect(page.locator("#end .status")).to_contain_text("The picture in use stays in use")


@pytest.mark.slow
def test_another_data_set_gets_the_picture_prepared_for_it(open_page):
    page = open_page()
    tab(page, "Draw")
    draw(page, LINE)
    own = next_own(page, 1)
    in_use(page, own)
    in_use(page, own, caption="your picture, again")
    assert len(emitted(page, "own")) == 1
    in_use(page, own, data="fashion-mnist", shape=[1, 14, 14], prepared=False)
    again = next_own(page, 2)
    assert again["data"] == "fashion-mnist" and len(base64.b64decode(again["x"])) == 14 * 14
    update(page, choice={"kind": "row"}, shape=[1, 7, 7])
    assert page.locator("#start .stages canvas").last.evaluate("(canvas) => canvas.width") == 7
    assert len(emitted(page, "own")) == 2, "the server uses a test image"


def test_a_widget_that_comes_back_shows_the_picture_in_use_and_sends_nothing(open_page):
    page = open_page()
    choose(page, file_of(bar()))
    own = next_own(page, 1)
    page.evaluate("() => { handles.start.destroy(); document.getElementById('start').remove(); emitted.length = 0 }")
    back = props_of(choice={"kind": "own", "id": own["id"], "prepared": True}, x=own["x"], caption="your picture")
    page.evaluate("(props) => place('start', props)", back)
    page.locator("#start .editor").wait_for()
    expect(page.locator("#start .result")).to_be_visible()
    assert emitted(page, "own") == []


@pytest.mark.slow
def test_a_picture_in_hand_is_used_again_after_a_test_image(open_page):
    page = open_page()
    tab(page, "Draw")
    draw(page, LINE)
    own = next_own(page, 1)
    use = page.get_by_role("button", name="Use this picture")
    expect(use).to_be_hidden()
    in_use(page, own)
    tab(page, "Test images")
    page.locator("#start .gallery button.cell").nth(4).click()
    update(page, selected=4, caption="test image 4: 4")
    tab(page, "Draw")
    use.click()
    assert next_own(page, 2) == own
    expect(use).to_be_hidden()


def test_a_lost_picture_is_asked_for_again(open_page):
    page = open_page()
    choose(page, file_of(bar()))
    own = next_own(page, 1)
    page.evaluate("sessionStorage.clear()")
    in_use(page, {**own, "id": "another"}, data="fashion-mnist")
    expect(page.locator("#start .refusal")).to_be_empty()  # the server still has its x
    update(page, choice={"kind": "own", "id": "a third", "prepared": False})
    expect(page.locator("#start").get_by_role("alert")).to_contain_text("Draw or choose it again.")


@pytest.mark.slow
def test_a_full_storage_is_survived_with_a_sentence(open_page):
    page = open_page(init="Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }")
    tab(page, "Draw")
    draw(page, LINE)
    assert is_upright(decoded(next_own(page, 1)))
    expect(page.locator("#start .status")).to_contain_text("no room to keep the picture")


@pytest.mark.slow
def test_no_storage_at_all_is_survived(open_page):
    page = open_page(init="Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no', 'SecurityError') } })")  # noqa: E501
    tab(page, "Draw")
    draw(page, LINE)
    next_own(page, 1)
    tab(page, "Yours")
    expect(page.locator("#start .mine")).to_have_count(1)


# ---- a model in the browser

ENCODER = """() => mailbox.models.set('sums 1f', { decoder: {
  numClasses: 0, height: 28, width: 28, channels: 1, has: (name) => name === 'encode',
  encode: (x) => ({ mean: Float64Array.of(x.reduce((a, b) => a + b)) }),
} })"""


def test_a_picture_is_sent_with_its_code_where_the_browser_has_the_model(open_page):
    page = open_page({"start": props_of(weights="sums 1f")})
    tab(page, "Draw")
    draw(page, LINE)
    assert "z" not in next_own(page, 1)
    page.evaluate(ENCODER)
    draw(page, [(0.2, 0.5), (0.7, 0.5)])
    own = next_own(page, 2)
    assert own["weights"] == "sums 1f" and own["z"] == pytest.approx([decoded(own).sum() / 255]) and own["y"] is None


# ---- browsers that alter what a page reads


def test_where_pixels_come_back_altered_the_file_goes_to_the_server_once(open_page):
    page = open_page(init=ALTERED)
    tab(page, "Draw")
    draw(page, LINE)
    assert is_upright(decoded(next_own(page, 1))), "a drawing is never read from a canvas"
    expect(page.locator("#start .sent")).to_contain_text("sent as it is")
    content = file_of(bar(), "JPEG")
    choose(page, content, "IMG_4.jpg")
    page.wait_for_function("() => emitted.some((one) => one[1] === 'file')")
    (file,) = emitted(page, "file")
    assert base64.b64decode(file["content"]) == content and file["name"] == "IMG_4.jpg"
    update(page, answer={"id": file["id"], "width": 400, "height": 300})
    assert len(emitted(page, "own")) == 1, "the pixels are still on their way"
    rgb = base64.b64encode(np.asarray(bar()).tobytes()).decode()
    page.evaluate(
        """([id, rgb]) => { mailbox.memory.set(`picture:${id}`, Uint8Array.from(atob(rgb), (c) => c.charCodeAt(0)));
        mailbox.news.dispatchEvent(new CustomEvent('picture', { detail: id })) }""",
        [file["id"], rgb],
    )
    own = next_own(page, 2)
    assert is_upright(decoded(own)) and own["name"] == "IMG_4.jpg"
    page.get_by_role("button", name="Rotate right").click()
    assert not is_upright(decoded(next_own(page, 3)))
    choose(page, content, "IMG_5.jpg")
    page.wait_for_function("() => emitted.filter((one) => one[1] === 'file').length === 2")
    late = emitted(page, "file")[1]["id"]
    tab(page, "Draw")
    draw(page, LINE)
    drawing = next_own(page, 4)
    update(page, answer={"id": late, "error": "This image is damaged."})
    expect(page.locator("#start .refusal")).to_be_empty()  # something newer has happened
    assert emitted(page, "own")[-1] == drawing


def test_what_the_server_refuses_is_said(open_page):
    page = open_page(init=ALTERED)
    choose(page, file_of(bar()))
    page.wait_for_function("() => emitted.length")
    (file,) = emitted(page, "file")
    update(page, answer={"id": file["id"], "error": "This image is damaged."})
    expect(page.locator("#start").get_by_role("alert")).to_have_text("This image is damaged. Test image 0: 7 stays in use.")  # noqa: E501
    choose(page, file_of(bar(), "PDF"))
    expect(page.locator("#start").get_by_role("alert")).to_contain_text("This is a PDF.")
    assert len(emitted(page, "file")) == 1


# ---- words


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_remark_and_caption_are_shown(open_page, scheme):
    page = open_page({"start": props_of(remark="The model reconstructs it worse than 99.8 % of test images: 412 nats.")}, color_scheme=scheme)  # noqa: E501
    expect(page.locator("#start .remark")).to_contain_text("412 nats")
    expect(page.locator("#start .caption")).to_have_text("test image 0: 7")
    expect(page.locator("#start .seen")).to_have_attribute("aria-label", "the start image as the model sees it")


def test_an_emptied_pad_says_that_the_last_drawing_stays_in_use(open_page):
    page = open_page()
    tab(page, "Draw")
    draw(page, LINE)
    in_use(page, next_own(page, 1))
    expect(page.get_by_role("button", name="Swap light and dark")).to_be_hidden()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#start .status")).to_have_text("The pad is empty. Your last picture stays in use.")
    assert len(emitted(page, "own")) == 1
    draw(page, LINE)
    expect(page.locator("#start .status")).to_be_empty()
