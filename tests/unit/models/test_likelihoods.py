"""Likelihoods of pixels: normalisers against numerical integration, sigmas by hand."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch.distributions import Normal

from vae.models.likelihoods import LIKELIHOODS, VARIANCE_RATE, ContinuousBernoulli

# far out, near p = 0.5 on both sides of where the series takes over, and at it
LOGITS = [-40.0, -20.0, -3.0, -0.5, -0.0101, -0.0099, -1e-4, -1e-8, 0.0, 1e-6, 0.009, 0.011, 0.7, 5.0, 30.0]


@pytest.mark.parametrize("logit", LOGITS)
@pytest.mark.parametrize("dtype, digits", [(torch.float64, 1e-8), (torch.float32, 3e-6)])
def test_the_continuous_bernoulli_integrates_to_one(logit, dtype, digits):
    p = ContinuousBernoulli(torch.tensor(logit, dtype=dtype))
    # the exact logit that this dtype holds, integrated in double precision
    exact = float(p.logits)
    area = quad(lambda x: np.exp(x * exact - np.logaddexp(0, exact)), 0, 1, points=[0.02, 0.5, 0.98], epsabs=0,
        epsrel=1e-12)[0]
    assert float(p.log_normaliser) == pytest.approx(-np.log(area), abs=digits * 10)
    mean = quad(lambda x: x * np.exp(x * exact - np.logaddexp(0, exact)), 0, 1, points=[0.02, 0.5, 0.98], epsabs=0,
        epsrel=1e-12)[0] / area
    assert float(p.mean) == pytest.approx(mean, abs=max(digits * 10, 2e-5 if dtype == torch.float32 else 0))


@pytest.mark.parametrize("logit", LOGITS)
def test_gradients_of_the_continuous_bernoulli_are_finite_and_right(logit):
    logits = torch.tensor(logit, dtype=torch.float64, requires_grad=True)
    p = ContinuousBernoulli(logits)
    gradient = torch.autograd.grad(p.log_prob(torch.tensor(0.3, dtype=torch.float64)), logits)[0]
    # an exponential family: the derivative of log p(x) by its natural parameter is x - E[x]
    assert gradient.item() == pytest.approx(0.3 - p.mean.item(), abs=1e-6)


def test_samples_have_the_mean_they_should():
    torch.manual_seed(0)
    logits = torch.tensor([-40.0, -3.0, 0.0, 0.5, 6.0, 40.0])
    p = ContinuousBernoulli(logits)
    samples = p.sample(torch.Size([40_000]))
    assert ((0 <= samples) & (samples <= 1)).all()
    assert (samples.mean(0) - p.mean).abs().max() < 0.006


def test_a_fixed_sigma_by_hand():
    logits, x = torch.zeros(1, 1, 1, 2), torch.tensor([[[[0.5, 0.8]]]])
    log_p = LIKELIHOODS["gaussian"](0.1)(logits).log_prob(x)
    by_hand = -2 * np.log(0.1 * np.sqrt(2 * np.pi)) - 0.5 * (0.3 / 0.1) ** 2
    assert float(log_p) == pytest.approx(by_hand, rel=1e-6)


def test_a_learned_sigma_gets_a_gradient_and_goes_to_the_error():
    likelihood = LIKELIHOODS["gaussian_learned"](1.0)
    x = 0.5 + 0.05 * torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(likelihood.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        (-likelihood(torch.zeros_like(x), x).log_prob(x)).mean().backward()
        optimizer.step()
    assert likelihood.log_sigma.exp().item() == pytest.approx(float((x - 0.5).pow(2).mean().sqrt()), rel=1e-3)


def test_the_optimal_sigma_of_no_image_and_of_a_perfect_reconstruction():
    pixels = LIKELIHOODS["gaussian_optimal"](0.5).train()
    before = pixels.log_sigma.clone()
    empty = torch.zeros(0, 1, 2, 2)
    assert pixels(empty, empty).log_prob(empty).shape == (0,) and torch.equal(pixels.log_sigma, before)
    logits = torch.zeros(2, 1, 2, 2, requires_grad=True)
    x = torch.full((2, 1, 2, 2), 0.5)
    pixels(logits, x).log_prob(x).sum().backward()
    assert logits.grad.isfinite().all() and pixels.log_sigma.isfinite()


def test_the_optimal_sigma_by_hand():
    likelihood = LIKELIHOODS["gaussian_optimal"](0.5).train()
    logits, x = torch.zeros(2, 1, 1, 2, requires_grad=True), torch.tensor([[[[0.5, 0.9]]], [[[0.3, 0.5]]]])
    p = likelihood(logits, x)
    sigma = np.sqrt((0.4**2 + 0.2**2) / 4)
    assert torch.allclose(p.base_dist.stddev, torch.tensor(sigma, dtype=torch.float32))
    # at the optimum the bound of N pixels is -N/2 (1 + log 2 pi sigma^2)
    assert p.log_prob(x).sum().item() == pytest.approx(-2 * (1 + np.log(2 * np.pi * sigma**2)), rel=1e-5)
    # no sigma is better
    for other in (0.8 * sigma, 1.25 * sigma):
        assert Normal(0.5, other).log_prob(x).sum() < p.log_prob(x).sum()
    p.log_prob(x).sum().backward()
    assert logits.grad.abs().sum() > 0
    # afterwards sigma is the running average's, whatever the image
    followed = np.sqrt((1 - VARIANCE_RATE) * 0.25 + VARIANCE_RATE * sigma**2)
    after = likelihood.eval()(logits.detach(), x)
    assert torch.allclose(after.base_dist.stddev, torch.tensor(followed, dtype=torch.float32))


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan"), float("inf")])
def test_a_sigma_that_is_none_is_refused(sigma):
    with pytest.raises(ValueError, match="positive and finite"):
        LIKELIHOODS["gaussian"](sigma)
