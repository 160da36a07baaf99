"""A training in a browser: begun, steered, found again after a reload, and its model explored."""

import io
import zipfile
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image, ImageDraw

from .app_server import assert_fits, running_app, settle, watch
from .layout import SCREENS
from .panel import open_page, open_panel, pixels, until

TRAINING = """(part) => {
  const root = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).find((root) => root?.training);
  if (!root) return null;
  const { data, film, at } = root.training;
  return { phase: data.phase, film: film.id, status: data.status, steps: film.frames.map((frame) => frame.step), at,
    kept: film.steps.length, betas: data.curve.beta, shown: Number(root.querySelector('.plane').dataset.step) };
}"""
EXAMPLE = "example"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(home):
    """An app whose visitors are on their own machine, with a folder of models of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAE_HOME", str(home))
        with running_app() as address:
            yield address


@pytest.fixture
def tab(browser, server):
    context = browser.new_context(**SCREENS["desk"])
    page = context.new_page()
    errors = watch(page)
    yield page
    assert_fits(page)
    context.close()
    assert not errors


def training(page):
    return page.evaluate(TRAINING) or {}


def open_train(page, address, query=""):
    page.goto(f"{address}/train?{query}")
    page.locator(".plane[data-step]").wait_for(timeout=60_000)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def begin(page, address, query):
    open_train(page, address, query)
    settle(page)
    press(page, "Start training")
    until(page, lambda: training(page)["film"] != EXAMPLE and len(training(page)["steps"]) > 1, 150)


def end(page):
    """Stop the training and wait until its model is there."""
    press(page, "Stop")
    until(page, lambda: training(page)["phase"] == "idle", 240)
    page.get_by_text("Explore your model").wait_for(timeout=30_000)


def test_the_recorded_example_plays_and_is_saved(page, address):
    open_train(page, address)
    settle(page)
    recorded = training(page)
    assert recorded["film"] == EXAMPLE and recorded["shown"] == recorded["steps"][-1]
    time = page.get_by_label("time in the film")
    time.focus()
    page.keyboard.press("Home")
    until(page, lambda: training(page)["shown"] == recorded["steps"][0] == 0)
    assert "step 0" in time.get_attribute("aria-valuetext")
    press(page, "play the film")
    until(page, lambda: training(page)["shown"] > 0)
    press(page, "stop the film")
    with page.expect_download() as download:
        press(page, "Save GIF")
    film = Image.open(download.value.path())
    assert film.format == "GIF" and film.size == (360, 360) and film.n_frames > len(recorded["steps"])
    film.seek(0)
    first = np.asarray(film.convert("RGB"), float)
    film.seek(film.n_frames - 1)
    last = np.asarray(film.convert("RGB"), float)
    assert np.abs(first - last).mean() > 5, "the latent space has formed"


@pytest.mark.slow
def test_a_training_is_steered_and_its_model_explored(tab, server):
    begin(tab, server, "train_data=digits8&train_seconds=300")
    until(tab, lambda: len(training(tab)["steps"]) > 4, 120)
    slider = tab.get_by_label("beta", exact=True)
    slider.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    until(tab, lambda: training(tab)["betas"][-1] == 4.0, 30)
    press(tab, "Pause")
    until(tab, lambda: training(tab)["phase"] == "paused", 60)
    tab.wait_for_timeout(1000)
    paused = training(tab)["steps"][-1]
    press(tab, "One batch")
    until(tab, lambda: training(tab)["steps"][-1] == paused + 1, 60)
    tab.get_by_role("link", name="Glossary").click()
    tab.get_by_role("heading", name="Glossary").wait_for()
    tab.get_by_role("link", name="Train", exact=True).click()
    until(tab, lambda: training(tab).get("steps", [0])[-1] == paused + 1, 90)
    before = training(tab)
    tab.reload()
    until(tab, lambda: training(tab).get("phase") == "paused" and training(tab)["shown"] == paused + 1, 60)
    after = training(tab)
    assert after["steps"] == before["steps"] and after["kept"] == len(after["steps"]), "all snapshots are there again"
    press(tab, "Go on")
    until(tab, lambda: training(tab)["steps"][-1] > paused + 1, 60)
    end(tab)
    press(tab, "Sliders")
    tab.get_by_role("heading", name="Sliders").wait_for()
    settle(tab)
    assert "digits" in tab.url and tab.locator("canvas.picture").count() == 1


def zip_of_drawings(count=300):
    """A zip of circles, lines and squares in three folders."""
    rng, content = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for i in range(count):
            kind = ("circles", "lines", "squares")[i % 3]
            image = Image.new("L", (48, 48), 255)
            x, y, radius = *rng.uniform(14, 34, 2), rng.uniform(5, 12)
            corners = (x - radius, y - radius, x + radius, y + radius)
            draw = ImageDraw.Draw(image)
            if kind == "lines":
                draw.line(corners, fill=0, width=3)
            else:
                (draw.ellipse if kind == "circles" else draw.rectangle)(corners, outline=0, width=3)
            file = io.BytesIO()
            image.save(file, "PNG")
            archive.writestr(f"{kind}/{i}.png", file.getvalue())
    return content.getvalue()


def open_about(page):
    inside = page.locator(".st-key-about_open_0, .st-key-about_open_1").first
    if not inside.is_visible():
        page.locator(".st-key-about button").first.click()
        inside.wait_for()


def delete(page):
    """Delete the current model, one of the visitor's own, and wait for another one."""
    open_about(page)
    press(page, "Delete this model")
    press(page, "Delete it now")
    page.wait_for_function("() => !location.search.includes('drawings')")
    settle(page)
    assert "Yours" not in page.get_by_role("combobox", name="Model").input_value()


