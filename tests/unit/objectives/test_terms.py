import math

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from vae.models import FAMILIES, NetworkConfig
from vae.models.base import Output, Posterior, diagonal_normal
from vae.models.blocks import discriminator
from vae.objectives.terms import (
    ada_gvae,
    beta_tcvae,
    capacity_vae,
    discriminator_loss,
    elbo,
    factor_vae,
    gaussian_kl,
    permute_dims,
    total_correlation,
)


def gaussians(b=5, d=3):
    g = torch.Generator().manual_seed(0)
    mu, sigma = torch.randn(b, d, generator=g), torch.rand(b, d, generator=g) + 0.2
    return diagonal_normal(mu, sigma), diagonal_normal(torch.zeros(d), torch.ones(d))


def test_kl_by_hand():
    q = diagonal_normal(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 2.0]]))
    p = diagonal_normal(torch.zeros(2), torch.ones(2))
    # mu^2 / 2 = 0.5; (sigma^2 - 1) / 2 - log sigma = 1.5 - log 2
    assert gaussian_kl(q, p)[0].tolist() == pytest.approx([0.5, 1.5 - 0.6931472], abs=1e-6)


def test_kl_equals_torch_distributions_for_any_gaussian_prior():
    q, _ = gaussians()
    mu, sigma = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([0.7, 1.5, 1.0])
    p = diagonal_normal(mu, sigma)
    expected = kl_divergence(Normal(q.mean, q.stddev), Normal(mu, sigma))
    torch.testing.assert_close(gaussian_kl(q, p), expected)


def test_kl_equals_a_monte_carlo_estimate():
    q, p = gaussians()
    torch.manual_seed(0)
    z = q.sample((200_000,))
    differences = q.log_prob(z) - p.log_prob(z)  # (S, B)
    error = differences.std(0) / len(z) ** 0.5
    assert ((differences.mean(0) - gaussian_kl(q, p).sum(1)).abs() < 5 * error).all()


def test_terms_are_sums_per_example_and_add_up():
    model = FAMILIES["vae"](NetworkConfig((1, 4, 4), latent_dim=3, encoder=(8,), decoder=(8,)))
    x = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    out = model(x, generator=torch.Generator().manual_seed(1))
    terms = elbo(out, x, beta=4.0)
    x_hat = model.decode(out.z)
    bce = -(x * x_hat.log() + (1 - x) * (1 - x_hat).log()).sum((1, 2, 3))
    assert all(term.shape == (6,) for term in (terms.recon, terms.kl, terms.elbo, terms.loss))
    torch.testing.assert_close(terms.recon, bce)
    torch.testing.assert_close(terms.kl, terms.kl_per_dim.sum(1))
    torch.testing.assert_close(terms.elbo, -(terms.recon + terms.kl))
    torch.testing.assert_close(terms.loss, terms.recon + 4 * terms.kl)


def test_point_posterior_has_no_kl():
    model = FAMILIES["ae"](NetworkConfig((1, 4, 4), latent_dim=2, encoder=(8,), decoder=(8,)))
    x = torch.rand(3, 1, 4, 4)
    terms = elbo(model(x), x)
    assert terms.kl.tolist() == [0, 0, 0]
    torch.testing.assert_close(terms.loss, terms.recon)


def test_any_posterior_without_a_density_has_no_kl():
    class Nearest(Posterior):  # a family's own point mass
        has_density = False
        arg_constraints = {}

    prior = diagonal_normal(torch.zeros(2), torch.ones(2))
    x = torch.full((3, 1, 2, 2), 0.5)
    likelihood = Independent(Bernoulli(logits=torch.zeros(3, 1, 2, 2), validate_args=False), 3, validate_args=False)
    terms = elbo(Output(Nearest(torch.Size([3]), torch.Size([2])), torch.ones(3, 2), likelihood, prior), x)
    assert torch.equal(terms.kl, torch.zeros(3)) and torch.equal(terms.kl_per_dim, torch.zeros(3, 2))
    torch.testing.assert_close(terms.loss, torch.full((3,), 4 * math.log(2)))


def test_reparametrised_gradient():
    """d/dmu E[z^2] = 2 mu and d/dsigma E[z^2] = 2 sigma, through the very line that draws z."""

    class Fixed(FAMILIES["vae"]):
        def encode(self, x, y=None):
            return diagonal_normal(mu.expand(len(x), 2), sigma.expand(len(x), 2))

    mu = torch.tensor([0.3, -1.2], requires_grad=True)
    sigma = torch.tensor([0.5, 2.0], requires_grad=True)
    model = Fixed(NetworkConfig((1, 2, 2), latent_dim=2, encoder=(4,), decoder=(4,)))
    out = model(torch.zeros(200_000, 1, 2, 2), generator=torch.Generator().manual_seed(0))
    assert isinstance(out, Output)
    (out.z**2).sum(1).mean().backward()
    assert mu.grad.tolist() == pytest.approx([0.6, -2.4], abs=0.03)
    assert sigma.grad.tolist() == pytest.approx([1.0, 4.0], abs=0.03)


