"""A model whose code takes a few values in each dimension: every page shows it, and its sliders snap."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vae import pipeline, store
from vae.data import DATASETS
from vae.encoded import EncodedImages
from vae.models import FAMILIES
from vae.objectives import QuantisedLatent
from vae.training.recipes import Recipe

from .test_own_models import own, visit_every_page  # noqa: F401
from .test_pages import components, start

NAME, N = "mine-qlae", 40


@pytest.fixture
def qlae(own):  # noqa: F811
    config = FAMILIES["qlae"].Config((1, 28, 28), latent_dim=3, encoder=(16,), decoder=(16,), codebook=4)
    torch.manual_seed(0)
    model = FAMILIES["qlae"](config).eval().requires_grad_(False)
    model.encoder[-1].weight.mul_(20)  # so that all values occur
    recipe = Recipe("Mine, QLAE", "A few values.", "qlae", "mnist", config, steps=30, objective=QuantisedLatent())
    parameters = store.Store().read_card("mnist-vae-2d").map
    model.card = replace(pipeline.new_card(NAME, recipe, {}), map=parameters)
    codes = model.encode(DATASETS["mnist"].load("test").batch(range(N))[0]).mean.numpy()
    xy = codes[:, :2] + np.random.default_rng(0).normal(0, 0.01, (N, 2)).astype(np.float32)
    encoded = EncodedImages(np.arange(N), codes, np.zeros_like(codes), np.ones(N, np.float32), xy, xy, xy)
    pipeline.save_in(store.Store([own]), model, encoded)
    return model


def test_sliders_have_the_values_and_a_code_is_made_of_them(qlae):
    app = start("sliders", model=NAME)
    (panel,) = [data for data in components(app).values() if "dims" in data]
    values = qlae.values.numpy()
    for dim in panel["dims"]:
        np.testing.assert_allclose(dim["values"], values[dim["index"]], rtol=1e-5)
        assert dim["low"] == dim["values"][0] and dim["high"] == dim["values"][-1]
        assert min(abs(panel["z"][dim["index"]] - value) for value in dim["values"]) < 1e-4
    # a link names a code between the values
    app = start("sliders", model=NAME, z="0.1,-0.45,9")
    expected = [values[d][np.abs(values[d] - z).argmin()] for d, z in enumerate((0.1, -0.45, 9))]
    np.testing.assert_allclose(app.session_state.z, expected, atol=1e-4)


@pytest.mark.slow
def test_every_page_shows_it(qlae):
    pages = [app.title[0].value for app in visit_every_page(model=NAME)]
    assert len(pages) > 8
