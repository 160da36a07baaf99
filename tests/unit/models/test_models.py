from dataclasses import replace

import pytest
import torch

from vae.models import FAMILIES, Config
from vae.objectives import elbo

MLP = Config((1, 28, 28), latent_dim=3, encoder=(16,), decoder=(16,))
CONV = Config((1, 64, 64), latent_dim=3, network="conv", encoder=(16,), decoder=(16,), channels=(8, 8, 8, 8))
SMALL = {
    "ae": MLP,
    "vae": CONV,
    "cvae": replace(MLP, num_classes=10),
    "vamp": replace(CONV, pseudo_inputs=5),
    "iaf": replace(MLP, flow_steps=2, flow_width=8),
    "ladder": replace(CONV, top_dim=1),
    # 64 -> 1 in six halvings and a row of three would not fit: the one family with its own D
    "vqvae": replace(MLP, network="conv", latent_dim=49, channels=(4, 8), codebook=6, code_dim=2,
                     prior_width=8, prior_layers=1),
    "vaegan": CONV,
    "m2": replace(MLP, num_classes=10, channels=(4, 8)),
    "dvae": replace(MLP, noise=0.5),
}  # fmt: skip


def build(family):
    torch.manual_seed(0)
    model = FAMILIES[family](SMALL[family]).eval()
    x = torch.rand(4, *model.image_shape)
    y = torch.arange(4) if model.num_classes else None
    return model, x, y


@pytest.mark.parametrize("family", FAMILIES)
def test_contract(family):
    model, x, y = build(family)
    d = model.latent_dim
    q = model.encode(x, y)
    assert q.mean.shape == (4, d) and q.log_prob(q.mean).shape == (4,)
    x_hat = model.decode(q.mean, y)
    assert x_hat.shape == x.shape and 0 <= x_hat.min() and x_hat.max() <= 1
    assert model.prior.sample((5,)).shape == (5, d)
    assert model.prior.log_prob(torch.zeros(5, d)).shape == (5,)
    assert model.prior.mean.shape == (d,) and len(model.features(q.mean)) == 4
    assert model.prior_name and all(set(dims) <= set(range(d)) for dims in model.groups.values())
    likelihood = model.likelihood(q.mean, y)
    assert likelihood.log_prob(x).shape == (4,)
    torch.testing.assert_close(likelihood.mean, x_hat)
    out = model(x, y)
    assert out.z.shape == (4, d)
    assert elbo(out, x).loss.shape == (4,)
    assert torch.equal(model.encode(x, y).mean, q.mean)  # the same image, the same answer


@pytest.mark.parametrize("family", FAMILIES)
def test_samples_follow_seed_and_temperature(family):
    model, _, _ = build(family)
    draws = [model.sample(6, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    for bad in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError):
            model.sample(1, temperature=bad)
    if family in ("vamp", "vqvae"):  # a mixture and a table have draws of their own: test_vamp, test_vqvae
        return
    torch.testing.assert_close(model.sample(2, temperature=0), model.prior.mean.expand(2, 3))
    wide = model.sample(4000, temperature=2.0, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(wide.std(0), 2 * model.prior.stddev, rtol=0.05, atol=0)


def test_sampling_leaves_the_global_generator_alone():
    model, _, _ = build("vae")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    model.sample(5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(torch.rand(1), expected)


def test_conditional_model_needs_a_class_and_heeds_it():
    model, x, y = build("cvae")
    with pytest.raises(ValueError, match="pass y"):
        model.encode(x)
    with pytest.raises(ValueError, match="0 to 9"):
        model.decode(torch.zeros(1, 3), torch.tensor([10]))
    z = torch.zeros(2, 3)
    one, two = model.decode(z, torch.tensor([1, 2]))
    assert not torch.allclose(one, two)


def test_most_likely_class_is_the_one_with_the_highest_bound():
    model, x, _ = build("cvae")
    scores = torch.stack([
        model.likelihood(model.encode(x, y).mean, y).log_prob(x)
        - torch.distributions.kl_divergence(model.encode(x, y), model.prior)
        for y in (torch.full((4,), k) for k in range(10))
    ])  # fmt: skip
    assert torch.equal(model.most_likely_class(x), scores.argmax(0))


def test_autoencoder_prior_is_fitted_to_codes():
    model, _, _ = build("ae")
    codes = torch.randn(5000, 3) * torch.tensor([1.0, 5.0, 0.1]) + torch.tensor([0.0, 2.0, -1.0])
    model.fit_prior(codes)
    torch.testing.assert_close(model.prior.mean, codes.mean(0))
    torch.testing.assert_close(model.prior.stddev, codes.std(0))


def test_grey_likelihood_is_binary_cross_entropy():
    model, x, _ = build("ae")
    z = torch.randn(4, 3)
    expected = torch.nn.functional.binary_cross_entropy(model.decode(z), x, reduction="none")
    torch.testing.assert_close(-model.likelihood(z).log_prob(x), expected.sum((1, 2, 3)))


def test_unknown_network_is_refused():
    with pytest.raises(ValueError, match="unknown network"):
        FAMILIES["vae"](Config((1, 28, 28), latent_dim=2, network="transformer"))


def test_a_convolutional_encoder_heeds_the_class():
    torch.manual_seed(0)
    config = replace(CONV, image_shape=(1, 32, 32), channels=(4, 8), num_classes=7)
    model = FAMILIES["cvae"](config).eval()
    x = torch.rand(2, 1, 32, 32)
    one, two = (model.encode(x, torch.full((2,), k)).mean for k in (1, 2))
    assert not torch.allclose(one, two)
    with pytest.raises(ValueError, match="0 to 6"):
        model.encode(x, torch.tensor([7, 0]))
    assert model.decode(one, torch.tensor([6, 0])).shape == x.shape
