"""Objectives as objects: schedules, registration, the bridge from older cards, and bounds with known answers."""

import json
import math
from dataclasses import dataclass, fields

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from vae import objectives, store
from vae.models import Output
from vae.models.base import diagonal_normal
from vae.objectives import (
    IWAE,
    OBJECTIVES,
    AdaGVAE,
    BetaVAE,
    CapacityVAE,
    FactorVAE,
    FreeBits,
    PiecewiseConstant,
    Schedule,
    base,
    elbo,
)
from vae.objectives.base import register
from vae.objectives.terms import free_bits, iwae


def test_a_geometric_schedule_goes_in_equal_ratios_and_stays():
    schedule = Schedule(4.0, start=64.0, steps=4)
    assert [schedule.at(step) for step in (0, 1, 2, 4, 9)] == pytest.approx([64, 32, 16, 4, 4])


def test_a_linear_schedule_goes_in_equal_differences_and_stays():
    schedule = Schedule(20.0, start=0.0, steps=10, geometric=False)
    assert [schedule.at(step) for step in (0, 5, 10, 11)] == [0, 10, 20, 20]


def test_impossible_schedules_are_refused():
    with pytest.raises(ValueError, match="must be positive, not 0 and 1"):
        Schedule(1.0, start=0.0, steps=5)
    with pytest.raises(ValueError, match="1 or more, not 0"):
        Schedule(1.0, start=2.0, steps=0)


def test_weights_change_and_settle():
    objective = FactorVAE(beta=Schedule(1.0, start=60.0, steps=8_000), gamma=35.0)
    assert objective.at(0) == {"beta": 60.0} and objective.at(8_000) == objective.final() == {"beta": 1.0}
    assert objective.settled() == 8_000 and BetaVAE(4.0).settled() == 0
    assert objective.described() == "FactorVAE, beta from 60 to 1 in 8,000 steps, gamma 35, discriminator learning rate 0.0001"  # noqa: E501


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_is_read_as_it_was_stored(name):
    objective = OBJECTIVES[name]()
    assert objectives.read({"objective": objective.stored()}) == objective
    changed = {f.name: Schedule(2.0, 4.0, 10) for f in fields(objective) if f.type == "Weight"}
    objective = OBJECTIVES[name](**changed)
    assert objectives.read({"objective": objective.stored()}) == objective


def test_recipes_stored_before_objectives_were_objects_are_read():
    flat = {"beta": 1.0, "beta_from": 60.0, "beta_steps": 8000, "gamma": 35.0, "capacity": 0.0, "capacity_steps": 0}
    flat |= {"discriminator_learning_rate": 5e-4, "pair_factors": 1}
    assert objectives.read({"objective": "factor_vae", **flat}) == FactorVAE(Schedule(1.0, 60.0, 8000), 35.0, 5e-4)
    assert objectives.read({"objective": "elbo", "beta": 4.0, "beta_from": 0.0}) == BetaVAE(4.0)
    assert objectives.read({"beta": 4.0}) == BetaVAE(4.0)
    assert objectives.read({"objective": "ada_gvae", **flat, "beta_from": 0.0}) == AdaGVAE()
    rising = Schedule(8.0, 0.0, 8000, geometric=False)
    assert objectives.read({"objective": "capacity_vae", **flat, "gamma": 60.0, "capacity": 8.0,
        "capacity_steps": 8000}) \
        == CapacityVAE(60.0, rising)  # fmt: skip


@pytest.mark.parametrize("stored",
    ["nothing", {"name": "nothing"}, {}, {"name": ["x"]}, 3])
def test_an_objective_that_is_not_known_is_named(stored):
    with pytest.raises(ValueError, match="not known here"):
        objectives.read({"objective": stored})


def test_an_unknown_field_is_named():
    with pytest.raises(ValueError, match="its objective beta_vae has no field 'gama'"):
        objectives.read({"objective": {"name": "beta_vae", "gama": 1.0}})


@pytest.mark.parametrize("build, sentence", [
    (lambda: BetaVAE(float("nan")), "beta of BetaVAE must be a finite number, 0 or more, not nan"),
    (lambda: BetaVAE(-1.0), "beta of BetaVAE must be a finite number"),
    (lambda: BetaVAE("4"), "beta of BetaVAE must be a finite number"),
    (lambda: BetaVAE(True), "beta of BetaVAE must be a finite number"),
    (lambda: FactorVAE(gamma=Schedule(6.0, 1.0, 10)), "gamma of FactorVAE must be a number: it cannot change"),
    (lambda: IWAE(2.5), "samples of IWAE must be a whole number, not 2.5"),
    (lambda: IWAE(0), "needs one sample or more"),
    (lambda: Schedule("a", 0.1, 5), "start and end must be finite numbers"),
    (lambda: Schedule(1.0, 2.0, 2.5), "whole number of steps"),
])  # fmt: skip
def test_impossible_weights_are_refused(build, sentence):
    with pytest.raises(ValueError, match=sentence):
        build()


