import numpy as np
import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from vae.metrics import importance_nll, likelihood
from vae.models import FAMILIES, LatentModel, NetworkConfig
from vae.models.base import diagonal_normal


class LinearGaussian(LatentModel):
    """z ~ N(0, I), x ~ N(W z + b, s^2 I): its marginal is N(b, W W^T + s^2 I).

    The columns of W are orthogonal, so that the true posterior is diagonal. widen spreads q
    beyond it.
    """

    def __init__(self, widen=1.0):
        super().__init__(NetworkConfig((1, 2, 2), latent_dim=2))
        self.W = torch.tensor([[1.0, 0.5], [1.0, -0.5], [0.5, 1.0], [0.5, -1.0]])
        self.b, self.s, self.widen = torch.tensor([0.1, -0.3, 0.7, 0.2]), 0.6, widen

    def encode(self, x, y=None):
        precision = 1 + (self.W**2).sum(0) / self.s**2  # (D,)
        mu = (x.flatten(1) - self.b) @ self.W / self.s**2 / precision
        return diagonal_normal(mu, self.widen * precision.rsqrt().expand_as(mu))

    def likelihood(self, z, y=None):
        mean = (z @ self.W.T + self.b).view(-1, 1, 2, 2)
        return Independent(Normal(mean, self.s), 3)

    @property
    def prior(self):
        return diagonal_normal(torch.zeros(2), torch.ones(2))

    def true_nll(self, x):
        covariance = self.W @ self.W.T + self.s**2 * torch.eye(4)
        return -MultivariateNormal(self.b, covariance).log_prob(x.flatten(1))


@pytest.fixture
def x():
    return torch.randn(50, 1, 2, 2, generator=torch.Generator().manual_seed(0))


def batches(x):
    y = torch.zeros(len(x), dtype=torch.long)
    return [(x[:20], y[:20]), (x[20:], y[20:])]


def test_with_the_true_posterior_one_sample_is_exact(x):
    model = LinearGaussian()
    found = importance_nll(model, batches(x), samples=1)
    np.testing.assert_allclose(found.per_image, model.true_nll(x), atol=1e-4)
    assert found.nll == pytest.approx(found.per_image.mean())
    assert found.standard_error == pytest.approx(found.per_image.std(ddof=1) / 50**0.5)


def test_with_another_posterior_it_converges_to_the_closed_form(x):
    model = LinearGaussian(widen=1.5)
    truth = model.true_nll(x).numpy()
    errors = {}
    for samples in (1, 20, 4000):
        found = importance_nll(model, batches(x), samples=samples)
        errors[samples] = found.nll - truth.mean()
    assert errors[1] > errors[20] > errors[4000] > -0.01 and errors[1] > 0.1
    np.testing.assert_allclose(found.per_image, truth, atol=0.12)
    assert errors[4000] < 0.01


def test_memory_is_bounded_and_chunks_change_nothing(x, monkeypatch):
    model = LinearGaussian(widen=1.3)
    whole = importance_nll(model, batches(x), samples=100)
    sizes = []
    original = model.likelihood
    model.likelihood = lambda z, y=None: sizes.append(len(z)) or original(z, y)
    monkeypatch.setattr(likelihood, "FLOATS", 7 * 20 * 4)
    parts = importance_nll(model, batches(x), samples=100)
    assert max(sizes) * 4 <= 7 * 20 * 4 and sum(sizes) == 100 * 50
    # another order of draws, so that only the estimate is the same
    assert parts.nll == pytest.approx(whole.nll, abs=0.05)


def test_seeded_and_leaves_torchs_generator_alone(x):
    model = LinearGaussian(widen=1.5)
    state = torch.get_rng_state()
    a = importance_nll(model, batches(x), samples=3, seed=1)
    assert torch.equal(state, torch.get_rng_state())
    assert a.nll == importance_nll(model, batches(x), samples=3, seed=1).nll
    assert a.nll != importance_nll(model, batches(x), samples=3, seed=2).nll


def test_many_samples_are_tighter_than_the_bound():
    torch.manual_seed(0)
    model = FAMILIES["cvae"](FAMILIES["cvae"].Config((1, 3, 3), 2, encoder=(8,), decoder=(8,), num_classes=3)).eval()
    x, y = (torch.rand(30, 1, 3, 3) > 0.5).float(), torch.arange(30) % 3
    one = np.mean([importance_nll(model, [(x, y)], samples=1, seed=s).nll for s in range(20)])
    assert importance_nll(model, [(x, y)], samples=500).nll < one


def test_what_has_no_density_is_refused(x):
    point = FAMILIES["ae"](NetworkConfig((1, 2, 2), 2, encoder=(4,), decoder=(4,)))
    with pytest.raises(ValueError, match="no density"):
        importance_nll(point, batches(x))
    with pytest.raises(ValueError, match="one sample or more"):
        importance_nll(LinearGaussian(), batches(x), samples=0)
