"""The game of a handout, played by keyboard and scored like Python."""

import numpy as np
import pytest
import torch

import vae
from vae.metrics import multiscale_distance
from vae.store import Store

from .app_server import assert_fits
from .handouts import PHONE, opened
from .panel import show_all_sliders, until

# through a copy: Chromium warns where a canvas is read again and again
PIXELS = """({ width, height, image }) => {
  const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  copy.putImageData(image, 0, 0);
  return [...copy.getImageData(0, 0, width, height).data];
}"""
ROOMS = ("rooms-ada", "rooms-vae")


def pixels(page, name):
    """The image (1, 3, 64, 64) on one of the game's canvases."""
    rgba = np.array(page.locator(f"canvas.{name}").evaluate(PIXELS), np.float32).reshape(64, 64, 4)
    return torch.from_numpy(rgba[:, :, :3].transpose(2, 0, 1) / 255)[None]


def score(page):
    return float(page.locator("canvas.yours").get_attribute("data-score"))


def focused(page):
    """The text or the label of what has the focus, also within a widget."""
    return page.evaluate("""() => {
      let { activeElement } = document;
      while (activeElement.shadowRoot?.activeElement) activeElement = activeElement.shadowRoot.activeElement;
      return activeElement.ariaLabel || activeElement.textContent;
    }""")


def number_of(image, x):
    """The index of a test image."""
    away = (x - image).abs().amax((1, 2, 3))
    assert away.min() < 0.003
    return int(away.argmin())


@pytest.fixture(scope="module")
def rooms():
    """The models, and the test images that the handout has in full."""
    from vae.browser.handout import _first_images

    info = vae.data.DATASETS["rooms"]
    split = info.load("test", download=False)
    with torch.no_grad():
        yield {name: vae.load(name) for name in ROOMS}, split.batch(_first_images(info, split))[0]


def play(page, models, x, order):
    """Play a round; returns its model, and the indices of its start and its target."""
    show_all_sliders(page)
    goal, sliders = number_of(pixels(page, "target"), x), page.locator("input[type=range]")
    values = torch.tensor([float(slider.input_value()) for slider in sliders.all()])
    away = {}  # of the nearest image's code from the sliders, by model and dimensions
    for name in models:
        encoded = Store().read_map(name)
        active = [d for d in order[name] if encoded.codes[:1000, d].var() > 0.01]
        if len(active) == len(values):
            away[name, tuple(active)] = (models[name].encode(x).mean[:, active] - values).norm(dim=1)
    model_name, active = min(away, key=lambda key: away[key].min())
    start = int(away[model_name, active].argmin())
    model, active = models[model_name], list(active)
    codes = model.encode(x).mean
    z, z_goal = codes[goal].clone(), codes[goal]
    z[active] = codes[start, active]
    target = x[goal][None]
    plain = target.mean((2, 3), keepdim=True).expand_as(target)
    worst = min(float(multiscale_distance(image, target)) for image in (x.mean(0, keepdim=True), plain))
    distance = lambda z: float(multiscale_distance(model.decode(z[None]), target))  # noqa: E731
    best = distance(z_goal)
    for i, d in enumerate(active):
        value = nearest_step(sliders.nth(i), float(z_goal[d]))
        sliders.nth(i).fill(value)
        z[d] = float(value)
        expected = 100 * min(1, max(0, (worst - distance(z)) / (worst - best)))
        until(page, lambda want=expected: score(page) == pytest.approx(want, abs=0.3))
    assert expected >= 80 and page.get_by_text("A match.").is_visible()
    page.get_by_role("button", name="Finish this round").click()
    return model_name, start, goal


def nearest_step(slider, value):
    """The value of a slider that is nearest to a value, as text."""
    low, high, step = (float(slider.get_attribute(name)) for name in ("min", "max", "step"))
    return repr(low + step * round((min(high, max(low, value)) - low) / step))


def orders():
    from vae.cards import Traits
    from vae.store import dimension_order

    found = {}
    for name in ROOMS:
        card, traits = Store().read_card(name), Traits.from_network_file(Store().read_network(name))
        found[name] = dimension_order(card, traits.levels, Store().read_map(name), traits.prior_stddev)
    return found


