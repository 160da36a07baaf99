"""Inverse autoregressive flow (Kingma et al. 2016): a posterior that is not Gaussian.

A Gaussian sample goes through steps z <- s * z + (1 - s) * m, in which s_d and m_d depend only on
the dimensions before d. So the Jacobian is triangular and its log-determinant is a sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import constraints

from . import blocks
from .base import (
    FAMILIES,
    DiagonalNormal,
    LatentModel,
    NetworkConfig,
    Posterior,
    Shape,
    bounded_logvar,
    bounded_mean,
    check_codes,
    check_counts,
    diagonal_normal,
    precise,
    soft_clamp,
    traced,
)
from .lazy import changes, computed_once

MAX_LOGIT = 20.0  # a smaller gate would shrink a dimension below float32's precision


class MaskedLinear(nn.Linear):
    """A linear layer whose weights are multiplied by a mask (out, in) of 0 and 1."""

    mask: Tensor

    def __init__(self, mask: Tensor):
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight * self.mask, self.bias)


class AutoregressiveStep(nn.Module):
    """One step of the flow: a MADE (Germain et al. 2015) with one hidden layer and a context."""

    def __init__(self, dim: int, width: int):
        super().__init__()
        # Hidden unit h sees the first degree[h] dimensions; output d, counted from 0, sees the units that see at
        # most d of them.
        degree = 1 + torch.arange(width) % max(1, dim - 1)
        number = torch.arange(dim)
        self.first = MaskedLinear(degree[:, None] > number[None, :])  # (width, dim)
        self.context = nn.Linear(width, width, bias=False)
        sees = number[:, None] >= degree[None, :]  # (dim, width)
        self.shift, self.gate = MaskedLinear(sees), MaskedLinear(sees)
        nn.init.zeros_(self.shift.weight)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, 2.0)  # near the identity

    def forward(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return m (..., D) and the logit of s (..., D), both bounded, of z (..., D) and context (..., width)."""
        dtype = self.first.weight.dtype
        hidden = nn.functional.silu(self.first(z.to(dtype)) + self.context(context.to(dtype)))
        return bounded_mean(self.shift(hidden)), soft_clamp(self.gate(hidden), -MAX_LOGIT, MAX_LOGIT)


