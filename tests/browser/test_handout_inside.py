"""Inside of a handout: a drawing and a test image through a model, without a server."""

import numpy as np
import pytest
from playwright.sync_api import expect

import vae
from vae.data import DATASETS

from .handouts import PHONE
from .picture_inputs import bar, file_of
from .test_handout_interpolate import z_of


@pytest.mark.slow
def test_a_drawing_changes_the_ledger_and_z_is_taken(open_view):
    page = open_view("inside?model=mnist-vae-16d")
    recon = page.locator("tbody [data-value]").first
    before = recon.get_attribute("data-value")
    expect(page.locator(".code")).to_be_hidden()
    pad = page.locator(".pad")
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"], steps=5)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.9 * box["height"], steps=5)
    page.mouse.up()
    expect(recon).not_to_have_attribute("data-value", before)
    page.get_by_role("button", name="Use this z").click()
    expect(page.locator(".taken")).to_have_text("All pages now use this z.")
    taken = z_of(page)
    page.locator("nav").get_by_text("Sliders").click()
    expect(page).to_have_title("Sliders: Digits, VAE, 16-D")
    np.testing.assert_array_equal(z_of(page), taken)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist-vae-16d", "rooms-ada"])
def test_the_ledger_of_a_test_image_is_that_of_torch(open_view, name):
    import torch

    page = open_view(f"inside?model={name}&inside_source=Choose%20or%20upload&inside_image=1")
    expect(page.locator(".input .caption")).to_contain_text("test image 1")
    page.get_by_role("button", name="ε = 0").click()
    model = vae.load(name)
    x, _ = DATASETS[model.card.data].load("test").batch(np.array([1]))
    with torch.no_grad():
        q = model.encode(x)
        recon = -float(model.likelihood(q.mean).log_prob(x))
        kl = float(torch.distributions.kl_divergence(q.base_dist, torch.distributions.Normal(0.0, 1.0)).sum())
    values = [float(cell.get_attribute("data-value")) for cell in page.locator("tbody [data-value]").all()]
    assert values == pytest.approx([recon, kl, recon + kl], rel=1e-4)
    page.get_by_role("button", name="Use this z").click()
    expect(page.locator(".taken")).to_have_text("All pages now use this z.")
    np.testing.assert_allclose(z_of(page), q.mean[0], atol=1e-4)


@pytest.mark.slow
def test_the_switch_goes_from_the_drawing_to_an_own_picture_and_back(open_view):
    page = open_view("inside?model=mnist-vae-16d", **PHONE)
    recon = page.locator("tbody [data-value]").first
    drawn = recon.get_attribute("data-value")
    page.get_by_role("button", name="Test image or photo").click()
    expect(page.locator(".drawing")).to_be_hidden()
    expect(recon).not_to_have_attribute("data-value", drawn)
    chosen = recon.get_attribute("data-value")
    expect(page.get_by_role("tab", name="Draw")).to_have_count(0)  # the switch has a pad of its own
    page.get_by_role("tab", name="Photo or file").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files({"name": "bar.png", "mimeType": "image/png", "buffer": file_of(bar())})
    expect(page.locator(".input .caption")).to_have_text("your picture")
    expect(recon).not_to_have_attribute("data-value", chosen)
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(recon).to_have_attribute("data-value", drawn)
    assert "inside_source=Draw" in page.url
