"""Walks through the app as its users take them, in Chromium."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import vae
from vae.data import DATASETS

from .app_server import assert_fits, settle, watch
from .panel import drag, line, open_page, painted, released, shows, wait_for_another_z, z_in_url

PAGES = [
    "lessons", "sample", "interpolate", "map", "train", "disentangle", "inside", "uses", "compare", "match",
    "glossary",
]  # fmt: skip


@pytest.mark.slow
def test_an_uploaded_image_ends_as_a_gif(page, address, tmp_path):
    digits, _ = DATASETS["mnist"].load("test").batch([3])
    # as a stranger would have it: dark on white, large, a JPEG
    picture = Image.fromarray(255 - (digits[0, 0].numpy() * 255).astype(np.uint8)).resize((400, 400))
    picture.save(tmp_path / "zero.jpg")
    open_page(page, address, "interpolate", model="mnist-vae-16d")
    end = page.locator(".st-key-interpolate_A_picture")
    end.get_by_role("tab", name="Photo or file").click()
    with page.expect_file_chooser() as chooser:
        end.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(tmp_path / "zero.jpg")
    expect(end.locator(".caption")).to_have_text("your picture")
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Animation (GIF)").click()
    gif = Image.open(download.value.path())
    assert gif.format == "GIF" and gif.n_frames == 16  # 9 steps there, 7 back
    first = np.asarray(gif.convert("L").resize((28, 28), Image.Resampling.BOX), float)
    # its first frame is the model's reconstruction of what was uploaded
    assert np.corrcoef(first.ravel(), digits[0, 0].numpy().ravel())[0, 1] > 0.8


def test_a_click_on_a_sample_is_the_current_point_and_a_stand_in_writes_its_link(page, address):
    import torch

    open_page(page, address, "sample", model="mnist-vae-16d", seed=5)
    draws = vae.load("mnist-vae-16d").sample(36, generator=torch.Generator().manual_seed(5))
    before = z_in_url(page)
    page.get_by_role("button", name=re.compile("sample 4 of 36")).click()
    wait_for_another_z(page, before)
    assert z_in_url(page) == pytest.approx(draws[3].tolist(), abs=1e-4)
    page.get_by_role("link", name="Disentangle").click()
    page.get_by_role("heading", name="Disentangle").wait_for()
    settle(page)  # another model stands in: this one has no ground-truth factors
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name="Rooms, VAE, 10-D").click()
    page.wait_for_function("() => location.search.includes('rooms-vae')")


def test_a_deep_link_as_a_fresh_servers_first_request(first_visit):
    page = first_visit.page
    page.locator("canvas.picture[data-painted]").wait_for(timeout=60_000)
    settle(page)
    page.get_by_role("link", name="Interpolate").first.wait_for()
    shows(page, "mnist-vae-2d", [0.5, -0.5])
    assert not first_visit.errors


@pytest.mark.slow
def test_disentangle_by_keyboard(page, address):
    """A true factor is moved, a cell is chosen, a picture of its strip is taken: by keys alone."""
    open_page(page, address, "disentangle", model="rooms-ada")
    before = z_in_url(page)
    page.get_by_role("slider", name="scale").press("ArrowRight")
    settle(page)
    wait_for_another_z(page, before)
    moved = z_in_url(page)
    card = vae.store.Store().read_card("rooms-ada")
    owner = int(np.array(card.figures["mutual_information"])[:, 3].argmax())
    jump = np.abs(np.array(moved) - before)
    assert jump.argmax() == owner and jump[owner] > 2 * np.delete(jump, owner).max()

    chosen = page.locator(".heat button.chosen")
    first = chosen.get_attribute("aria-label")
    chosen.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(f".heat button.chosen:not([aria-label='{first}'])").wait_for()
    factor = chosen.get_attribute("aria-label").split(",")[0]
    strip = page.get_by_role("button", name=re.compile(f"^{factor} .*, ground truth$"))
    expect(strip.nth(3)).to_be_visible()
    strip.last.press("Enter")
    wait_for_another_z(page, moved)


@pytest.mark.slow
def test_a_grid_of_codes_by_keyboard(page, address):
    """Two places are chosen, a vector is put there, they are drawn anew: by keys alone."""
    import torch

    name = "mnist-vqvae"
    open_page(page, address, "sliders", model=name)
    before = z_in_url(page)
    places = page.get_by_role("group", name="codes in 7 rows and 7 columns").get_by_role("button")
    expect(places).to_have_count(49)
    page.get_by_text("Selected: 28.").wait_for()  # the lower half, so that the page does not open empty
    page.get_by_role("button", name="Select none").click()
    page.get_by_text("Selected: 0.").wait_for()
    settle(page)
    places.first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Space", "ArrowRight", "Space"):
        page.keyboard.press(key)
    page.get_by_text("Selected: 2.").wait_for()
    offered = page.get_by_role("group", name="codebook vectors").get_by_role("button")
    current = offered.and_(page.locator("[aria-current]"))
    settle(page)
    vectors = [int(re.match(r"vector (\d+)", v.get_attribute("title"))[1]) for v in offered.all()]
    other = next(i for i, vector in enumerate(vectors) if vector != before[15])
    # in the order of the prior, which the shipped model confirms
    model = vae.load(name)
    with torch.no_grad():
        logits = model.prior.network(torch.tensor([before]).long())[0, 15]
    assert vectors == logits.argsort(descending=True, stable=True)[: len(vectors)].tolist()
    offered.nth(other).press("Enter")
    wait_for_another_z(page, before)
    edited = z_in_url(page)
    assert [d for d in range(49) if edited[d] != before[d]] in ([15, 16], [15])
    assert edited[15] == edited[16] == vectors[other]
    expect(current).to_have_count(1)
    page.get_by_role("group", name="new samples").get_by_role("button").nth(2).press("Enter")
    wait_for_another_z(page, edited)
    drawn = z_in_url(page)
    assert all(drawn[d] == edited[d] for d in range(49) if d not in (15, 16))
    # places that are chosen while an answer is on its way stay chosen
    page.get_by_role("button", name="Select none").click()
    page.get_by_text("Selected: 0.").wait_for()
    settle(page)
    places.first.focus()
    for _ in range(5):
        page.keyboard.press("Space")
        page.wait_for_timeout(230)  # a little longer than the hand rests before its choice is sent
        page.keyboard.press("ArrowRight")
    page.get_by_text("Selected: 5.").wait_for()
    settle(page)
    assert [p.get_attribute("aria-pressed") for p in places.all()[:7]] == ["true"] * 5 + ["false"] * 2
    page.get_by_role("button", name="Select none").click()
    page.get_by_text("Selected: 0.").wait_for()
    expect(places.and_(page.locator("[aria-pressed=true]"))).to_have_count(0)


@pytest.mark.slow
def test_the_ladders_levels_are_groups_and_are_drawn_apart(page, address):
    """The browser decodes both levels, also while a slider moves."""
    open_page(page, address, "sliders", model="mnist-ladder")
    panel = page.locator(".panel")
    assert panel.locator("h4").all_inner_texts() == ["top level", "bottom level"]
    expect(page.locator("input[type=range]:visible")).to_have_count(6)
    top = vae.load("mnist-ladder").levels["top level"]
    for level in ("top level", "bottom level"):
        before = z_in_url(page)
        page.get_by_role("button", name=f"Sample {level}").click()
        wait_for_another_z(page, before)
        changed = {d for d, (a, b) in enumerate(zip(before, z_in_url(page), strict=False)) if a != b}
        assert changed and all((d in top) == (level == "top level") for d in changed)
        shows(page, "mnist-ladder")
    before = z_in_url(page)
    drag(page, "mnist-ladder")
    page.mouse.up()
    wait_for_another_z(page, before)
    released(page)
    shows(page, "mnist-ladder")
    assert "in your browser" in line(page)


@pytest.mark.slow
def test_every_page_fits_a_phone(browser, address):
    """One visitor's walk, which begins at Home with a filter and a model."""
    context = browser.new_context(viewport={"width": 390, "height": 844})  # the drawer's state stays in the profile
    page = context.new_page()
    errors = watch(page)
    open_page(page, address)
    assert_fits(page)
    page.locator(".st-key-home_data button").first.click()
    page.locator(".st-key-explore_mnist-vae-16d button").click()
    page.get_by_role("heading", name="Sliders").wait_for()
    settle(page)
    assert "model=mnist-vae-16d" in page.url and painted(page) >= 1
    assert_fits(page)
    for path in PAGES:
        page.get_by_test_id("stMain").get_by_role("link", name=path.capitalize(), exact=True).first.click()
        page.wait_for_url(re.compile(rf"/{path}\?.*model="))
        settle(page)
        assert_fits(page)
    assert not errors
    context.close()


@pytest.mark.slow
def test_pages_fit_a_desk(page, address):
    """Those that no other test opens at a desk; `page` looks at the last page of each test."""
    open_page(page, address)
    assert_fits(page)
    for title in ("Uses", "Compare", "Lessons"):
        page.get_by_role("link", name=title, exact=True).first.click()
        page.get_by_role("heading", name=title, exact=True).wait_for()
        settle(page)
        assert_fits(page)