def correlated_data(n, rho):
    """A "data set" whose posteriors make q(z) a known Gaussian: mu_n ~ N(0, S), sigma fixed.

    q(z) = N(0, C) with C = S + s^2 I = [[1, rho], [rho, 1]].
    """
    s = 0.3
    covariance = torch.tensor([[1 - s**2, rho], [rho, 1 - s**2]])
    g = torch.Generator().manual_seed(0)
    mu = torch.randn(n, 2, generator=g) @ torch.linalg.cholesky(covariance).T
    return mu, torch.full_like(mu, s), g, s


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_total_correlation_of_a_known_gaussian(rho):
    mu, sigma, g, s = correlated_data(3000, rho)
    q = diagonal_normal(mu, sigma)
    p = diagonal_normal(torch.zeros(2), torch.ones(2))
    z = mu + sigma * torch.randn(mu.shape, generator=g)
    # the batch is the data set: every image stands for itself
    parts = total_correlation(z, q, p, n_data=len(mu))
    # TC = -log(1 - rho^2) / 2; MI = H(z) - H(z|x); the margins are the prior's
    expected_tc = -0.5 * math.log(1 - rho**2)
    expected_mi = 0.5 * math.log(1 - rho**2) - 2 * math.log(s)
    assert parts.total_correlation.mean().item() == pytest.approx(expected_tc, abs=0.04)
    assert parts.mutual_information.mean().item() == pytest.approx(expected_mi, abs=0.06)
    assert parts.dimension_kl.mean().item() == pytest.approx(0, abs=0.06)


def test_total_correlation_from_a_batch_of_a_large_data_set_is_near_the_truth():
    """The trap: 1/N must stand on the diagonal. With D weights too many, or 1/N in column 0,
    a total correlation of 0 comes out tens of nats away."""
    mu, sigma, g, s = correlated_data(512, 0.0)
    z = mu + sigma * torch.randn(mu.shape, generator=g)
    p = diagonal_normal(torch.zeros(2), torch.ones(2))
    parts = total_correlation(z, diagonal_normal(mu, sigma), p, n_data=700_000)
    assert abs(parts.total_correlation.mean().item()) < 0.15


def test_own_image_weighs_one_in_n():
    """Two images far apart: q(z) at a draw is its own density over N, and nothing else."""
    mu = torch.tensor([[0.0], [100.0]])
    q = diagonal_normal(mu, torch.ones(2, 1))
    p = diagonal_normal(torch.zeros(1), torch.ones(1))
    parts = total_correlation(mu, q, p, n_data=50)
    assert parts.mutual_information.tolist() == pytest.approx([math.log(50)] * 2, abs=1e-4)


def test_the_three_parts_sum_to_the_sampled_kl():
    q, p = gaussians()
    z = q.sample()
    parts = total_correlation(z, q, p, n_data=1000)
    torch.testing.assert_close(sum(parts), q.log_prob(z) - p.log_prob(z))
    with pytest.raises(ValueError):
        total_correlation(z[:1], diagonal_normal(q.mean[:1], q.stddev[:1]), p, 1000)


def test_beta_tcvae_with_beta_one_is_the_sampled_elbo():
    model = FAMILIES["vae"](NetworkConfig((1, 4, 4), latent_dim=3, encoder=(8,), decoder=(8,)))
    x = torch.rand(6, 1, 4, 4)
    out = model(x)
    terms = beta_tcvae(out, x, beta=1.0, n_data=100)
    torch.testing.assert_close(terms.loss, terms.recon + terms.kl)
    more = beta_tcvae(out, x, beta=6.0, n_data=100)
    torch.testing.assert_close(more.loss - terms.loss, 5 * terms.parts.total_correlation)


def small_vae():
    torch.manual_seed(0)
    return FAMILIES["vae"](NetworkConfig((1, 4, 4), latent_dim=3, encoder=(8,), decoder=(8,)))


