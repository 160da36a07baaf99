import numpy as np
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vae.models import FAMILIES
from vae.models.vamp import Mixture
from vae.objectives import elbo

CONFIG = FAMILIES["vamp"].Config((1, 28, 28), latent_dim=4, encoder=(16,), decoder=(16,), pseudo_inputs=6)


def test_log_prob_is_that_of_a_direct_mixture():
    torch.manual_seed(0)
    model = FAMILIES["vamp"](CONFIG).eval()
    q = model.encode(model.pseudo_inputs.sigmoid())
    assert q.mean.std(0).min() > 1e-3  # components that differ
    direct = MixtureSameFamily(Categorical(torch.ones(6)), Independent(Normal(q.mean, q.stddev), 1))
    z = torch.randn(3, 5, 4)
    torch.testing.assert_close(model.prior.log_prob(z), direct.log_prob(z))
    torch.testing.assert_close(model.prior.mean, direct.mean)
    torch.testing.assert_close(model.prior.stddev, direct.stddev)


def test_far_and_narrow_components_keep_their_digits():
    rng = np.random.default_rng(0)
    mu = torch.from_numpy(rng.normal(size=(50, 30)) * 3).float()
    sigma = torch.from_numpy(rng.uniform(0.03, 1, size=(50, 30))).float()
    z = mu[:8] + sigma[:8] * torch.randn(8, 30)
    exact = MixtureSameFamily(
        Categorical(torch.ones(50).double()), Independent(Normal(mu.double(), sigma.double()), 1)
    ).log_prob(z.double())
    torch.testing.assert_close(Mixture(mu, sigma).log_prob(z).double(), exact, rtol=0, atol=0.02)


def test_samples_come_from_the_components():
    mu = torch.tensor([[-5.0, 0.0], [5.0, 1.0]])
    p = Mixture(mu, torch.full((2, 2), 0.1))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        z = p.sample((4000,))
    left = z[:, 0] < 0
    assert 0.45 < left.float().mean() < 0.55
    torch.testing.assert_close(z[left].mean(0), mu[0], rtol=0, atol=0.02)
    torch.testing.assert_close(z.var(0), p.variance, rtol=0.05, atol=0.002)


def test_temperature_0_gives_the_components_means():
    torch.manual_seed(0)
    model = FAMILIES["vamp"](CONFIG).eval()
    z = model.sample(20, temperature=0.0, generator=torch.Generator().manual_seed(0))
    assert (torch.cdist(z, model.prior.mu).amin(1) < 1e-6).all()


def test_the_bounds_gradient_reaches_the_pseudo_inputs_through_the_prior():
    torch.manual_seed(0)
    model = FAMILIES["vamp"](CONFIG)
    x = torch.rand(8, 1, 28, 28)
    out = model(x)
    terms = elbo(out, x)
    torch.testing.assert_close(terms.kl, out.posterior.log_prob(out.z) - out.prior.log_prob(out.z))
    terms.loss.mean().backward()
    assert model.pseudo_inputs.grad.abs().sum() > 0


def test_pseudo_inputs_begin_as_images():
    model = FAMILIES["vamp"](CONFIG)
    x = torch.rand(4, 1, 28, 28)
    before = model.pseudo_inputs[4:].clone()
    model.initialise(x)
    torch.testing.assert_close(model.pseudo_inputs[:4].sigmoid(), x.clamp(0.05, 0.95))
    assert torch.equal(model.pseudo_inputs[4:], before)