@pytest.mark.slow
def test_a_game_is_scored_like_python_and_then_names_its_models(browser, handout, rooms):
    models, x = rooms
    with opened(browser, handout, "#match?model=rooms-ada") as page:
        page.locator("canvas.yours[data-score]").wait_for()
        played = []
        for i in range(2):
            page.get_by_role("heading", name=f"Model {i + 1} of 2").wait_for()
            played.append(play(page, models, x, orders()))
            until(page, lambda n=i + 1: page.locator("tbody tr").count() == n)
            names = page.locator("tbody td:nth-child(2)").all_inner_texts()
            assert names[0] == ("model 1" if i == 0 else models[played[0][0]].card.title)  # hidden until the end
            assert focused(page) == ("Round 1" if i == 0 else "The models")
            assert number_of(pixels(page, "target"), x) == played[i][2]  # it stays in sight
            assert score(page) >= 80  # so does the match
            if i == 0:
                page.get_by_role("button", name="Next round").click()
                assert focused(page) == "slider 1"
        assert {name for name, _, _ in played} == set(ROOMS)
        assert played[0][1:] == played[1][1:]  # the same two images
        assert played[0][1] != played[0][2]
        assert page.locator("tbody tr").filter(has_text="won").count() == 2
        page.get_by_role("button", name="Play again").click()
        page.get_by_role("heading", name="Model 1 of 2").wait_for()
        assert "seed=1" in page.url and not page.locator("tbody tr").count()
        assert focused(page) == "slider 1"


@pytest.mark.slow
def test_a_single_model_plays_three_rounds_with_different_images(browser, handout):
    """MNIST has one model in this file, so nothing is hidden."""
    with opened(browser, handout, "#match?model=mnist-vae-16d") as page:
        targets = []
        for i in range(3):
            page.get_by_role("heading", name=f"Round {i + 1} of 3").wait_for()
            targets.append(page.locator("canvas.target").evaluate("(canvas) => canvas.toDataURL()"))
            page.get_by_role("button", name="Finish this round").click()
            page.get_by_text("You reached 0 %. A match needs 80 %.").wait_for()
            assert focused(page) == (f"Round {i + 1}" if i < 2 else "Your results")
            assert page.locator("tbody tr").count() == i + 1
            if i < 2:
                page.get_by_role("button", name="Next round").click()
        assert len(set(targets)) == 3
        text = page.locator("main").inner_text()
        assert "hidden" not in text and "All models" not in text and "MODEL" not in text.upper().split()


@pytest.mark.slow
def test_a_game_goes_on_after_a_visit_to_another_view(browser, handout):
    with opened(browser, handout, "#match?model=rooms-ada&seed=2") as page:
        page.get_by_role("button", name="Finish this round").click()
        page.get_by_role("button", name="Next round").click()
        slider = page.get_by_role("slider", name="slider 2")
        slider.press("ArrowRight")
        value, reached, target = slider.input_value(), score(page), pixels(page, "target")
        page.get_by_role("link", name="Sliders").click()
        page.locator("main > h2", has_text="Sliders").wait_for()
        page.get_by_role("link", name="Match").click()
        page.get_by_role("heading", name="Model 2 of 2").wait_for()
        assert (slider.input_value(), score(page)) == (value, reached)
        assert torch.equal(pixels(page, "target"), target) and page.get_by_text("1 move", exact=True).count()
        page.get_by_role("button", name="Finish this round").click()
        link = page.locator("tbody a").first
        link.click()
        page.locator("main > h2", has_text="Sliders").wait_for()
        page.go_back()
        link.wait_for()  # the results are kept, too


@pytest.mark.slow
def test_a_seed_is_a_game(browser, handout):
    targets = []
    with opened(browser, handout) as page:
        for seed in (3, 4, 3):
            page.goto(f"{handout.as_uri()}#match?model=rooms-vae&seed={seed}")
            page.get_by_text(f"Seed {seed}.").wait_for()
            targets.append(pixels(page, "target"))
    assert torch.equal(targets[0], targets[2]) and not torch.equal(targets[0], targets[1])


@pytest.mark.slow
def test_a_phone_keeps_both_pictures_in_sight_at_the_last_slider(browser, handout):
    with opened(browser, handout, "#match?model=rooms-ada", **PHONE) as page:
        show_all_sliders(page)
        last = page.locator("input[type=range]").last
        last.focus()
        page.keyboard.press("ArrowLeft")
        for name in ("target", "yours"):
            box = page.locator(f"canvas.{name}").bounding_box()
            assert -1 <= box["y"] and box["y"] + box["height"] < last.bounding_box()["y"]
        page.get_by_role("button", name="Finish this round").click()
        page.get_by_role("button", name="Next round").click()
        page.get_by_role("button", name="Finish this round").click()
        page.locator("tbody a").last.wait_for()
        assert_fits(page)
