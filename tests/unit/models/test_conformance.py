"""What every registered family has to fulfil, whoever wrote it; a new family is tested by being registered."""

import copy
import json
from dataclasses import asdict, fields

import pytest
import torch

from vae.models import FAMILIES
from vae.models.likelihoods import LIKELIHOODS
from vae.objectives import elbo

# small values of fields that families have of their own; a field that is not here has its default
SMALL = dict(
    num_classes=3, top_dim=1, pseudo_inputs=5, flow_steps=2, flow_width=8, codebook=6, code_dim=2, prior_width=8,
    prior_layers=1,
)  # fmt: skip
B, D = 4, 4


def small_config(family, **changes):
    """Return a config of a family for images (1, 8, 8): two halvings make a grid of 2 x 2."""
    config_class = FAMILIES[family].Config
    own = {k: v for k, v in SMALL.items() if k in {f.name for f in fields(config_class)}}
    common = dict(image_shape=(1, 8, 8), latent_dim=D, encoder=(8,), decoder=(8,), channels=(4, 8))
    return config_class(**{**common, **own, **changes})


def build(family, **changes):
    """Return a small model in eval mode, images (B, 1, 8, 8) and classes (B,), None where it takes none."""
    torch.manual_seed(0)
    model = FAMILIES[family](small_config(family, **changes)).eval()
    y = torch.arange(B) % model.num_classes if model.conditional else None
    return model, torch.rand(B, *model.image_shape), y


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# a foreign family has its networks elsewhere, see test_foreign.py; for AutoencoderKL see tests/unit/checkpoints
@pytest.fixture(params=[name for name in FAMILIES if not FAMILIES[name].foreign and not FAMILIES[name].packages])
def family(request):
    return request.param


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_shapes(family, network):
    if FAMILIES[family].discrete and network == "mlp":
        pytest.skip("its code is a grid of a feature map")
    model, x, y = build(family, network=network)
    q = model.encode(x, y)
    assert q.mean.shape == q.variance.shape == (B, D) and q.log_prob(q.mean).shape == (B,)
    assert q.sample((3,)).shape == (3, B, D)
    x_hat = model.decode(q.mean, y)
    assert x_hat.shape == x.shape and 0 <= x_hat.min() and x_hat.max() <= 1
    torch.testing.assert_close(model.reconstruct(x, y), x_hat)
    likelihood = model.likelihood(q.mean, y)
    assert likelihood.log_prob(x).shape == (B,)
    torch.testing.assert_close(likelihood.mean, x_hat)
    z = model.sample(5, generator=seeded())
    assert z.shape == model.prior.sample((5,)).shape == (5, D)
    assert model.prior.log_prob(z).shape == (5,) and model.prior.mean.shape == (D,)
    assert model.features(z).shape[0] == 5 and model.features(z).ndim == 2
    out = model(x, y, generator=seeded())
    assert out.z.shape == (B, D) and out.likelihood.mean.shape == x.shape
    terms = elbo(out, x)
    assert terms.loss.shape == (B,) and all(term.isfinite().all() for term in terms if term is not None)
    assert torch.equal(model.encode(x, y).mean, q.mean)  # nothing of it is random


def test_samples_follow_seed_and_temperature(family):
    model, _, _ = build(family)
    draws = [model.sample(6, generator=seeded(s)) for s in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    for bad in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="temperature"):
            model.sample(1, temperature=bad)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    model.sample(5, generator=seeded())
    assert torch.equal(torch.rand(1), expected)  # torch's own generator is left alone


def test_weights_and_config_are_all_there_is(family):
    model, x, y = build(family)
    stored = json.loads(json.dumps(asdict(model.config)))
    config = type(model.config).from_dict(stored)
    assert config == model.config and hash(config) == hash(model.config)
    again = FAMILIES[family](config).eval()
    again.load_state_dict(copy.deepcopy(model.state_dict()))
    with torch.no_grad():
        z = model.encode(x, y).mean
        assert torch.equal(again.encode(x, y).mean, z)
        assert torch.equal(again.decode(z, y), model.decode(z, y))
        assert torch.equal(again.prior.log_prob(z), model.prior.log_prob(z))
        assert torch.equal(again.sample(3, generator=seeded()), model.sample(3, generator=seeded()))


def test_the_prior_follows_the_weights(family):
    """Also where it is computed once and kept."""
    model, x, y = build(family)
    model.requires_grad_(False)
    z = model.encode(x, y).mean
    before = model.prior.log_prob(z), model.prior.mean
    assert torch.equal(model.prior.log_prob(z), before[0]) and torch.equal(model.prior.mean, before[1])
    for p in model.parameters():
        p.copy_(torch.randn(p.shape, generator=seeded()))
    other = FAMILIES[family](model.config).eval()
    other.load_state_dict(model.state_dict())
    assert torch.equal(model.prior.log_prob(z), other.prior.log_prob(z))
    assert torch.equal(model.prior.mean, other.prior.mean)


def test_another_familys_config_is_refused(family):
    class Other(FAMILIES[family].Config):
        pass

    with pytest.raises(TypeError, match="takes a .*Config, not a .*Other"):
        FAMILIES[family](Other(**vars(small_config(family))))


# ---- what a family says it can do