def test_a_weight_changes_however_its_type_is_written():
    @dataclass(frozen=True)
    class Toy(base.Objective):
        one: "base.Weight" = 1.0
        two: "float | base.Schedule" = 1.0
        three: base.Weight = 1.0
        fixed: float = 1.0

    assert Toy(two=Schedule(2.0, 4.0, 2)).at(0) == {"one": 1.0, "two": 4.0, "three": 1.0}


def test_a_name_is_registered_once():
    def other(cls):
        return cls

    with pytest.raises(ValueError, match=r"objective 'beta_vae' is registered twice: in .*beta_vae.py and in "
        r".*test_objectives.py"):
        register("beta_vae")(other)


@pytest.mark.parametrize("card", store.available(), ids=lambda card: card.name)
def test_every_card_names_an_objective(card):
    assert objectives.read(card.recipe).name in OBJECTIVES


# ---- a linear Gaussian VAE, of which the evidence is known: z ~ N(0, I), x | z ~ N(Wz, s^2 I)

class PixelsAreGaussian:
    """p(x | z) = N(Wz, s^2 I) of images x (B, 1, 1, n)."""

    def __init__(self, mean, s):
        self.mean, self.s = mean, s

    def log_prob(self, x):
        return Normal(self.mean, self.s).log_prob(x.flatten(1)).sum(1)


S = 0.7


