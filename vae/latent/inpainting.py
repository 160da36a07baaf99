"""Inpainting: samples from the posterior of z given the visible pixels of an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution

from ..models import LatentModel

LEAPFROG_STEPS = 5  # in a Hamiltonian move
MOVES = 3  # Hamiltonian moves in each temperature step
MIN_EFFECTIVE_SHARE = 0.5  # of particles, after the likelihood's power has been increased
TARGET_ACCEPTANCE = 0.7  # share of moves; the step size is adapted to reach it
MAX_TEMPERATURE_STEPS = 200


class Filled(NamedTuple):
    """N equally weighted samples from p(z | visible pixels).

    For grey pixels a Bernoulli likelihood is a cross-entropy, as in training.
    """

    z: Tensor  # (N, D)
    log_evidence: float  # estimate of log p(visible pixels) in nats; with Bernoulli pixels, for binary images only
    temperature_steps: int  # in which the likelihood's power rises from 0 (the prior) to 1 (the posterior)
    accepted: float  # accepted share of proposals, mean over all moves


def fill_in(
    model: LatentModel, x: Tensor, visible: Tensor, y: int | None = None, n: int = 64,
    generator: torch.Generator | None = None, progress: Callable[[float], None] | None = None,
) -> Filled:  # fmt: skip
    """Sample n codes from p(z | visible pixels) of an image.

    x: (C, H, W) in [0, 1]. visible: (H, W) bool, the pixels that may be used. y: the class index for a
    conditional model. n: the number of particles.
    A sequential Monte Carlo sampler (Del Moral et al. 2006): particles start as samples from the prior. The
    power of the visible pixels' likelihood rises from 0 to 1 in steps that keep half of the particles
    effective; after each step they are resampled and moved by Hamiltonian Monte Carlo. If the visible part
    allows several completions, each gets its share of the particles. The encoder is trained on whole images
    and cannot sample them. progress(power) is called after each step.
    Raises ValueError for codes without a density, for a mask of another size, for n below 2, and where no code
    explains the visible pixels.
    """
    if model.deterministic:
        raise ValueError("a deterministic code has no posterior to sample from")
    if visible.shape != x.shape[1:]:
        raise ValueError(f"the mask is {tuple(visible.shape)}, but the image is {tuple(x.shape[1:])}")
    if n < 2:
        raise ValueError(f"n must be at least two particles, not {n}")
    ys, mask, prior = None if y is None else torch.full((n,), y), visible.float(), model.prior

    def log_likelihood(z: Tensor) -> Tensor:  # (N,)
        return (model.likelihood(z, ys).base_dist.log_prob(x[None]) * mask).sum((1, 2, 3))

    with torch.no_grad():
        z = model.sample(n, generator=generator)
        likelihood = log_likelihood(z)
    power, log_evidence, step = 0.0, 0.0, 0.5
    rates: list[float] = []
    while power < 1 and len(rates) < MAX_TEMPERATURE_STEPS * MOVES:
        power_step = _power_step(likelihood, 1 - power)
        log_weights = (power_step * likelihood).double()
        log_evidence += float(log_weights.logsumexp(0) - torch.tensor(float(n)).log())
        power = min(1.0, power + power_step)
        chosen = _systematic(log_weights.softmax(0), generator)
        z = z[chosen]
        # the spread of the particles scales the step of each dimension
        scale = z.std(0).clamp(min=1e-3)
        for _ in range(MOVES):
            z, likelihood, share = _move(z, scale, step, power, prior, log_likelihood, generator)
            step = min(1.5, step * (1.15 if share > TARGET_ACCEPTANCE else 0.8))
            rates.append(share)
        if progress:
            progress(power)
    if power < 1:
        raise ValueError("the visible pixels are out of distribution for this model: no code explains them")
    return Filled(z, log_evidence, len(rates) // MOVES, sum(rates) / len(rates))


def _power_step(likelihood: Tensor, limit: float) -> float:
    """Return the largest step of the power, up to limit, that keeps MIN_EFFECTIVE_SHARE of the particles effective."""

    def effective(power_step: float) -> float:
        weights = (power_step * likelihood.double()).softmax(0)
        return float(1 / (weights**2).sum()) / len(likelihood)

    if effective(limit) >= MIN_EFFECTIVE_SHARE:
        return limit
    low, high = 0.0, limit
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= MIN_EFFECTIVE_SHARE else (low, middle)
    return max(low, 1e-6)


def _systematic(weights: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return the indices (N,) of resampled particles, given weights (N,) (systematic resampling, Kitagawa 1996)."""
    n = len(weights)
    positions = (torch.arange(n, dtype=torch.float64) + torch.rand(1, generator=generator, dtype=torch.float64)) / n
    return torch.searchsorted(weights.cumsum(0), positions).clamp(max=n - 1)


def _move(
    z: Tensor, scale: Tensor, step: float, power: float, prior: Distribution,
    log_likelihood: Callable[[Tensor], Tensor], generator: torch.Generator | None,
) -> tuple[Tensor, Tensor, float]:  # fmt: skip
    """Move each particle by one Hamiltonian trajectory (Neal 2011).

    Returns (z (N, D), log-likelihoods (N,), share of proposals accepted).
    """

    def evaluate(at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        at = at.detach().requires_grad_()
        with torch.enable_grad():
            likelihood = log_likelihood(at)
            density = prior.log_prob(at) + power * likelihood
            (gradient,) = torch.autograd.grad(density.sum(), at)
        return density.detach(), likelihood.detach(), gradient

    # each trajectory has a random step size, so that none is periodic
    steps = step * scale * (0.8 + 0.4 * torch.rand(len(z), 1, generator=generator))
    momentum = torch.randn(z.shape, generator=generator)
    density, likelihood, gradient = evaluate(z)
    energy = density - 0.5 * (momentum**2).sum(1)
    proposal, proposal_likelihood, proposal_gradient, proposal_density = z, likelihood, gradient, density
    p = momentum
    for _ in range(LEAPFROG_STEPS):
        p = p + 0.5 * steps * proposal_gradient
        proposal = proposal + steps * p
        proposal_density, proposal_likelihood, proposal_gradient = evaluate(proposal)
        p = p + 0.5 * steps * proposal_gradient
    gain = proposal_density - 0.5 * (p**2).sum(1) - energy
    accepted = torch.rand(len(z), generator=generator).log() < gain.nan_to_num(-torch.inf)
    z = torch.where(accepted[:, None], proposal, z).detach()
    return z, torch.where(accepted, proposal_likelihood, likelihood), float(accepted.float().mean())
