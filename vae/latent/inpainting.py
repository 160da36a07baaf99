"""Filling in what is hidden of an image: draws from the posterior of what is visible."""

from __future__ import annotations

from typing import Callable, NamedTuple

import torch
from torch import Tensor

from ..models import LatentModel

LEAPFROG = 5  # steps of a Hamiltonian move
MOVES = 3  # after each rise
KEPT = 0.5  # effective share of particles that a rise of the likelihood's power may leave
ACCEPTED = 0.7  # share of moves that the step size aims at
MOST_RISES = 200


class Filled(NamedTuple):
    """N draws from p(z | visible pixels), equally likely. Where pixels are grey, their Bernoulli score stands
    for a likelihood, here as in training."""

    z: Tensor  # (N, D)
    log_evidence: float  # estimate of log p(visible pixels), nats; a probability of binary pixels only
    rises: int  # of the likelihood's power, from the prior's 0 to the posterior's 1
    accepted: float  # share of proposals, mean over all moves


def fill_in(
    model: LatentModel, x: Tensor, visible: Tensor, y: int | None = None, n: int = 64,
    generator: torch.Generator | None = None, progress: Callable[[float], None] | None = None,
) -> Filled:  # fmt: skip
    """x (C, H, W) in [0, 1], of which `visible` (H, W) bool may be looked at; y a class number for
    conditional models; n particles.

    A sequential Monte Carlo sampler (Del Moral et al. 2006): particles begin as draws from the prior,
    the visible pixels' likelihood is raised from the power 0 to 1 by steps that keep half of them
    effective, and after each they are resampled and moved by Hamiltonian Monte Carlo. Where the visible
    part admits several answers each has its share of particles, which the encoder, made for whole images,
    cannot tell. progress(power) is called after each step.
    Raises ValueError for codes without a density, for a mask of another size and for n below 2.
    """
    if model.deterministic:
        raise ValueError("a deterministic code has no posterior to draw from")
    if visible.shape != x.shape[1:]:
        raise ValueError(f"the mask is {tuple(visible.shape)} and the image {tuple(x.shape[1:])}")
    if n < 2:
        raise ValueError(f"two particles or more are needed, not {n}")
    ys, seen, prior = None if y is None else torch.full((n,), y), visible.float(), model.prior

    def log_likelihood(z: Tensor) -> Tensor:  # (N,)
        return (model.likelihood(z, ys).base_dist.log_prob(x[None]) * seen).sum((1, 2, 3))

    with torch.no_grad():
        z = model.sample(n, generator=generator)
        likelihood = log_likelihood(z)
    power, log_evidence, step, rates = 0.0, 0.0, 0.5, []
    while power < 1 and len(rates) < MOST_RISES * MOVES:
        rise = _rise(likelihood, 1 - power)
        log_weights = (rise * likelihood).double()
        log_evidence += float(log_weights.logsumexp(0) - torch.tensor(float(n)).log())
        power = min(1.0, power + rise)
        chosen = _systematic(log_weights.softmax(0), generator)
        z = z[chosen]
        # the particles themselves say how far each dimension may go
        scale = z.std(0).clamp(min=1e-3)
        for _ in range(MOVES):
            z, likelihood, share = _move(z, scale, step, power, prior, log_likelihood, generator)
            step = min(1.5, step * (1.15 if share > ACCEPTED else 0.8))
            rates.append(share)
        if progress:
            progress(power)
    if power < 1:
        raise ValueError("the visible pixels are too foreign to this model: no code explains them")
    return Filled(z, log_evidence, len(rates) // MOVES, sum(rates) / len(rates))


def _rise(likelihood: Tensor, most: float) -> float:
    """The largest rise of the power, up to most, that leaves the share KEPT effective."""

    def effective(rise: float) -> float:
        weights = (rise * likelihood.double()).softmax(0)
        return float(1 / (weights**2).sum()) / len(likelihood)

    if effective(most) >= KEPT:
        return most
    low, high = 0.0, most
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= KEPT else (low, middle)
    return max(low, 1e-6)


def _systematic(weights: Tensor, generator: torch.Generator | None) -> Tensor:
    """Which of N particles go on, some of them twice (systematic resampling, Kitagawa 1996)."""
    n = len(weights)
    places = (torch.arange(n, dtype=torch.float64) + torch.rand(1, generator=generator, dtype=torch.float64)) / n
    return torch.searchsorted(weights.cumsum(0), places).clamp(max=n - 1)


def _move(z, scale, step, power, prior, log_likelihood, generator) -> tuple[Tensor, Tensor, float]:
    """One Hamiltonian move of each particle (Neal 2011) -> (z, their likelihoods, share accepted)."""

    def look(at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        at = at.detach().requires_grad_()
        with torch.enable_grad():
            likelihood = log_likelihood(at)
            density = prior.log_prob(at) + power * likelihood
            (slope,) = torch.autograd.grad(density.sum(), at)
        return density.detach(), likelihood.detach(), slope

    # a step of another length each time: no orbit returns to where it began
    steps = step * scale * (0.8 + 0.4 * torch.rand(len(z), 1, generator=generator))
    momentum = torch.randn(z.shape, generator=generator)
    density, likelihood, slope = look(z)
    energy = density - 0.5 * (momentum**2).sum(1)
    there, there_likelihood, there_slope, there_density = z, likelihood, slope, density
    p = momentum
    for _ in range(LEAPFROG):
        p = p + 0.5 * steps * there_slope
        there = there + steps * p
        there_density, there_likelihood, there_slope = look(there)
        p = p + 0.5 * steps * there_slope
    gain = there_density - 0.5 * (p**2).sum(1) - energy
    accepted = torch.rand(len(z), generator=generator).log() < gain.nan_to_num(-torch.inf)
    z = torch.where(accepted[:, None], there, z).detach()
    return z, torch.where(accepted, there_likelihood, likelihood), float(accepted.float().mean())
