"""The forward pass that a page computes, in node, against the functions that train."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import vae
from vae import objectives, store
from vae.data import DATASETS
from vae.models.base import NetworkConfig, Output, reparametrise
from vae.models.likelihoods import LIKELIHOODS
from vae.models.portable import network_file
from vae.models.vae import VAE

from ...long import some_long
from .test_network import as_browser, in_node

SCRIPT = Path(__file__).parents[2] / "js/run_forward_passes.mjs"
FAMILIES = vae.models.FAMILIES
# diagonal posteriors, and the points of autoencoders that Inside compares them with
SUPPORTED = [
    card.name for card in vae.available()
    if (FAMILIES[card.family].analytic_kl or FAMILIES[card.family].deterministic)
    and not FAMILIES[card.family].discrete and card.family != "ladder"
]  # fmt: skip
QUICK = ("mnist-vae-2d", "glyphs-cvae", "sprites-beta4")  # on every run
SLOW = ("mnist-ae-16d", "mnist-m2", "faces-vaegan", "rooms-ada", "fashion-vae-16d")


def passes(job: dict, x: torch.Tensor, eps: torch.Tensor | None, y: torch.Tensor | None) -> list[dict]:
    """Run the forward passes of images x (B, C, H, W). eps (B, D), None for the mean; y (B,), None to choose."""
    calls = [
        {
            "x": as_browser(x[i : i + 1]), "eps": None if eps is None else eps[i].double().tolist(),
            "y": None if y is None else int(y[i]),
        }
        for i in range(len(x))
    ]  # fmt: skip
    (found,) = in_node([{"plain": True, **job, "calls": calls}], SCRIPT)
    return found


def expected(model: vae.models.LatentModel, x: torch.Tensor, eps: torch.Tensor, y: torch.Tensor | None):
    """Return the model's output and the terms of the ELBO, in torch."""
    q = model.encode(x, y)
    z = q.mean if model.deterministic else reparametrise(q, eps)
    out = Output(q, z, model.likelihood(z, y), model.prior)
    return out, objectives.elbo(out, x)


def assert_same(found: list[dict], out: Output, terms: objectives.ELBO, x: torch.Tensor, rel: float = 0) -> None:
    """Compare codes within 1e-4 and nats within 1e-3 per image; those of WebAssembly within float32's precision."""
    nats = partial(pytest.approx, abs=1e-3, rel=rel)
    per_pixel = -out.likelihood.base_dist.log_prob(x.to(out.z.dtype))
    for i, one in enumerate(found):
        np.testing.assert_allclose(one["mu"], out.posterior.mean[i], atol=1e-4)
        np.testing.assert_allclose(one["sigma"], out.posterior.stddev[i], atol=1e-4)
        np.testing.assert_allclose(one["z"], out.z[i], atol=1e-4)
        np.testing.assert_allclose(one["mean"], as_browser(out.likelihood.mean[i : i + 1]), atol=1e-4)
        np.testing.assert_allclose(one["perPixel"], as_browser(per_pixel[i : i + 1]), atol=1e-3)
        np.testing.assert_allclose(one["klPerDim"], terms.kl_per_dim[i], atol=1e-3)
        assert one["recon"] == nats(float(terms.recon[i]))
        assert one["kl"] == nats(float(terms.kl[i]))
        assert one["negativeElbo"] == nats(-float(terms.elbo[i]))
        assert sum(one["perPixel"]) == pytest.approx(one["recon"], rel=1e-9)
        assert sum(one["klPerDim"]) == pytest.approx(one["kl"], rel=1e-9) and one["finite"]


@pytest.mark.parametrize(
    "name", [*QUICK, *some_long((name for name in SUPPORTED if name not in QUICK), SLOW, [pytest.mark.slow])]
)
@torch.no_grad()
def test_the_terms_are_those_of_the_elbo(name):
    """Test images and a white one, in torch's double precision: sums over 12,288 pixels in single precision differ by
    more than the tolerance."""
    model, folder = vae.load(name).double(), store.PRETRAINED / name
    x, y = DATASETS[model.card.data].load("test").batch([0, 3, 7])
    x, y = torch.cat([x, torch.ones_like(x[:1])]), torch.cat([y, y[:1]])
    y = y if model.num_classes else None
    eps = torch.randn(len(x), model.latent_dim, generator=torch.Generator().manual_seed(1)).double()
    job = {"file": str(folder / "network.json"), "weights": str(folder / "model.safetensors")}
    assert_same(passes(job, x, eps, y), *expected(model, x.double(), eps, y), x)
    chosen = passes(job, x, None, None)
    most_likely = model.most_likely_class(x) if model.num_classes else None
    assert [one["y"] for one in chosen] == ([0] * len(x) if most_likely is None else most_likely.tolist())
    assert_same(chosen, *expected(model, x.double(), torch.zeros_like(eps), most_likely), x)
    in_webassembly = passes({**job, "plain": False}, x, eps, y)
    assert_same(in_webassembly, *expected(model, x.double(), eps, y), x, rel=1e-6)


def saved(model: VAE, folder: Path) -> dict:
    """Write a model for a browser and return the paths of its files."""
    weights, network = folder / "model.safetensors", folder / "network.json"
    save_file({name: tensor.clone().contiguous() for name, tensor in model.state_dict().items()}, weights)
    network.write_text(json.dumps(network_file(model)), encoding="utf-8")
    return {"file": str(network), "weights": str(weights)}


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@torch.no_grad()
def test_every_likelihood_of_pixels(likelihood, tmp_path):
    torch.manual_seed(0)
    config = NetworkConfig((3, 4, 5), 2, encoder=(6,), decoder=(6,), likelihood=likelihood, sigma=0.3)
    model = VAE(config).eval().double()
    for parameter in model.decoder.parameters():
        parameter.mul_(5)  # logits of all sizes
    job = saved(model.float(), tmp_path)
    model = model.double()
    x, eps = torch.rand(3, 3, 4, 5), torch.randn(3, 2).double()
    x[0] = (x[0] > 0.5).float()
    assert_same(passes(job, x, eps, None), *expected(model, x.double(), eps, None), x)


@torch.no_grad()
def test_the_continuous_bernoulli_near_even_odds(tmp_path):
    model = VAE(NetworkConfig((1, 2, 2), 1, encoder=(3,), decoder=(3,), likelihood="continuous_bernoulli")).eval()
    for parameter in model.decoder.parameters():
        parameter.mul_(1e-3)
    job, model = saved(model, tmp_path), model.double()
    x, eps = torch.rand(2, 1, 2, 2), torch.zeros(2, 1).double()
    out, terms = expected(model, x.double(), eps, None)
    assert model.decode_logits(out.z).abs().max() < 1e-2
    assert_same(passes(job, x, eps, None), out, terms, x)


@torch.no_grad()
def test_values_that_are_not_finite_are_noticed(tmp_path):
    model = VAE(NetworkConfig((1, 2, 2), 1, encoder=(3,), decoder=(3,))).eval()
    next(model.decoder.parameters()).fill_(torch.nan)
    (one,) = passes(saved(model, tmp_path), torch.rand(1, 1, 2, 2), torch.zeros(1, 1), None)
    assert one["finite"] is False and one["recon"] == "NaN" and np.isfinite(one["mu"]).all()
