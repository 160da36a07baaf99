"""Disentangle for a data set of one's own, whose factors come from factors.csv and form no grid."""

import dataclasses

import numpy as np
import pytest
import torch

from tests.app.test_own_models import own  # noqa: F401  # a fixture
from tests.app.test_pages import payload, start
from vae import pipeline, store
from vae.data import own as own_data
from vae.encoded import EncodedImages
from vae.evaluation.evaluate import evaluate
from vae.live.result import slow, write_gallery
from vae.models import FAMILIES, NetworkConfig
from vae.training.recipes import Recipe

SIDE = 28


def scenes(n=300):
    """(files, rows of factors.csv): squares at few places in few shades, some combinations and not all of them."""
    from PIL import Image

    from tests.unit.data.files import encoded

    random, files, rows = np.random.default_rng(0), [], ["file,x,y,shade"]
    for i in range(n):
        x, y, shade = random.integers(0, 4), random.integers(0, 5), random.integers(0, 3)
        pixels = np.zeros((SIDE, SIDE), np.uint8)
        pixels[4 * y : 4 * y + 8, 5 * x : 5 * x + 8] = 100 + 70 * shade
        pixels[-1, -10:] = random.integers(0, 60, 10)  # so that all differ
        files.append((f"{i}.png", encoded(Image.fromarray(pixels))))
        rows.append(f"{i}.png,{x},{y},{'dark mid light'.split()[shade]}")
    return files, "\n".join(rows)


@pytest.fixture
def trained(own, tmp_path):  # noqa: F811
    """A model of such a data set in the user's folder: (card, data set)."""
    from pages.components.shell import cached

    files, table = scenes()
    source = own_data.open_source([*files, ("factors.csv", table.encode())])
    info = own_data.build(source, own_data.check(source, SIDE), tmp_path / "scenes", "My scenes", SIDE)
    torch.manual_seed(0)
    config = NetworkConfig(info.image_shape, latent_dim=3, encoder=(16,), decoder=(16,))
    model = FAMILIES["vae"](config).eval().requires_grad_(False)
    recipe = Recipe("My scenes, VAE, 3-D", "", "vae", info.name, config, steps=1)
    model.card = pipeline.new_card("mine-3d", recipe, {}, info)
    figures, protocol = evaluate(model, info, without=slow(info))
    model.card = dataclasses.replace(model.card, figures=figures, protocol=protocol)
    x, _ = info.load("test").batch(range(30))
    means, flat = model.encode(x).mean.numpy(), np.zeros((30, 2), np.float32)
    write_gallery(info, own)
    encoded = EncodedImages(np.arange(30), means, np.ones_like(means), flat[:, 0], flat, flat, flat)
    card = pipeline.save_in(store.Store([own]), model, encoded)
    cached.refresh()
    return card, info


def test_factors_that_form_no_grid_are_shown_with_test_images(trained):
    card, info = trained
    assert {"mig", "sap", "dci", "modularity"} <= card.figures.keys() and info.grid is None
    app = start("disentangle", model="mine-3d")
    assert not app.exception and app.session_state.model == "mine-3d"
    heat = payload(app, "texts", "rows", "columns")
    assert heat["rows"] == ["x", "y", "shade"]
    assert any(f", {card.figures['mig']:.3f}, is the mean gap" in c.value for c in app.caption)
    assert app.dataframe[-1].value["DCI disentanglement"][0] == pytest.approx(card.figures["dci"])
    split = info.load("test")
    sliders = [app.select_slider(key=f"factor_{card.data}_{k}") for k in range(3)]
    truth = [info.factors.values[k].index(slider.value) for k, slider in enumerate(sliders)]
    assert truth in split.factors.tolist()
    # a value that is set is the one shown, with the code of a test image that has it
    wanted = next(value for value in info.factors.values[1] if value != sliders[1].value)
    sliders[1].set_value(wanted).run()
    assert not app.exception and app.select_slider(key=f"factor_{card.data}_1").value == wanted
    rows = [row for row in range(len(split)) if info.factors.values[1][split.factors[row, 1]] == wanted]
    codes = store.load("mine-3d", store.home()).encode(split.batch(rows)[0]).mean
    assert (torch.tensor(app.session_state.z) - codes).abs().amax(1).min() < 1e-4
    assert not any("not the code of" in c.value for c in app.caption)
