"""The game, played by keyboard and by touch."""

import pytest
from playwright.sync_api import expect

from pages.components.match import panel

from .app_server import assert_fits, settle, watch
from .panel import open_page, show_all_sliders, until
from .picture_inputs import Touch


def seed_with(model):
    """A game of sprites whose first model it is."""
    return next(s for s in range(99) if panel.rounds("sprites", s)[0].model == model)


def score(page):
    return float(page.locator("canvas.yours").get_attribute("data-score"))


@pytest.mark.parametrize("model", ["sprites-btcvae", pytest.param(panel.FACTORS, marks=pytest.mark.slow)])
def test_a_round_by_keyboard_to_its_end(page, address, model):
    seed = seed_with(model)
    one = panel.rounds("sprites", seed)[0]
    open_page(page, address, "match", model="sprites-vae", seed=seed)
    page.locator("canvas.yours[data-score]").wait_for()
    assert score(page) == 0
    first = page.get_by_role("slider", name="slider 1")
    first.focus()
    at = first.input_value()
    key = "ArrowRight" if float(at) < one.sliders[0]["high"] - one.sliders[0]["step"] else "ArrowLeft"
    page.keyboard.press(key)
    assert first.input_value() != at
    page.keyboard.press("Control+z")
    assert first.input_value() == at
    z, scores = one.start.clone(), []
    for slider in one.sliders:
        d, name = slider["index"], slider["name"]
        control = page.get_by_role("slider", name=name, exact=True)
        steps = round(float(one.target[d] - one.start[d]) / slider["step"])
        control.focus()
        half = abs(steps) // 2
        for presses in (half, abs(steps) - half):
            for _ in range(presses):
                page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")
            z[d] = float(control.input_value())
            scores.append(one.score(z))
            until(page, lambda: score(page) == pytest.approx(scores[-1], abs=0.3))  # the browser's score is Python's
        if scores[-1] > panel.WIN_SCORE:
            break
    page.get_by_text("A match. Finish this round, or go on.").wait_for()
    page.get_by_role("button", name="Finish this round").click()
    page.get_by_test_id("stDataFrame").wait_for()
    settle(page)
    # the end of the round stays in sight until the player goes on
    ended = score(page)
    assert ended >= panel.WIN_SCORE - 0.3 and page.get_by_role("heading", name="Model 1 of").is_visible()
    assert page.get_by_text("Matched.").is_visible() and first.is_disabled()
    expect(page.get_by_role("button", name="Next round")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Model 2 of").wait_for()
    expect(first).to_be_focused()
    expect(page.get_by_role("button", name="Next round")).to_be_hidden()
    until(page, lambda: score(page) == 0)
    with page.expect_download() as download:
        page.get_by_role("button", name="Results (CSV)").click()
    header, row = download.value.path().read_text(encoding="utf-8").splitlines()
    found = dict(zip(header.split(","), row.split(","), strict=False))
    assert float(found["score"]) >= panel.WIN_SCORE and found["won"] == "yes"
    assert found["model"] == "model 1"  # its name is still hidden
    assert int(found["moves"]) >= 1 and float(found["seconds"]) > 0


@pytest.mark.slow
def test_a_round_by_touch_on_a_phone(browser, address):
    """Each slider is dragged to the target's value with a finger, and both pictures stay in view."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    errors = watch(page)
    seed = next(s for s in range(99) if panel.rounds("rooms", s)[0].model == "rooms-ada")
    one = panel.rounds("rooms", seed)[0]
    open_page(page, address, "match", model="rooms-ada", seed=seed)
    page.locator("canvas.yours[data-score]").wait_for()
    touch = Touch(page)
    show_all_sliders(page)
    for slider in one.sliders:
        control = page.get_by_role("slider", name=slider["name"], exact=True)
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        assert box["height"] >= 44
        low, high = slider["low"], slider["high"]
        at, to = (thumb(box, (float(z[slider["index"]]) - low) / (high - low)) for z in (one.start, one.target))
        drag(page, touch, at, to)
        for picture in ("target", "yours"):
            seen = page.locator(f"canvas.{picture}").bounding_box()
            assert 0 <= seen["y"] and seen["y"] + seen["height"] <= 844
    page.get_by_text("A match.").wait_for()
    page.get_by_role("button", name="Finish this round").tap()
    page.get_by_role("button", name="Next round").tap()
    page.get_by_role("heading", name="Model 2 of").wait_for()
    settle(page)
    assert_fits(page)
    assert not errors
    context.close()


def drag(page, touch, start, end, steps=8):
    """Move a finger from one place to another."""
    touch("touchStart", 0, start)
    for i in range(1, steps + 1):
        touch("touchMove", 0, tuple(a + (b - a) * i / steps for a, b in zip(start, end, strict=True)))
    page.wait_for_timeout(50)
    touch("touchEnd", 0)


def thumb(box, part):
    """Return where a slider's thumb is at a part of its track, which ends half a thumb before the box does."""
    return box["x"] + 8 + part * (box["width"] - 16), box["y"] + box["height"] / 2