@pytest.mark.slow
def test_own_images_are_trained_on_explored_carried_to_another_server_and_deleted(
    browser, tab, server, home, tmp_path, monkeypatch
):
    open_train(tab, server)
    press(tab, "Use your own images")
    files = [{"name": "drawings.zip", "mimeType": "application/zip", "buffer": zip_of_drawings()}]
    tab.locator("input[type=file]").set_input_files(files)
    tab.get_by_text("There are 300 images").wait_for(timeout=30_000)
    tab.get_by_text("3 classes").wait_for()
    press(tab, "Use these images")
    tab.wait_for_function("() => location.search.includes('train_data=drawings')")
    tab.get_by_test_id("stPopoverBody").wait_for(state="hidden")
    settle(tab)
    press(tab, "Start training")
    until(tab, lambda: training(tab)["film"] != EXAMPLE and len(training(tab)["steps"]) > 8, 150)
    end(tab)
    for page in ("Map", "Interpolate", "Inside", "Sliders"):
        tab.get_by_role("link", name=page, exact=True).click()
        tab.get_by_role("heading", name=page, exact=True).wait_for(timeout=30_000)
        settle(tab)
        assert "drawings" in tab.url and not tab.get_by_test_id("stException").count(), page
    (name,) = [path.parent.name for path in home.glob("drawings*/card.json")]
    open_panel(tab, server, model=name, z="0.5,-0.25")
    shown = pixels(tab)
    assert np.ptp(shown) > 50
    open_about(tab)
    with tab.expect_download() as download:
        press(tab, "Model file (.vae.zip)")
    assert download.value.suggested_filename == f"{name}.vae.zip"
    download.value.save_as(tmp_path / "model.vae.zip")

    monkeypatch.setenv("VAE_SHARED", "1")
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home of others"))
    with running_app() as elsewhere:
        context, stranger = browser.new_context(**SCREENS["desk"]), browser.new_context(**SCREENS["desk"])
        other = context.new_page()
        errors = watch(other)
        open_page(other, elsewhere, "sliders")
        open_about(other)
        other.locator(".st-key-about_open_0 input[type=file]").set_input_files(tmp_path / "model.vae.zip")
        other.wait_for_function("() => location.search.includes('model=drawings')", timeout=60_000)
        settle(other)
        opened = parse_qs(urlsplit(other.url).query)["model"][0]
        assert opened.startswith(f"{name}-") and "Yours" in other.get_by_role("combobox", name="Model").input_value()
        open_panel(other, elsewhere, model=opened, z="0.5,-0.25")  # a reload, which the visitor's cookie survives
        np.testing.assert_allclose(pixels(other), shown, atol=1)
        third = stranger.new_page()
        open_page(third, elsewhere, "sliders", model=opened)
        assert "drawings" not in third.url, "it is his alone"
        delete(other)
        assert_fits(other)
        for each in (context, stranger):
            each.close()
        assert not errors and not list(tmp_path.glob("home of others/*/card.json"))
    delete(tab)
    assert not (home / name).exists()


@pytest.mark.slow
def test_a_file_that_is_no_data_set_is_refused_in_a_sentence(tab, server):
    open_train(tab, server)
    press(tab, "Use your own images")
    files = [{"name": "few.zip", "mimeType": "application/zip", "buffer": zip_of_drawings(99)}]
    tab.locator("input[type=file]").set_input_files(files)
    tab.get_by_text("There are 99 images; a data set needs at least 100.").wait_for(timeout=30_000)
    assert not tab.get_by_role("button", name="Use these images").count()


@pytest.mark.slow
def test_a_second_visitor_waits_and_sees_no_training_of_the_first(browser, tab, server):
    begin(tab, server, "train_data=digits8&train_seconds=300")
    context = browser.new_context(**SCREENS["phone"])
    other = context.new_page()
    open_train(other, server, "train_data=digits8&train_seconds=30")
    assert training(other)["film"] == EXAMPLE
    settle(other)
    press(other, "Start training")
    until(other, lambda: "Trainings before yours: 1" in training(other)["status"], 30)
    press(tab, "Stop")
    until(other, lambda: len(training(other)["steps"]) > 1 and training(other)["film"] != EXAMPLE, 240)
    assert training(other)["film"] != training(tab)["film"]
    press(other, "Stop")
    context.close()
