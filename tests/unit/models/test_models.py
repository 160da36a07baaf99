import pytest
import torch

from tests.unit.models.test_conformance import B, D, build


def test_temperature_multiplies_the_spread_of_a_gaussian_prior():
    for family in ("vae", "ae", "ladder", "iaf", "cvae"):
        model, _, _ = build(family)
        torch.testing.assert_close(model.sample(2, temperature=0), model.prior.mean.expand(2, D))
        wide = model.sample(4000, temperature=2.0, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(wide.std(0), 2 * model.prior.stddev, rtol=0.05, atol=0)


def test_most_likely_class_is_the_one_with_the_highest_bound():
    model, x, _ = build("cvae")
    scores = torch.stack([
        model.likelihood(model.encode(x, y).mean, y).log_prob(x)
        - torch.distributions.kl_divergence(model.encode(x, y), model.prior)
        for y in (torch.full((B,), k) for k in range(model.num_classes))
    ])  # fmt: skip
    assert torch.equal(model.most_likely_class(x), scores.argmax(0))


def test_autoencoder_prior_is_fitted_to_codes():
    model, _, _ = build("ae")
    codes = torch.randn(5000, D) * torch.tensor([1.0, 5.0, 0.1, 2.0]) + torch.tensor([0.0, 2.0, -1.0, 3.0])
    model.fit_prior(codes)
    torch.testing.assert_close(model.prior.mean, codes.mean(0))
    torch.testing.assert_close(model.prior.stddev, codes.std(0))


def test_grey_likelihood_is_binary_cross_entropy():
    model, x, _ = build("ae")
    z = torch.randn(B, D)
    expected = torch.nn.functional.binary_cross_entropy(model.decode(z), x, reduction="none")
    torch.testing.assert_close(-model.likelihood(z).log_prob(x), expected.sum((1, 2, 3)))


def test_a_convolutional_encoder_heeds_the_class():
    model, x, _ = build("cvae", network="conv")
    one, two = (model.encode(x, torch.full((B,), k)).mean for k in (1, 2))
    assert not torch.allclose(one, two)
    with pytest.raises(ValueError, match="0 to 2"):
        model.encode(x, torch.tensor([3, 0, 0, 0]))
    assert model.decode(one, torch.tensor([2, 0, 1, 0])).shape == x.shape
