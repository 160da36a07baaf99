"""What comes in at the library's door: images, codes and classes that are not what a model expects are refused in one
sentence, and everything it hands out keeps its dtype, can be empty, be pickled and be asked again."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn

import vae
from tests.unit.models.test_conformance import build
from vae import store
from vae.data import DATASETS
from vae.evaluation.figures import FIGURES
from vae.models import FAMILIES
from vae.models.checks import check_images, extremes
from vae.objectives import elbo
from vae.objectives import terms as objective_terms

# what a VAE does, vaegan and dvae do
RANDOM_CODES = ("ae", "vae", "cvae", "vamp", "iaf", "ladder", "vqvae", "qlae", "m2")

BUILT = [key for key, family in FAMILIES.items() if not family.packages]  # for others see tests/unit/checkpoints
# a foreign model answers from the networks that it was made of, see test_foreign.py
NOT_FOREIGN = [key for key in BUILT if not FAMILIES[key].foreign]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def refuses(part, call, *arguments):
    """Whether call(*arguments) raises a ValueError of one sentence that has `part` in it."""
    with pytest.raises(ValueError) as caught:
        call(*arguments)
    assert part in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 130


@pytest.mark.parametrize("family", NOT_FOREIGN)
def test_images_of_another_shape_are_refused_with_the_right_one(family):
    model, x, y = build(family)
    q = model.encode(x, y)
    likelihood, shape = model.likelihood(q.mean, y), str(tuple(x.shape))
    for other in (x[:, 0], x.permute(0, 2, 3, 1), x.flatten(1)):
        for call in (model.encode, model, model.reconstruct):
            refuses(shape, call, other, y)
        refuses(shape, likelihood.log_prob, other)
    for other in (x[0], x[0, 0]):
        refuses(str((1, *model.image_shape)), model.encode, other, y)
    refuses("must have shape", model.encode, x[..., 1:], y)
    refuses("must have shape", model.encode, x.repeat(1, 3, 1, 1), y)
    refuses(shape, likelihood.log_prob, x[:3])  # three images for four codes
    assert torch.allclose(likelihood.log_prob(x[:1]), likelihood.log_prob(x[:1].expand_as(x)))  # one for all


@pytest.mark.parametrize("family", BUILT)
def test_values_out_of_range_and_whole_numbers_are_refused(family):
    model, x, y = build(family)
    likelihood = model.likelihood(model.encode(x, y).mean, y)
    one_nan = x.clone()
    one_nan[2, 0, 5, 5] = torch.nan
    standardised = (x - x.mean()) / x.std()
    bytes_ = (255 * x).byte()
    for other in (255 * x, 2 * x - 1, standardised, one_nan, x / 0, bytes_, bytes_.long(), x > 0.5, x.numpy(), None):
        for call in (lambda x: model.encode(x, y), lambda x: model(x, y), model.reconstruct, likelihood.log_prob):
            refuses("[0, 1]", call, other)
    if family == "m2":
        refuses("[0, 1]", model.classify, 255 * x)
        refuses("[0, 1]", model, 255 * x)
    model.encode((x * 1.00009 - 0.00009).clamp(-0.0001), y)  # rounding is no reason
    likelihood.log_prob((1 - x.double()) * 1.00009)


def test_in_training_values_are_not_looked_at_but_shapes_are():
    model, x, _ = build("vae")
    model.train()
    assert elbo(model(255 * x), 255 * x).loss.isfinite().all()
    refuses("(4, 1, 8, 8)", model, x[:, 0])
    refuses("[0, 1]", model, (255 * x).byte())


@pytest.mark.parametrize("family", ("cvae", "iaf"))
def test_a_model_can_be_exported_compiled_and_mapped_over(family):
    model, x, y = build(family)

    class Reconstruct(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            return self.model.decode(self.model.encode(x, y).mean, y)

    exported = torch.export.export(Reconstruct(), (x,)).module()
    torch.testing.assert_close(exported(x), model.reconstruct(x, y))
    compiled = torch.compile(Reconstruct(), backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), model.reconstruct(x, y))
    if y is None:
        mapped = torch.func.vmap(lambda one: model.encode(one[None]).mean[0])(x)
        torch.testing.assert_close(mapped, model.encode(x).mean)


def test_extremes():
    assert extremes(torch.tensor([3, -1, 2])) == (-1, 3)
    assert extremes(torch.zeros(0)) is None and extremes(torch.zeros(2, device="meta")) is None
    low, high = extremes(torch.tensor([0, torch.nan]))
    assert low != low and high != high
    check_images(torch.zeros(2, 1, 4, 4, device="meta"), (1, 4, 4))


def test_gradients_reach_the_image():
    for family in ("vae", "iaf", "ladder", "cvae"):
        model, x, y = build(family)
        x.requires_grad_()
        q = model.encode(x, y)
        (q.mean.sum() + q.variance.sum() + model.likelihood(q.mean, y).log_prob(x).sum()).backward()
        assert x.grad.isfinite().all() and x.grad.abs().sum() > 0


@pytest.mark.parametrize("family", NOT_FOREIGN)
@pytest.mark.parametrize("dtype", (torch.float64, torch.bfloat16, torch.float16))
def test_work_goes_on_in_the_weights_dtype(family, dtype):
    """And log-probabilities in float32 or wider."""
    model, x, y = build(family)
    expected = model.reconstruct(x, y)
    model, wide = model.to(dtype), torch.promote_types(dtype, torch.float32)
    for images in (x, x.to(dtype), x.double()):  # other floats are cast
        x_hat = model.reconstruct(images, y)
        assert x_hat.dtype == dtype
        if family not in ("vqvae", "qlae") or dtype == torch.float64:  # a code that is nearly as near may be another
            torch.testing.assert_close(x_hat.float(), expected, atol=0.02, rtol=0)
    out = model(x.to(dtype), y, generator=generator())
    terms, q = elbo(out, x.to(dtype)), out.posterior
    z = model.sample(4, generator=generator())
    values = (
        q.mean, q.stddev, q.sample(), q.log_prob(out.z), out.z, *terms[:2], terms.loss, z, model.prior.log_prob(z),
        model.prior.log_prob(z.to(dtype)), model.likelihood(z, y).log_prob(x),
    )  # fmt: skip
    assert {value.dtype for value in values} == {wide}
    assert all(value.isfinite().all() for value in values)
    assert model.decode(z.to(dtype), y).dtype == model.decode(z, y).dtype == dtype
    model.train()
    elbo(model(x, y), x).loss.mean().backward()


@pytest.mark.parametrize("family", BUILT)
def test_impossible_samples_codes_and_questions_are_refused(family):
    model, x, y = build(family)
    for n in (-1, 2.5, None, True):
        with pytest.raises(ValueError, match="number of samples must be an integer of 0 or more"):
            model.sample(n)
    q = model.encode(x, y)
    for distribution in (q, model.prior):
        with pytest.raises(ValueError, match="z must be a tensor, not ndarray"):
            distribution.log_prob(q.mean.detach().numpy())
    if not model.num_classes:
        with pytest.raises(ValueError, match="has no classes"):
            model.most_likely_class(x)
    if model.discrete:
        for index in (-1.0, float("nan"), float(model.codebook_size)):
            with pytest.raises(ValueError, match="z must hold indices from 0 to"):
                model.prior.log_prob(torch.full_like(q.mean, index))


@pytest.mark.parametrize("registry, kind", [(FAMILIES, "family"), (DATASETS, "data set"), (FIGURES, "figure")])
def test_a_name_that_is_not_registered_is_an_error_with_the_others(registry, kind):
    with pytest.raises(KeyError, match=f"there is no {kind} 'nope'; there are "):
        registry["nope"]
    assert "nope" not in registry and registry.get("nope") is None


@pytest.mark.parametrize("family", BUILT)
def test_an_empty_batch_gives_empty_results(family):
    model, x, y = build(family)
    x, y, d = x[:0], None if y is None else y[:0], model.latent_dim
    q = model.encode(x, y)
    assert q.mean.shape == q.sample().shape == (0, d) and q.log_prob(q.sample()).shape == (0,)
    assert q.log_prob(q.mean.clone()).shape == (0,)
    assert model.decode(q.mean, y).shape == model.reconstruct(x, y).shape == model.reconstruct(x).shape == x.shape
    assert model.likelihood(q.mean, y).log_prob(x).shape == (0,)
    assert model.sample(0).shape == model.prior.sample((0,)).shape == (0, d)
    assert model.prior.log_prob(torch.zeros(0, d)).shape == (0,) and len(model.features(q.mean)) == 0
    terms = elbo(model(x, y), x)
    assert terms.recon.shape == terms.kl.shape == terms.loss.shape == (0,)
    if family == "m2":
        assert objective_terms.m2(model(x), x, torch.zeros(0, dtype=torch.int64), alpha=1.0).loss.shape == (0,)
    if family == "vqvae":
        assert objective_terms.vq_vae(model(x), x, commitment=1.0).loss.shape == (0,)
    if family == "qlae":
        assert objective_terms.qlae(model(x), x, quantisation=1.0, commitment=1.0).loss.shape == (0,)


@pytest.mark.parametrize("family", NOT_FOREIGN)
def test_codes_of_another_shape_are_refused(family):
    model, x, y = build(family)
    q, z, d = model.encode(x, y), model.encode(x, y).mean, model.latent_dim
    for other in (z[:, :1], torch.cat([z, z], 1), torch.tensor(1.0)):
        for call in (q.log_prob, model.prior.log_prob, lambda z: model.decode(z, y), lambda z: model.likelihood(z, y)):
            refuses(f"{d})", call, other)
    refuses(f"(4, {d})", q.log_prob, z[:3])
    for other in (z[0], z[None], z.tolist(), z.detach().numpy()):
        refuses(f"(B, {d})", model.decode, other, y)
    # as torch's distributions do, log_prob broadcasts: several codes a posterior, and one for all
    torch.testing.assert_close(q.log_prob(z[None].clone())[0], q.log_prob(z.clone()), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(q.log_prob(z[0]), q.log_prob(z[:1].repeat(4, 1)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("family", ("cvae", "m2"))
def test_classes_that_are_none_are_refused(family):
    model, x, y = build(family)
    z = model.encode(x, y).mean
    others = (y + 8, y - 1, y[:3], y[None], y.float(), y > 1, y.tolist(), y.numpy(), 3, torch.eye(10)[:4])
    for call in (lambda y: model.encode(x, y), lambda y: model.decode(z, y), lambda y: model.likelihood(z, y)):
        refuses("4 class numbers from 0 to 2", call, None)
        for other in others:
            refuses("4 class numbers from 0 to 2", call, other)
    for kind in (torch.uint8, torch.int32):
        assert torch.equal(model.encode(x, y.to(kind)).mean, model.encode(x, y).mean)


@pytest.mark.parametrize("family", NOT_FOREIGN)
def test_what_a_model_returns_can_be_pickled(family):
    model, x, y = build(family)
    out = model.requires_grad_(False)(x, y, generator=generator())
    again = pickle.loads(pickle.dumps(out))
    for kind in ("posterior", "prior"):
        one, two = getattr(out, kind), getattr(again, kind)
        assert torch.equal(two.mean, one.mean)
        torch.testing.assert_close(two.log_prob(again.z), one.log_prob(out.z))
    assert torch.equal(again.likelihood.log_prob(x), out.likelihood.log_prob(x))
    whole = pickle.loads(pickle.dumps(model))
    assert torch.equal(whole.encode(x, y).mean, out.posterior.mean)


@pytest.mark.parametrize("name", DATASETS)
def test_splits_can_be_pickled(name):
    split = DATASETS[name].load("test")
    mask = np.zeros(len(split), bool)
    mask[[3, 8]] = True
    parts = {
        "whole": (split, [3, 8]), "first": (split.first(9), [3, 8]),
        "taken": (split.take(np.array([8, 3]), ""), [1, 0]),
        "by mask": (split.take(mask, ""), [0, 1]), "first of taken": (split.take([0, 3, 8, 1], "").first(3), [1, 2]),
    }  # fmt: skip
    x, y = split.batch([3, 8])
    for part, rows in parts.values():
        found = pickle.loads(pickle.dumps(part)).batch(rows)
        assert torch.equal(found[0], x) and torch.equal(found[1], y)
    nothing = split.batch([])
    assert nothing[0].shape == (0, *DATASETS[name].image_shape) and nothing[1].shape == (0,)


def flow_posterior(grad=True):
    model, x, _ = build("iaf")
    for p in model.flow.parameters():  # far from the identity
        nn.init.normal_(p, std=0.5)
    model.requires_grad_(grad)
    return model, x, model.encode(x)


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("grad", (True, False))
def test_a_flow_answers_for_the_z_that_it_is_asked_of(grad):
    """Whatever became of its last sample."""
    _, _, q = flow_posterior(grad)
    for draw in (q.sample, lambda: q.mean.detach(), lambda: q.rsample().detach(), lambda: q.sample((3,))):
        z = draw()
        log_q = q.log_prob(z).detach()
        log_q += 1
        close(q.log_prob(z), q.log_prob(z.clone()))
        z += 1
        assert torch.equal(q.log_prob(z), q.log_prob(z.clone()))
        z[..., 0] = 0
        assert torch.equal(q.log_prob(z), q.log_prob(z.clone()))
    with torch.inference_mode():
        z = q.sample()
        close(q.log_prob(z), q.log_prob(z.clone()))
        z += 1
        assert torch.equal(q.log_prob(z), q.log_prob(z.clone()))


def gradients(model, value):
    return torch.autograd.grad(value.sum(), [*model.flow.parameters()], materialize_grads=True, retain_graph=True)


def test_gradients_of_a_flow_are_those_of_a_copy():
    model, _, q = flow_posterior()
    z = q.sample()  # a constant: the gradient is that of the density alone
    assert q.log_prob(z).requires_grad
    for one, two in zip(gradients(model, q.log_prob(z)), gradients(model, q.log_prob(z.clone())), strict=False):
        close(one, two)
    z = q.rsample()  # a function of the parameters
    for one, two in zip(gradients(model, q.log_prob(z)), gradients(model, q.log_prob(z.clone())), strict=False):
        close(one, two)
    with torch.no_grad():
        assert not q.log_prob(z).requires_grad
    model, _, q = flow_posterior(grad=False)
    z = q.sample().requires_grad_()  # and with respect to z
    copy = z.detach().clone().requires_grad_()
    (one,), (two,) = (torch.autograd.grad(q.log_prob(v).sum(), v) for v in (z, copy))
    assert torch.equal(one, two)


def test_reading_a_flows_mean_costs_log_prob_nothing():
    model, x, _ = flow_posterior()
    out = model(x)
    q, calls = out.posterior, []
    expected = q.log_prob(out.z)
    for step in model.flow:
        step.register_forward_hook(lambda *_: calls.append(1))
    q.mean, q.variance, q.stddev  # noqa: B018
    passes = len(calls)
    assert torch.equal(q.log_prob(out.z), expected) and len(calls) == passes
    elbo(out, x).loss.mean().backward(retain_graph=True)
    # and the way back can be differentiated, whatever was read before
    q.mean  # noqa: B018
    q.log_prob(out.z.clone()).sum().backward()


@pytest.mark.parametrize("family", RANDOM_CODES)
def test_seeded_functions_leave_the_global_generators_alone(family):
    model, x, y = build(family)
    labels = torch.zeros(4, dtype=torch.int64) if y is None else y
    before = torch.get_rng_state(), np.random.get_state()
    q = model(x, y, generator=generator()).posterior
    q.mean, q.variance, model.reconstruct(x), model.sample(3, generator=generator())
    vae.metrics.average_terms(model, [(x, labels)], seed=1)
    vae.metrics.outlier_scores(model, x, generator())
    if family not in ("ae", "vqvae", "qlae"):
        vae.metrics.importance_nll(model, [(x, labels)], samples=2, seed=1)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert all(np.array_equal(one, two) for one, two in zip(np.random.get_state(), before[1], strict=False))


def test_the_root_may_be_a_string(tmp_path):
    assert vae.load("mnist-vae-2d", root=str(store.PRETRAINED)).card.name == "mnist-vae-2d"
    assert vae.available(str(tmp_path)) == []
