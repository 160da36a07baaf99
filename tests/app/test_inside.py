"""The passage of an image, held against the functions that train."""

import base64
import json

import pytest
import torch

import vae
from pages.components.inside import panel
from pages.components.shell import cached
from vae import objectives
from vae.data import DATASETS
from vae.models.base import Output

from .test_pages import NAMES, payload, start

SERVED = [name for name in NAMES if panel.is_supported(vae.load(name))]


@pytest.mark.parametrize("name", SERVED)
def test_the_ledger_is_the_loss_functions(name):
    model = vae.load(name)
    x, y = DATASETS[model.card.data].load("test").batch([3])
    y = y if model.num_classes else None
    eps = torch.randn(model.latent_dim, generator=torch.Generator().manual_seed(1))
    found = panel.forward_pass(model, x, y, eps)
    q = model.encode(x, y)
    z = q.mean + q.stddev * eps
    expected = objectives.elbo(Output(q, z, model.likelihood(z, y), model.prior), x)
    assert float(found.terms.elbo) == pytest.approx(float(expected.elbo), abs=1e-3)
    # the parts add up
    assert float(found.terms.recon + found.terms.kl) == pytest.approx(-float(found.terms.elbo), abs=1e-3)
    assert float(found.terms.kl_per_dim.sum()) == pytest.approx(float(found.terms.kl), abs=1e-3)
    assert float(found.per_pixel.double().sum()) == pytest.approx(float(found.terms.recon), rel=1e-5)
    torch.testing.assert_close(found.out.z, z)
    assert found.reconstructions.shape == (panel.N_RECONSTRUCTIONS, *model.image_shape)


def test_which_models_are_taken_apart_and_what_the_others_are_told():
    served = {vae.load(name).card.family for name in SERVED}
    assert served == {"vae", "cvae", "m2", "dvae", "vaegan"}
    app = start("inside", model="mnist-iaf")
    for name in ("mnist-iaf", "mnist-ladder", "mnist-vqvae", "mnist-vamp"):
        app.selectbox(key="model_picker").select(name).run()
        assert not app.exception and app.session_state.model == name
        assert "not one Gaussian per dimension" in app.info[0].value


def test_a_colour_model_begins_with_an_image_of_its_own():
    assert payload(start("inside", model="faces-vae"), "drawing", "code")["drawing"] is False
    assert payload(start("inside", model="mnist-cvae"), "drawing", "code")["drawing"] is True


def test_rate_and_distortion_are_the_cards():
    app = start("inside", model="mnist-vae-16d")
    (chart,) = app.get("plotly_chart")
    (trace,) = json.loads(chart.proto.spec)["data"]
    cards = [vae.load(name).card for name in ("mnist-collapsed", "mnist-beta4", "mnist-vae-16d")]
    assert [text.strip() for text in trace["text"]] == [
        f"beta {cached.beta(c):g}: {c.figures['active_units']} active" for c in cards
    ]
    assert "plotly_chart" not in {e.type for e in start("inside", model="mnist-cvae").main}


def test_the_code_that_is_shown_is_the_code_that_ran():
    data = payload(start("inside", model="mnist-vae-2d"), "drawing", "code")
    import inspect

    from vae.models.vae import VAE

    assert data["code"]["q"]["source"] == inspect.getsource(VAE.encode)
    assert data["code"]["kl"]["name"] == "vae.objectives.terms.gaussian_kl"
    assert {"x", "q", "eps", "z", "x_hat", "recon", "kl"} <= data["code"].keys()


def test_a_drawing_is_what_the_model_needs_and_an_empty_one_is_told(monkeypatch):
    card = vae.load("mnist-vae-2d").card
    monkeypatch.setattr(panel.state, "card", lambda: card)
    for wild in (None, 7, "no base64!", base64.b64encode(bytes(9)).decode()):
        assert panel._drawing(wild) == (None, "")
    x, said = panel._drawing(base64.b64encode(bytes(panel.DRAWING_SIZE**2)).decode())
    assert x.shape == (1, 1, 28, 28) and said == panel.EMPTY_DRAWING
    x, said = panel._drawing(base64.b64encode(bytes([255]) * panel.DRAWING_SIZE**2).decode())
    assert x.max() == 1 and said == ""


def test_models_that_differ_in_beta_alone():
    names = {name: [c.name for c in panel.models_by_beta(vae.load(name).card)]
        for name in ("mnist-vae-16d", "sprites-beta4", "mnist-vae-2d")}
    assert names["mnist-vae-16d"] == ["mnist-ae-16d", "mnist-vae-16d", "mnist-beta4", "mnist-collapsed"]
    assert names["sprites-beta4"][0] == "sprites-ae" and len(names["sprites-beta4"]) >= 6
    assert names["mnist-vae-2d"] == ["mnist-ae-2d", "mnist-vae-2d"]
    for found in names.values():
        betas = [cached.beta(vae.load(name).card) for name in found]
        assert betas == sorted(betas) and betas[0] == 0
