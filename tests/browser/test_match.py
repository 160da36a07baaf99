"""The game, played by keyboard."""

import pytest

from pages.components.match import panel

from .app_server import settle
from .panel import open_page, until


def seed_with(machine):
    """A game whose first machine it is."""
    return next(s for s in range(99) if panel.rounds("sprites", s)[0].machine == machine)


def score(page):
    return float(page.locator("canvas.yours").get_attribute("data-score"))


@pytest.mark.parametrize("machine", ["sprites-btcvae", panel.FACTORS])
def test_a_round_by_keyboard_to_its_end(page, address, machine):
    seed = seed_with(machine)
    one = panel.rounds("sprites", seed)[0]
    open_page(page, address, "match", seed=seed)
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
    for slider in one.sliders:
        if page.get_by_role("heading", name="Machine 2 of").count():
            break
        control = page.get_by_role("slider", name=slider["name"], exact=True)
        steps = round(float(one.target[slider["index"]] - one.start[slider["index"]]) / slider["step"])
        control.focus()
        for _ in range(abs(steps)):
            page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")
        page.wait_for_timeout(200)
    page.get_by_role("heading", name="Machine 2 of").wait_for()
    settle(page)
    page.get_by_test_id("stDataFrame").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Results (CSV)").click()
    header, row = download.value.path().read_text(encoding="utf-8").splitlines()
    found = dict(zip(header.split(","), row.split(","), strict=False))
    assert float(found["score"]) >= panel.ENOUGH and found["won"] == "yes"
    assert found["machine"] == "machine 1"  # its name is still hidden
    assert int(found["moves"]) >= 1 and float(found["seconds"]) > 0


def test_the_browsers_score_is_pythons(page, address):
    import torch

    one = panel.rounds("sprites", seed_with("sprites-btcvae"))[0]
    open_page(page, address, "match", seed=seed_with("sprites-btcvae"))
    page.locator("canvas.yours[data-score]").wait_for()
    slider = max(one.sliders, key=lambda s: abs(float(one.target[s["index"]] - one.start[s["index"]])))
    control = page.get_by_role("slider", name=slider["name"], exact=True)
    control.focus()
    sign = "ArrowRight" if one.target[slider["index"]] > one.start[slider["index"]] else "ArrowLeft"
    for _ in range(10):
        page.keyboard.press(sign)
    z = one.start.clone()
    z[slider["index"]] = float(control.input_value())
    until(page, lambda: score(page) == pytest.approx(one.score(torch.as_tensor(z)), abs=0.3))