def linear(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(5, 2, generator=generator, dtype=dtype)
    x = torch.randn(6, 1, 1, 5, generator=generator, dtype=dtype)
    return w, x


def passed(w, x, mu, sigma, samples, seed):
    """What a model with posterior N(mu, sigma^2) makes of `samples` copies of x."""
    mu, sigma = mu.repeat(samples, 1), sigma.repeat(samples, 1)
    z = mu + sigma * torch.randn(mu.shape, generator=torch.Generator().manual_seed(seed), dtype=mu.dtype)
    prior = diagonal_normal(torch.zeros(2, dtype=mu.dtype), torch.ones(2, dtype=mu.dtype))
    return Output(diagonal_normal(mu, sigma), z, PixelsAreGaussian(z @ w.T, S), prior)


def posterior_of(w, x):
    """A diagonal Gaussian near the true posterior, but wider and off by a little."""
    precision = torch.eye(2, dtype=w.dtype) + w.T @ w / S**2
    mean = torch.linalg.solve(precision, w.T @ x.flatten(1).T / S**2).T
    return mean + 0.2, 1.4 * torch.linalg.inv(precision).diagonal().sqrt().expand(len(x), 2)


@pytest.mark.parametrize("dreg", [True, False])
def test_the_importance_weighted_bound_lies_between_elbo_and_evidence(dreg):
    w, x = linear()
    evidence = MultivariateNormal(torch.zeros(5, dtype=w.dtype),
        w @ w.T + S**2 * torch.eye(5, dtype=w.dtype)).log_prob(x.flatten(1))
    mu, sigma = posterior_of(w, x)

    def mean_bound(samples):
        found = [iwae(passed(w, x, mu, sigma, samples, seed), x, samples, dreg).bound for seed in range(400)]
        return torch.stack(found).mean(0)

    plain = torch.stack([elbo(passed(w, x, mu, sigma, 1, seed), x).elbo for seed in range(400)]).mean(0)
    one, five, fifty = mean_bound(1), mean_bound(5), mean_bound(50)
    # by one sample it is the ELBO itself; the KL is analytic in the one and estimated in the other
    torch.testing.assert_close(one, plain, atol=0.15, rtol=0)
    assert (one < five).all() and (five < fifty).all() and (fifty < evidence + 0.02).all()
    assert (evidence - fifty).max() < 0.1 < (evidence - one).min()


def test_dreg_has_the_gradient_of_its_formula():
    """Tucker et al. 2019, equation 8, computed path by path."""
    w, x = linear()
    samples = 4
    w.requires_grad_()
    mu0, sigma0 = posterior_of(w.detach(), x)
    mu, sigma = mu0.clone().requires_grad_(), sigma0.clone().requires_grad_()
    iwae(passed(w, x, mu, sigma, samples, seed=3), x, samples).loss.sum().backward()

    z = passed(w.detach(), x, mu0, sigma0, samples, seed=3).z.view(samples, len(x), 2)
    log_weight = torch.empty(samples, len(x), dtype=z.dtype)
    by_z, by_w = torch.empty_like(z), torch.empty(samples, len(x), 5, 2, dtype=z.dtype)
    for s in range(samples):
        for b in range(len(x)):
            one, weights = z[s, b].clone().requires_grad_(), w.detach().clone().requires_grad_()
            value = Normal(weights @ one, S).log_prob(x[b].flatten()).sum() + Normal(0.0, 1.0).log_prob(one).sum()
            value = value - Normal(mu0[b], sigma0[b]).log_prob(one).sum()
            by_z[s, b], by_w[s, b] = torch.autograd.grad(value, (one, weights))
            log_weight[s, b] = value.detach()
    share = log_weight.softmax(0)
    eps = (z - mu0) / sigma0
    torch.testing.assert_close(mu.grad, -(share[..., None] ** 2 * by_z).sum(0))
    torch.testing.assert_close(sigma.grad, -(share[..., None] ** 2 * by_z * eps).sum(0))
    torch.testing.assert_close(w.grad, -(share[..., None, None] * by_w).sum((0, 1)))


def test_dreg_agrees_with_the_plain_gradient_on_average_and_varies_less():
    w, x = linear()
    mu0, sigma0 = posterior_of(w, x)

    def gradients(dreg):
        found = []
        for seed in range(600):
            mu = mu0.clone().requires_grad_()
            iwae(passed(w, x, mu, sigma0, 5, seed), x, 5, dreg).loss.sum().backward()
            found.append(mu.grad.numpy())
        return np.stack(found)

    ours, plain = gradients(True), gradients(False)
    error = np.sqrt((ours.var(0) + plain.var(0)) / 600)
    assert (np.abs(ours.mean(0) - plain.mean(0)) < 4.5 * error).all()
    assert ours.var(0).mean() < 0.5 * plain.var(0).mean()


def test_a_posterior_that_is_no_gaussian_is_refused_with_dreg():
    w, x = linear()
    out = passed(w, x, *posterior_of(w, x), 1, 0)
    mixed = Output(out.posterior.base_dist, out.z, out.likelihood, out.prior)
    with pytest.raises(ValueError, match="set dreg=False"):
        iwae(mixed, x, 1)
    with pytest.raises(ValueError, match="one sample or more, not 0"):
        IWAE(0)


def test_free_bits_by_hand():
    w, x = linear()
    mu = torch.tensor([[1.0, 0.1]] * 6, dtype=w.dtype)
    out = passed(w, x, mu, torch.ones_like(mu), 1, 0)
    terms = free_bits(out, x, beta=2.0, nats=0.25)
    # KL(N(1, 1) || N(0, 1)) = 0.5, which is paid; that of 0.1 is 0.005, which costs 0.25 all the same
    torch.testing.assert_close(terms.clamped_kl, torch.full((6,), 0.75, dtype=w.dtype))
    torch.testing.assert_close(terms.kl, torch.full((6,), 0.505, dtype=w.dtype))
    torch.testing.assert_close(terms.loss, terms.recon + 1.5)


def test_free_bits_pull_no_cheap_dimension():
    w, x = linear()
    mu = torch.tensor([[1.0, 0.1]] * 6, dtype=w.dtype, requires_grad=True)
    out = passed(w, x, mu, torch.ones(6, 2, dtype=w.dtype), 1, 0)
    terms = free_bits(out, x, beta=1.0, nats=0.25)
    pull = torch.autograd.grad(terms.clamped_kl.mean(), mu, retain_graph=True)[0]
    assert (pull[:, 0] > 0).all() and (pull[:, 1] == 0).all()
    assert FreeBits().at(0) == {"beta": 1.0, "nats": 0.25} and math.isfinite(terms.loss.sum().item())


@pytest.mark.parametrize("name, sentence", [
    ("vq_vae", "trains models of the family vqvae only"), ("qlae", "trains models of the family qlae only"),
    ("m2", "trains models of the family m2 only"),
])  # fmt: skip
def test_an_objective_of_one_family_refuses_others(name, sentence):
    model, x = store.load("mnist-vae-2d"), torch.zeros(2, 1, 28, 28)
    batch = objectives.base.Batch(x, torch.zeros(2, dtype=torch.int64), {}, 2)
    with pytest.raises(ValueError, match=sentence):
        OBJECTIVES[name]().terms(model(x), batch)


def test_a_weight_that_was_set_by_hand_holds_from_its_step():
    moved = PiecewiseConstant(((0, 1.0), (3, 4.0), (5, 0.0)))
    assert [moved.at(step) for step in range(7)] == [1, 1, 1, 4, 4, 0, 0] and moved.at(10**7) == 0
    objective = BetaVAE(moved)
    assert objective.settled() == 5 and objective.final() == {"beta": 0.0}
    assert objective.described() == "BetaVAE, beta 1 from step 0, 4 from step 3, 0 from step 5"
    stored = json.loads(json.dumps({"objective": objective.stored()}))
    assert objectives.read(stored) == objective


@pytest.mark.parametrize("values", [
    (), ((1, 1.0),), ((0, 1.0), (0, 2.0)), ((0, 1.0), (5, 1.0), (3, 1.0)), ((0, -1.0),), ((0, float("nan")),),
    ((0.0, 1.0),), ((0, "a"),), ((0,),), 3, ((False, 1.0),),
])  # fmt: skip
def test_a_list_of_steps_and_values_that_is_none(values):
    with pytest.raises(ValueError, match="list of \\(step, value\\)"):
        PiecewiseConstant(values)
    with pytest.raises(ValueError, match="cannot be read"):
        objectives.read({"objective": {"name": "beta_vae", "beta": {"values": values}}})
