"""What training minimises: pure functions of a model's Output, in nats, one value per example.

Every term is a sum over pixels and over latent dimensions, never a mean.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.distributions import Distribution

from .models.base import Output, PointMass


class ELBO(NamedTuple):
    """The evidence lower bound, term by term, for B examples; all in nats."""

    recon: Tensor  # (B,) -log p(x | z), summed over pixels
    kl: Tensor  # (B,) KL(q(z|x) || p(z)), summed over dimensions
    kl_per_dim: Tensor  # (B, D)
    elbo: Tensor  # (B,) -recon - kl, a lower bound on log p(x)
    loss: Tensor  # (B,) recon + beta * kl, what training minimises


def elbo(out: Output, x: Tensor, beta: float = 1.0) -> ELBO:
    """The terms of Kingma & Welling's bound, with Higgins et al.'s beta on the KL in `loss`.

    out: what model(x) returned; x (B, C, H, W) in [0, 1].
    A point posterior has no KL: its kl is 0, `loss` is the reconstruction alone and
    `elbo` is minus that, a bound on nothing.
    """
    recon = -out.likelihood.log_prob(x)  # (B,)
    if isinstance(out.posterior, PointMass):
        kl_per_dim = out.z.new_zeros(out.z.shape)
    else:
        kl_per_dim = gaussian_kl(out.posterior, out.prior)
    kl = kl_per_dim.sum(1)
    return ELBO(recon, kl, kl_per_dim, -recon - kl, recon + beta * kl)


def gaussian_kl(q: Distribution, p: Distribution) -> Tensor:
    """KL(q || p) of two diagonal Gaussians, dimension by dimension, in nats.

    q over (B, D), p over (D,) or (B, D); returns (B, D).
    """
    log_ratio = p.stddev.log() - q.stddev.log()
    return log_ratio + (q.variance + (q.mean - p.mean) ** 2) / (2 * p.variance) - 0.5
