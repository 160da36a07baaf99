"""A model that returns NaN, in the browser: a sentence stands where the former picture and numbers stood."""

import numpy as np
import pytest
from playwright.sync_api import expect

from .app_server import ROOT, running_app, settle
from .panel import line, open_page
from .test_inside import THREE, computed, draw, picture

SENTENCE = "returns a value that is not a finite number"
# the app, but with an encoder that breaks on images with little ink and a decoder that breaks far from the middle
APP = """
import math
import torch
from vae import store
from pathlib import Path
from vae.models.base import diagonal_normal

def broken(self, name, load=getattr(store, "load_unbroken", store.Store.load)):
    model = load(self, name)
    encode, decode_logits = model.encode, model.decode_logits
    def bad_encode(x, y=None):
        q = encode(x, y)
        # the browser computes this, too: the root of a negative number is NaN
        return diagonal_normal(q.mean + 0 * (x.mean((1, 2, 3))[:, None] - 0.08).sqrt(), q.stddev)
    if name == "mnist-vae-2d":
        model.encode = bad_encode
    if name == "mnist-ladder":
        first = lambda z: z.cumsum(1)[:, :1, None, None]  # which the browser cannot compute, so the server decodes
        model.decode_logits = lambda z, y=None: torch.where(first(z) > 3, math.nan, decode_logits(z, y))
    return model

def no_network(self, name):
    raise store.ModelUnavailable("its networks are those of the model that is not broken")

store.Store.read_network = no_network
if not hasattr(store, "load_unbroken"):
    store.load_unbroken, store.Store.load = store.Store.load, broken
"""


@pytest.fixture(scope="module")
def broken_app(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken")
    (folder / "app.py").write_text(APP + (ROOT / "app.py").read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("pages", ".streamlit"):
        (folder / name).symlink_to(ROOT / name)
    with running_app(folder=folder) as address:
        yield address


@pytest.mark.slow
def test_inside_hides_what_belongs_to_the_image_before(page, broken_app):
    open_page(page, broken_app, "inside", model="mnist-vae-2d")
    n = computed(page)
    numbers = page.locator(".terms td[data-value]").first
    expect(numbers).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    n = computed(page, n)
    draw(page, [(140, 60), (140, 220)])  # a one
    n = computed(page, n)
    expect(page.locator(".no-number")).to_contain_text(SENTENCE)
    assert 0.03 < picture(page, "x").mean() < 0.08  # the new image as the model sees it
    for part in (".terms", "svg.posterior", "canvas.x_hat", "canvas.error", "canvas.fan", "button.take"):
        expect(page.locator(part)).to_be_hidden()
    page.get_by_role("button", name="Sample ε again").click()
    n = computed(page, n)
    expect(page.locator(".no-number")).to_contain_text(SENTENCE)
    page.get_by_role("button", name="Clear").click()
    n = computed(page, n)
    draw(page, THREE)
    computed(page, n)
    expect(page.locator(".no-number")).to_be_hidden()
    expect(numbers).to_be_visible()
    assert float(numbers.inner_text()) > 0 and picture(page, "x_hat").max() > 0.5


def alpha(page, selector):
    return np.array(page.evaluate(
        f"""() => {{ const c = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
          .map(r => r.querySelector('{selector}')).find(Boolean);
          return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 3) }}"""
    ))  # fmt: skip


@pytest.mark.slow
def test_panel_and_map_stay_empty_where_the_decoder_fails(page, broken_app):
    z = ",".join(["4"] + ["0"] * 49)
    open_page(page, broken_app, "sliders", model="mnist-ladder", z=z)
    page.wait_for_function("() => window.latentSpaceExplorer?.models.size")
    settle(page)
    assert SENTENCE in line(page)
    assert not alpha(page, "canvas.picture").any()
    assert page.get_by_text("hold a value that is not a finite number").count() >= 1
    page.get_by_role("button", name="Reset to the mean").click()
    page.wait_for_function("() => !location.search.includes('z=4')")
    settle(page)
    assert "decoded on the server" in line(page) and alpha(page, "canvas.picture").all()
    open_page(page, broken_app, "map", model="mnist-ladder", z=z)
    expect(page.locator(".here figcaption")).to_contain_text(SENTENCE)
    assert not alpha(page, ".here canvas").any()
