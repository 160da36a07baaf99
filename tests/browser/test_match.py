"""The game, played by keyboard."""

import numpy as np
import pytest

from pages.components.match import panel

from .app_server import settle
from .panel import open_page, until


def seed_with(machine):
    """A game whose first machine it is."""
    return next(s for s in range(99) if panel.rounds("sprites", s)[0].model == machine)


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
    z, scores = one.start.clone(), []
    for slider in one.sliders:
        d, name = slider["index"], slider["name"]
        control = page.get_by_role("slider", name=name, exact=True)
        steps = round(float(one.target[d] - one.start[d]) / slider["step"])
        control.focus()
        half = abs(steps) // 2
        for _ in range(half):
            page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")
        z[d] = float(control.input_value())
        scores.append(one.score(z))
        until(page, lambda: score(page) == pytest.approx(scores[-1], abs=0.3))  # the browser's score is Python's
        for _ in range(abs(steps) - half):
            page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")
        z[d] = float(z[d]) + np.sign(steps) * (abs(steps) - half) * slider["step"]
        if one.score(z) > panel.WIN_SCORE:
            break
    assert max(scores) > 5
    page.get_by_role("heading", name="Machine 2 of").wait_for()
    settle(page)
    page.get_by_test_id("stDataFrame").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Results (CSV)").click()
    header, row = download.value.path().read_text(encoding="utf-8").splitlines()
    found = dict(zip(header.split(","), row.split(","), strict=False))
    assert float(found["score"]) >= panel.WIN_SCORE and found["won"] == "yes"
    assert found["machine"] == "machine 1"  # its name is still hidden
    assert int(found["moves"]) >= 1 and float(found["seconds"]) > 0
