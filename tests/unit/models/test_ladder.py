import torch
from torch.distributions import Independent, Normal, kl_divergence

from vae.models import FAMILIES
from vae.objectives import elbo

CONFIG = FAMILIES["ladder"].Config((1, 28, 28), latent_dim=7, encoder=(16, 12), decoder=(16,), top_dim=3)


def build():
    torch.manual_seed(0)
    model = FAMILIES["ladder"](CONFIG).double().eval()
    for p in model.top_down.parameters():  # a bottom prior that depends on the top level
        torch.nn.init.normal_(p, std=0.5)
    x = torch.rand(4, 1, 28, 28).double()
    return model, x, model.encode(x)


def centred(model, q, z):
    """The paper's own form at a draw: z_bottom, q(z_bottom | x, z_top), p(z_bottom | z_top)."""
    mu_p, logvar_p = model.bottom_prior(z[:, :3])
    sigma_p = (0.5 * logvar_p).exp()
    given = q.given(z[:, :3])
    z_bottom = mu_p + sigma_p * z[:, 3:]
    posterior = Independent(Normal(mu_p + sigma_p * given.mean[:, 3:], sigma_p * given.stddev[:, 3:]), 1)
    return z_bottom, posterior, Independent(Normal(mu_p, sigma_p), 1)


def test_kl_terms_of_the_levels_sum_to_the_whole():
    model, x, _ = build()
    with torch.no_grad():
        out = model(x, generator=torch.Generator().manual_seed(0))
        terms = elbo(out, x)
        _, posterior, prior = centred(model, out.posterior, out.z)
        standard = Independent(Normal(torch.zeros(3).double(), torch.ones(3).double()), 1)
        top = kl_divergence(out.posterior.top, standard)
        bottom = kl_divergence(posterior, prior)
    torch.testing.assert_close(terms.kl_per_dim[:, :3].sum(1), top)
    torch.testing.assert_close(terms.kl_per_dim[:, 3:].sum(1), bottom)
    torch.testing.assert_close(terms.kl, top + bottom)
    assert (bottom > 1e-3).all()


def test_the_densities_are_the_papers_but_for_the_change_of_coordinates():
    model, x, q = build()
    with torch.no_grad():
        z = q.sample()
        z_bottom, posterior, prior = centred(model, q, z)
        log_q = q.top.log_prob(z[:, :3]) + posterior.log_prob(z_bottom)
        log_p = Independent(Normal(0.0, 1.0).expand((3,)), 1).log_prob(z[:, :3]) + prior.log_prob(z_bottom)
        torch.testing.assert_close(q.log_prob(z) - model.prior.log_prob(z), log_q - log_p)


def test_average_of_the_analytic_kl_is_that_of_the_sampled_one():
    model, x, q = build()
    with torch.no_grad():
        z = q.sample((40_000,))  # (S, B, D)
        sampled = (q.log_prob(z) - model.prior.log_prob(z)).mean(0)
        standard = Independent(Normal(torch.zeros(7).double(), torch.ones(7).double()), 1)
        analytic = kl_divergence(q.at(z), standard).mean(0)
    torch.testing.assert_close(sampled, analytic, rtol=0.03, atol=0.03)


def test_the_bottom_posterior_weighs_precisions():
    """Sonderby et al. (2016), equations 17 and 18."""
    model, x, q = build()
    z_top = torch.randn(4, 3).double()
    mu_p, logvar_p = model.bottom_prior(z_top)
    sigma_p = (0.5 * logvar_p).exp()
    mu_up, logvar_up = model.bottom_up(model.encoder(x)).chunk(2, 1)
    precision = sigma_p**-2 + (-logvar_up).exp()
    mu = (mu_p * sigma_p**-2 + mu_up * (-logvar_up).exp()) / precision
    e = q.given(z_top)
    torch.testing.assert_close(mu_p + sigma_p * e.mean[:, 3:], mu)
    torch.testing.assert_close(sigma_p * e.stddev[:, 3:], precision.rsqrt())


def test_a_move_of_the_top_level_takes_the_bottom_level_along():
    model, _, _ = build()
    z = torch.zeros(2, 7).double()
    z[1, 0] = 2.0
    seen = []
    model.decoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model.decode(z)
    assert not torch.allclose(seen[0][0, 3:], seen[0][1, 3:])
    torch.testing.assert_close(seen[0][:, 3:], model.bottom_prior(z[:, :3])[0])


def test_levels_are_told_apart():
    model, _, _ = build()
    assert {name: list(dims) for name, dims in model.levels.items()} == {
        "top level": [0, 1, 2], "bottom level": [3, 4, 5, 6],
    }  # fmt: skip