def test_discrete(family):
    model, x, y = build(family)
    z = model.encode(x, y).mean
    if not model.discrete:
        assert torch.equal(model.features(z), z)
        return
    assert model.deterministic and model.grid[0] * model.grid[1] == D
    for codes in (z, model.sample(50, generator=seeded())):
        assert torch.equal(codes, codes.round()) and codes.min() >= 0 and codes.max() < model.codebook_size


def test_deterministic(family):
    model, x, y = build(family)
    q = model.encode(x, y)
    torch.manual_seed(0)
    assert torch.equal(q.sample(), q.mean) == model.deterministic
    assert torch.equal(q.variance, torch.zeros(B, D)) == model.deterministic


def test_elbo_and_analytic_kl(family):
    model, x, y = build(family)
    terms = elbo(model(x, y, generator=seeded()), x)
    if not model.has_elbo:
        assert torch.equal(terms.kl, torch.zeros(B)) and not model.analytic_kl
        return
    assert (terms.kl != 0).all()  # a KL that is estimated from one sample may be negative
    assert (terms.kl_per_dim is not None) == model.analytic_kl
    if model.analytic_kl:
        torch.testing.assert_close(terms.kl_per_dim.sum(1), terms.kl)
        # an average over samples, since with levels the KL is that at one sample of the upper one
        with torch.no_grad():
            kl = torch.stack([elbo(model(x, y, generator=seeded(i)), x).kl for i in range(200)])
            q = model.encode(x, y)
            torch.manual_seed(0)
            z = q.sample((5000,))
            sampled = (q.log_prob(z) - model.prior.log_prob(z)).mean(0)
        torch.testing.assert_close(kl.mean(0), sampled, atol=0.05, rtol=0.1)


def test_conditional_and_classifies(family):
    model, x, y = build(family)
    assert (model.num_classes > 0) == model.conditional
    if model.conditional:
        with pytest.raises(ValueError, match="pass y"):
            model.encode(x)
        with pytest.raises(ValueError, match="0 to 2"):
            model.decode(torch.zeros(1, D), torch.tensor([3]))
        one, two = model.decode(torch.zeros(2, D), torch.tensor([1, 2]))
        assert not torch.equal(one, two)
        assert set(model.most_likely_class(x).tolist()) <= {0, 1, 2}
        assert model.reconstruct(x).shape == x.shape
    assert hasattr(model, "classify") == hasattr(model, "classifier") == model.classifies
    if model.classifies:
        torch.testing.assert_close(model.classify(x).exp().sum(1), torch.ones(B))
        assert torch.equal(model.classify(x), model.classifier(x).log_softmax(1))


def test_denoises(family):
    model, x, y = build(family)
    clean = model.encode(x, y).mean
    trained_on = model.train()(x, y, generator=seeded()).posterior.mean
    assert torch.equal(trained_on, clean) != model.denoises


def test_ex_post_prior(family):
    model, _, _ = build(family)
    assert hasattr(model, "fit_prior") == model.ex_post_prior
    if model.ex_post_prior:
        codes = torch.randn(500, D, generator=seeded()) + 2
        model.fit_prior(codes)
        torch.testing.assert_close(model.prior.mean, codes.mean(0))


def test_data_dependent_init(family):
    model, x, _ = build(family)
    assert hasattr(model, "initialise") == model.data_dependent_init
    if model.data_dependent_init:
        before = copy.deepcopy(model.state_dict())
        model.initialise(x)
        assert any(not torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_recordable(family):
    """On the meta device no tensor has values, so that a step which asks for one fails."""
    if FAMILIES[family].recordable:
        with torch.device("meta"):
            model = FAMILIES[family](small_config(family)).train()
            x = torch.rand(B, *model.image_shape)
            elbo(model(x), x).loss.mean().backward()


def test_the_most_likely_class_has_the_highest_score(family):
    model, x, _ = build(family)
    if model.conditional:
        labels = range(model.num_classes)
        scores = model.classify(x).T if model.classifies else torch.stack(
            [model.class_score(x, torch.full((B,), label)) for label in labels]
        )
        assert scores.shape == (model.num_classes, B)
        assert torch.equal(model.most_likely_class(x), scores.argmax(0))


def test_levels_part_the_dimensions(family):
    model, _, _ = build(family)
    assert [d for dims in model.levels.values() for d in dims] in ([], list(range(D)))
    assert model.prior_name and model.temperature_name and model.centre_name


# ---- with every likelihood of pixels

@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_family_takes_every_likelihood(family, likelihood):
    model, x, y = build(family, likelihood=likelihood)
    z = model.encode(x, y).mean
    p = model.likelihood(z, y)
    torch.testing.assert_close(p.mean, model.decode(z, y))
    assert p.log_prob(x).shape == (B,) and 0 <= p.mean.min() and p.mean.max() <= 1
    terms = elbo(model(x, y, seeded()), x)
    assert terms.loss.isfinite().all()
    model.train()
    (-model(x, y, seeded()).likelihood.log_prob(x).mean()).backward()
    assert all(q.grad is None or q.grad.isfinite().all() for q in model.parameters())
    again = FAMILIES[family](FAMILIES[family].Config.from_dict(json.loads(json.dumps(asdict(model.config))))).eval()
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.likelihood(z, y).log_prob(x), model.eval().likelihood(z, y).log_prob(x))
