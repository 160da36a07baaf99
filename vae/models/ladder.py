"""The ladder VAE (Sønderby et al. 2016) with two levels, in non-centred coordinates.

p(z_top) = N(0, I), p(z_bottom | z_top) = N(mu_p, sigma_p^2), p(x | z_bottom, z_top). A code here is
(z_top, e) with z_bottom = mu_p(z_top) + sigma_p(z_top) * e. In these coordinates the prior is
N(0, I), so that each level can be sampled, changed or fixed separately: a change of the top level changes z_bottom
too. KL divergences do not depend on the coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Independent, constraints

from . import blocks
from .base import (
    FAMILIES,
    MIN_LOGVAR,
    DiagonalNormal,
    LatentModel,
    NetworkConfig,
    Posterior,
    Shape,
    bounded_logvar,
    bounded_mean,
    check_codes,
    diagonal_normal,
    gaussian_posterior,
    precise,
    soft_clamp,
)
from .lazy import computed_once


class LadderPosterior(Posterior):
    """q(z_top | x) q(e | x, z_top), both diagonal Gaussians.

    top: N over (B, D_top). mu_up, logvar_up (B, D_bottom): the bottom-up estimate of z_bottom. top_down: the network
    of p(z_bottom | z_top). mean is the mean of the top level, and of the bottom level given it.
    """

    arg_constraints = {}
    support = constraints.real_vector

    def __init__(self, top: Independent, mu_up: Tensor, logvar_up: Tensor, top_down: nn.Sequential):
        self.top, self.mu_up, self.logvar_up, self.top_down = top, mu_up, logvar_up, top_down
        latent_dim = top.event_shape[0] + mu_up.shape[-1]
        super().__init__(top.batch_shape, torch.Size([latent_dim]), validate_args=False)

    def bottom(self, z_top: Tensor) -> Independent:
        """Return q(e | x, z_top) over (..., B, D_bottom) for z_top (..., B, D_top): the bottom-up estimate and the
        prior, weighted by their precisions."""
        mu_p, logvar_p = bottom_prior(self.top_down, z_top)
        log_ratio = logvar_p - self.logvar_up  # log of x's precision over the prior's
        # The weight of the estimate, sigmoid(log_ratio), over sigma_p: one exponential, since either factor may
        # overflow.
        scale = (nn.functional.logsigmoid(log_ratio) - 0.5 * logvar_p).exp()
        sigma = (0.5 * nn.functional.logsigmoid(-log_ratio)).exp()
        return diagonal_normal(bounded_mean(scale * (self.mu_up - mu_p)), sigma)

    def given(self, z_top: Tensor) -> Independent:
        """Return both levels as one diagonal Gaussian over (..., B, D), the bottom level given z_top."""
        bottom = self.bottom(z_top)
        mu, sigma = self.top.mean.expand_as(z_top), self.top.stddev.expand_as(z_top)
        return diagonal_normal(
            torch.cat([mu, bottom.mean], -1), torch.cat([sigma, bottom.stddev], -1)
        )

    def at(self, z: Tensor) -> Independent:
        """Return the diagonal Gaussian z (..., B, D) was sampled from, level after level."""
        return self.given(z[..., : self.top.event_shape[0]])

    def push(self, noise: Tensor) -> Tensor:
        """Map noise (..., B, D) from N(0, I) to z (..., B, D)."""
        d = self.top.event_shape[0]
        q = self.given(self.top.mean + self.top.stddev * noise[..., :d])
        return q.mean + q.stddev * noise

    def rsample(self, sample_shape: Shape = torch.Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.push(torch.randn(shape, device=self.top.mean.device))

    def sample(self, sample_shape: Shape = torch.Size()) -> Tensor:
        with torch.no_grad():
            return self.rsample(sample_shape)

    @computed_once
    def mean(self) -> Tensor:
        return self.given(self.top.mean).mean

    @computed_once
    def variance(self) -> Tensor:
        """Return the variance, of the bottom level given the mean of the top level."""
        return self.given(self.top.mean).variance

    def log_prob(self, value: Tensor) -> Tensor:
        check_codes(value, self)
        value = value.expand(torch.broadcast_shapes(value.shape, self.batch_shape + self.event_shape))
        return self.at(value).log_prob(value)


def bottom_prior(top_down: nn.Sequential, z_top: Tensor) -> tuple[Tensor, Tensor]:
    """Return mu_p and log sigma_p^2 of p(z_bottom | z_top): z_top (..., D_top) -> (..., D_bottom) each."""
    mu, logvar = precise(top_down(z_top.to(next(top_down.parameters()).dtype))).chunk(2, dim=-1)
    return bounded_mean(mu), bounded_logvar(logvar)


@FAMILIES.register("ladder")
class LadderVAE(LatentModel):
    """Two levels: dimensions 0 .. top_dim - 1 are z_top, the others e."""

    analytic_kl = recordable = True
    prior_name = "N(0, I) for the top level and for the noise of the bottom level"

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        top_dim: int = 0  # dimensions of the top level, of latent_dim in all

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.top_dim not in range(1, self.latent_dim):
                found = f"{self.top_dim} of {self.latent_dim}"
                raise ValueError(f"a ladder needs a top_dim from 1 to latent_dim - 1, not {found}")
            if not self.encoder:
                raise ValueError("a ladder needs one width of encoder or more, from which both levels are computed")

    config: Config
    prior_mu: Tensor
    prior_sigma: Tensor

    def __init__(self, config: Config):
        super().__init__(config)
        width = config.encoder[-1]
        top, bottom = config.top_dim, config.latent_dim - config.top_dim
        # bottom-up: from the image to both levels
        self.encoder = blocks.encoder(config, outputs=width, hidden=config.encoder[:-1])
        self.bottom_up = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * bottom))
        self.top_up = nn.Sequential(
            nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 2 * top)
        )
        # top-down: p(z_bottom | z_top)
        self.top_down = nn.Sequential(
            nn.Linear(top, width), nn.SiLU(), nn.Linear(width, 2 * bottom)
        )
        self.decoder = blocks.decoder(config)
        self.register_buffer("prior_mu", torch.zeros(config.latent_dim), persistent=False)
        self.register_buffer("prior_sigma", torch.ones(config.latent_dim), persistent=False)

    @property
    def levels(self) -> dict[str, range]:
        top = self.config.top_dim
        return {"top level": range(top), "bottom level": range(top, self.latent_dim)}

    def bottom_prior(self, z_top: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu_p and log sigma_p^2 of p(z_bottom | z_top): z_top (..., D_top) -> (..., D_bottom) each."""
        return bottom_prior(self.top_down, z_top)

    def encode(self, x: Tensor, y: Tensor | None = None) -> LadderPosterior:
        h = self.encoder(self.as_images(x))  # (B, width)
        mu_top, logvar_top = precise(self.top_up(h)).chunk(2, dim=1)
        mu_up, logvar_up = precise(self.bottom_up(h)).chunk(2, dim=1)  # the bottom-up estimate of z_bottom
        # logvar_up is not a posterior's and may be large, where the image does not determine a dimension
        mu_up, logvar_up = bounded_mean(mu_up), soft_clamp(logvar_up, MIN_LOGVAR, -MIN_LOGVAR)
        return LadderPosterior(gaussian_posterior(mu_top, logvar_top), mu_up, logvar_up, self.top_down)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        top = self.config.top_dim
        z_top, e = z[..., :top], z[..., top:]
        mu_p, logvar_p = self.bottom_prior(z_top)
        return self.decoder(torch.cat([z_top, mu_p + (0.5 * logvar_p).exp() * e], dim=-1).to(self.dtype))

    @property
    def prior(self) -> DiagonalNormal:
        return diagonal_normal(self.prior_mu, self.prior_sigma)
