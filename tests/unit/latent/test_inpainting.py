"""Draws from the posterior of what is visible, held against a model where it is known."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal

import vae
from vae.latent.inpainting import _power_step, _systematic, fill_in
from vae.models import NetworkConfig
from vae.models.base import LatentModel, diagonal_normal

NOISE = 0.3


class Linear(LatentModel):
    """p(x|z) = N(Wz, NOISE^2) over 2 x 3 pixels, two dimensions: its posteriors are Gaussian."""

    def __init__(self):
        super().__init__(NetworkConfig((1, 2, 3), latent_dim=2))
        self.w = nn.Parameter(torch.randn(6, 2, generator=torch.Generator().manual_seed(0)))

    @property
    def prior(self):
        return diagonal_normal(torch.zeros(2), torch.ones(2))

    def likelihood(self, z, y=None):
        return Independent(Normal((z @ self.w.T).view(-1, 1, 2, 3), NOISE), 3)


class TwoSided(Linear):
    """Sees the square of z alone: whatever is visible, z and -z explain it alike."""

    def likelihood(self, z, y=None):
        return Independent(Normal((z**2 @ self.w.abs().T).view(-1, 1, 2, 3), NOISE), 3)


@pytest.fixture
def image():
    return torch.randn(1, 2, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shown", [[0, 1, 2, 3, 4, 5], [0, 4], [3], []], ids=str)
def test_a_linear_models_posterior_and_evidence_are_the_closed_form(image, shown):
    model = Linear().requires_grad_(False)
    visible = torch.zeros(6, dtype=torch.bool)
    visible[shown] = True
    found = fill_in(model, image, visible.view(2, 3), n=4000, generator=torch.Generator().manual_seed(0))
    w, x = model.w[visible], image.flatten()[visible]
    precision = torch.eye(2) + w.T @ w / NOISE**2
    covariance = torch.linalg.inv(precision)
    mean = covariance @ w.T @ x / NOISE**2
    error = covariance.diagonal().sqrt() / math.sqrt(len(found.z))
    assert ((found.z.mean(0) - mean).abs() < 8 * error).all()  # resampled particles are not independent
    torch.testing.assert_close(found.z.T.cov(), covariance, rtol=0.15, atol=0.1 * float(covariance.max()))
    evidence = 0.0
    if shown:
        marginal = MultivariateNormal(torch.zeros(len(x)), w @ w.T + NOISE**2 * torch.eye(len(x)))
        evidence = float(marginal.log_prob(x))
    assert found.log_evidence == pytest.approx(evidence, abs=0.25)


def test_every_answer_has_its_share_of_particles():
    model = TwoSided().requires_grad_(False)
    x = model.likelihood(torch.tensor([[1.0, 1.5]])).mean[0]
    z = fill_in(model, x, torch.ones(2, 3, dtype=torch.bool), n=2000, generator=torch.Generator().manual_seed(0)).z
    torch.testing.assert_close(z.abs().mean(0), torch.tensor([1.0, 1.5]), atol=0.1, rtol=0)
    for sign in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        share = (z.sign() == torch.tensor(sign).float()).all(1).float().mean()
        assert 0.1 < share < 0.45, sign


def test_draws_of_a_shipped_model_explain_what_is_visible_better_than_the_priors():
    model = vae.load("mnist-vae-16d")
    x, _ = vae.data.DATASETS["mnist"].load("test").batch([7])
    visible = torch.ones(28, 28, dtype=torch.bool)
    visible[14:] = False
    powers = []
    z = fill_in(model, x[0], visible, generator=torch.Generator().manual_seed(0), progress=powers.append).z
    assert powers == sorted(powers) and powers[-1] == 1

    def error(z, where):
        return ((model.decode(z) - x) ** 2)[:, 0][:, where].sum(1)

    drawn = model.sample(200, generator=torch.Generator().manual_seed(1))
    assert error(z, visible).mean() < 0.2 * error(drawn, visible).mean()
    # what is visible is settled, what is hidden is not
    varies = model.decode(z).var(0)[0]
    assert varies[~visible].mean() > 2 * varies[visible].mean()
    again = fill_in(model, x[0], visible, generator=torch.Generator().manual_seed(0)).z
    torch.testing.assert_close(z, again)


def test_what_cannot_be_filled_in_is_told():
    x, visible = torch.zeros(1, 28, 28), torch.ones(28, 28, dtype=torch.bool)
    for name in ("mnist-ae-2d", "mnist-vqvae"):
        with pytest.raises(ValueError, match="no posterior"):
            fill_in(vae.load(name), x, visible)
    model = vae.load("mnist-vae-2d")
    with pytest.raises(ValueError, match=r"the mask is \(8, 8\)"):
        fill_in(model, x, torch.ones(8, 8, dtype=torch.bool))
    with pytest.raises(ValueError, match="two particles"):
        fill_in(model, x, visible, n=1)
    with pytest.raises(ValueError, match="conditional"):
        fill_in(vae.load("mnist-cvae"), x, visible)


def test_what_no_code_explains_is_told(monkeypatch):
    monkeypatch.setattr("vae.latent.inpainting.MAX_TEMPERATURE_STEPS", 1)
    with pytest.raises(ValueError, match="out of distribution"):
        fill_in(vae.load("mnist-vae-2d"), torch.ones(1, 28, 28), torch.ones(28, 28, dtype=torch.bool))


def test_a_rise_leaves_half_the_particles_effective():
    likelihood = torch.linspace(-300, 0, 50)
    rise = _power_step(likelihood, 1.0)
    weights = (rise * likelihood.double()).softmax(0)
    assert float(1 / (weights**2).sum()) == pytest.approx(25, rel=1e-3)
    assert _power_step(torch.zeros(50), 0.3) == 0.3  # equal ones may go all the way


def test_resampling_keeps_each_particle_as_often_as_its_weight_says():
    chosen = _systematic(torch.tensor([0.5, 0.25, 0.25, 0.0], dtype=torch.float64), torch.Generator().manual_seed(0))
    assert torch.bincount(chosen, minlength=4).tolist() == [2, 1, 1, 0]