def test_capacity_holds_the_mean_kl():
    x = torch.rand(6, 1, 4, 4)
    out = small_vae()(x)
    kl = elbo(out, x).kl.mean()
    for capacity in (0.0, kl.item(), 20.0):
        terms = capacity_vae(out, x, gamma=7.0, capacity=capacity)
        torch.testing.assert_close(terms.loss - terms.recon, (7 * (kl - capacity).abs()).expand(6))
    # gradient ascent on the KL below the capacity, descent above it
    q = diagonal_normal(torch.ones(1, 2, requires_grad=True), torch.ones(1, 2))
    image = torch.zeros(1, 1, 1, 1)
    likelihood = torch.distributions.Independent(torch.distributions.Bernoulli(logits=image), 3)
    out = Output(q, q.mean, likelihood, diagonal_normal(torch.zeros(2), torch.ones(2)))
    for capacity, direction in ((0.0, 1), (5.0, -1)):  # its KL is 1 nat
        loss = capacity_vae(out, image, gamma=3.0, capacity=capacity).loss.sum()
        (slope,) = torch.autograd.grad(loss, q.mean, retain_graph=True)
        assert slope.flatten().tolist() == pytest.approx([3.0 * direction] * 2)


def test_factor_vae_adds_gamma_times_the_logits_difference():
    x = torch.rand(6, 1, 4, 4)
    out = small_vae()(x)
    logits = torch.randn(6, 2)
    terms = factor_vae(out, x, gamma=35.0, logits=logits)
    bound = elbo(out, x)
    torch.testing.assert_close(terms.total_correlation, logits[:, 0] - logits[:, 1])
    torch.testing.assert_close(terms.loss, bound.loss + 35 * (logits[:, 0] - logits[:, 1]))
    heavier = factor_vae(out, x, gamma=35.0, logits=logits, beta=3.0)
    torch.testing.assert_close(heavier.loss - terms.loss, 2 * bound.kl)


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_a_trained_discriminator_knows_the_total_correlation(rho):
    """The density-ratio trick on a Gaussian whose TC is known: -log(1 - rho^2) / 2."""
    torch.manual_seed(0)
    network = discriminator(2, width=32, layers=3)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    mix = torch.linalg.cholesky(torch.tensor([[1, rho], [rho, 1]]))
    for _ in range(600):
        z = torch.randn(512, 2) @ mix.T
        loss = discriminator_loss(network(z), network(permute_dims(z))).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        logits = network(torch.randn(20_000, 2) @ mix.T)
    found = (logits[:, 0] - logits[:, 1]).mean().item()
    assert found == pytest.approx(-0.5 * math.log(1 - rho**2), abs=0.07)


def test_discriminator_loss_by_hand():
    unsure = torch.zeros(1, 2)
    assert discriminator_loss(unsure, unsure).tolist() == pytest.approx([math.log(2)])
    sure = torch.tensor([[math.log(9.0), 0.0]])  # 0.9 for q(z)
    expected = -0.5 * (math.log(0.9) + math.log(0.1))
    assert discriminator_loss(sure, sure).tolist() == pytest.approx([expected])


def test_permuting_keeps_each_margin_and_breaks_the_pairs():
    z = torch.arange(40.0)[:, None] + torch.tensor([0.0, 100.0, 200.0])
    z.requires_grad_()
    shuffled = permute_dims(z, torch.Generator().manual_seed(0))
    assert not shuffled.requires_grad
    torch.testing.assert_close(shuffled.sort(0).values, z.detach())
    assert (shuffled[:, 1] - shuffled[:, 0] != 100).any()
    assert (shuffled[:, 2] - shuffled[:, 1] != 100).any()


def test_ada_gvae_averages_what_a_pair_shares():
    """By hand, one pair of two dimensions. Dimension 0: KL(N(0,1) || N(2,1)) = 2; dimension 1:
    N(1, .25) against N(1.5, 1): log 2 + (.25 + .25) / 2 - .5 = .443. The threshold is 1.22, so
    that dimension 1 is shared: mean 1.25, variance (.25 + 1) / 2."""
    mu = torch.tensor([[0.0, 1.0], [2.0, 1.5]])
    sigma = torch.tensor([[1.0, 0.5], [1.0, 1.0]])
    found = ada_gvae(diagonal_normal(mu, sigma))
    torch.testing.assert_close(found.mean, torch.tensor([[0.0, 1.25], [2.0, 1.25]]))
    torch.testing.assert_close(found.variance, torch.tensor([[1.0, 0.625], [1.0, 0.625]]))


def test_ada_gvae_pairs_images_half_a_batch_apart():
    mu = torch.tensor([[0.0, 0.0], [5.0, 0.1], [0.2, 9.0], [5.1, -7.0]])  # 0 with 2, 1 with 3
    found = ada_gvae(diagonal_normal(mu, torch.ones(4, 2)))
    expected = torch.tensor([[0.1, 0.0], [5.05, 0.1], [0.1, 9.0], [5.05, -7.0]])
    torch.testing.assert_close(found.mean, expected)
    same = ada_gvae(diagonal_normal(torch.ones(2, 3), torch.ones(2, 3)))
    torch.testing.assert_close(same.mean, torch.ones(2, 3))
    with pytest.raises(ValueError, match="even"):
        ada_gvae(diagonal_normal(mu[:3], torch.ones(3, 2)))