class FlowPosterior(Posterior):
    """The distribution of a Gaussian sample (B, D) after the steps.

    The expectation has no closed form: mean is the image of the Gaussian's mean under the flow. variance is that of
    64 fixed samples.
    """

    arg_constraints = {}
    support = constraints.real_vector
    samples_moments = True

    def __init__(self, mu: Tensor, sigma: Tensor, context: Tensor, steps: nn.ModuleList):
        self.base, self.context, self.steps = diagonal_normal(mu, sigma), context, steps
        # the last sample and the mean: each with its version, which in-place changes raise, and its log q
        self._known: dict[str, tuple[Tensor, int, Tensor]] = {}
        super().__init__(mu.shape[:-1], mu.shape[-1:], validate_args=False)

    def transform(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return z (..., B, D) and log q(z|x) (..., B) in nats of noise (..., B, D) from N(0, I)."""
        z = self.base.mean + self.base.stddev * noise
        log_q = self.base.log_prob(z)
        for step in self.steps:
            m, logit = step(z, self.context)
            s = logit.sigmoid()
            z = s * z + (1 - s) * m
            log_q = log_q - nn.functional.logsigmoid(logit).sum(-1)
            z = z.flip(-1)  # the next step goes through the dimensions in reverse order
        return z, log_q

    def push(self, noise: Tensor) -> Tensor:
        """Map noise (..., B, D) from N(0, I) to z (..., B, D), and cache its log q(z|x) for log_prob."""
        return self._remember("sample", *self.transform(noise))

    def rsample(self, sample_shape: Shape = torch.Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.push(torch.randn(shape, device=self.base.mean.device))

    def sample(self, sample_shape: Shape = torch.Size()) -> Tensor:
        with torch.no_grad():
            return self.rsample(sample_shape)

    @computed_once
    def mean(self) -> Tensor:
        return self._remember("mean", *self.transform(torch.zeros_like(self.base.mean)))

    @computed_once
    def variance(self) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(64, 1, self.base.mean.shape[-1], generator=generator)
        noise = noise.expand(-1, len(self.base.mean), -1).to(self.base.mean.device)
        return self.transform(noise)[0].var(0)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log q(z|x) (..., B) in nats of z (..., B, D).

        It is cached for the last sample and for the mean, unless they have been changed. For any other z the flow is
        inverted, one dimension after another. The gradient at a sample is the total derivative, which includes the
        path through z, as for any z that depends on the model's parameters. Raises ValueError for z of another shape.
        """
        check_codes(value, self)
        for z, version, log_q in self._known.values():
            if value is z and changes(z) == version and self._has_gradients(z, log_q):
                log_q = log_q.clone()  # the caller may change it in place
                return log_q if torch.is_grad_enabled() else log_q.detach()
        z, log_det = value, torch.zeros((), dtype=value.dtype, device=value.device)
        dimensions = torch.arange(value.shape[-1], device=value.device)
        for step in reversed(self.steps):
            z = z.flip(-1)
            before = torch.zeros_like(z)
            for d in range(z.shape[-1]):  # s_d and m_d depend only on the dimensions before d
                m, logit = step(before, self.context)
                s = logit.sigmoid()
                before = torch.where(dimensions == d, (z - (1 - s) * m) / s, before)
            log_det = log_det + nn.functional.logsigmoid(step(before, self.context)[1]).sum(-1)
            z = before
        return self.base.log_prob(z) - log_det

    def _remember(self, what: str, z: Tensor, log_q: Tensor) -> Tensor:
        if traced() or not torch.is_inference_mode_enabled():  # whose tensors count no changes
            self._known[what] = z, changes(z), log_q
        return z

    def _has_gradients(self, z: Tensor, log_q: Tensor) -> bool:
        """Return whether log q, computed with z, has all the gradients that are asked for now."""
        if z.requires_grad != log_q.requires_grad:
            return False
        sources = (self.base.mean, self.base.stddev, self.context, *self.steps.parameters())
        return log_q.requires_grad or not torch.is_grad_enabled() or not any(t.requires_grad for t in sources)


@FAMILIES.register("iaf")
class FlowVAE(LatentModel):
    """A VAE with an IAF posterior; prior and decoder are the VAE's."""

    recordable = True
    centre_name = "posterior's centre (the Gaussian's mean after the flow)"

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        flow_steps: int = 3  # autoregressive steps of the posterior ...
        flow_width: int = 128  # ... and the width of their hidden layer and of their context

        def __post_init__(self) -> None:
            super().__post_init__()
            check_counts(self, "flow_steps", "flow_width")

    config: Config
    prior_mu: Tensor
    prior_sigma: Tensor

    def __init__(self, config: Config):
        super().__init__(config)
        self.encoder = blocks.encoder(config, outputs=2 * config.latent_dim + config.flow_width)
        self.flow = nn.ModuleList(
            AutoregressiveStep(config.latent_dim, config.flow_width) for _ in range(config.flow_steps)
        )
        self.decoder = blocks.decoder(config)
        self.register_buffer("prior_mu", torch.zeros(config.latent_dim), persistent=False)
        self.register_buffer("prior_sigma", torch.ones(config.latent_dim), persistent=False)

    def encode(self, x: Tensor, y: Tensor | None = None) -> FlowPosterior:
        d = self.latent_dim
        mu, logvar, context = precise(self.encoder(self.as_images(x))).split([d, d, self.config.flow_width], dim=1)
        return FlowPosterior(bounded_mean(mu), (0.5 * bounded_logvar(logvar)).exp(), context, self.flow)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(z.to(self.dtype))

    @property
    def prior(self) -> DiagonalNormal:
        return diagonal_normal(self.prior_mu, self.prior_sigma)
