"""Likelihoods p(x | z) of pixels, chosen by the recipe. Each includes its normaliser.

The Bernoulli of grey pixels is a cross-entropy; the others are densities. Nats of the two kinds are not comparable.

A decoder returns logits (B, C, H, W). The mean image is their sigmoid, except for the continuous Bernoulli.
"""

from __future__ import annotations

from math import exp, log
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal, constraints

from ..registry import Registry
from .checks import check_images, precise

NEAR_ZERO = 1e-2  # series expansions replace the closed forms for logits below this, where those divide 0 by 0
MIN_LOG_SIGMA = -6.0  # of a learned or optimal sigma: 0.0025, less than the step between two grey levels
VARIANCE_RATE = 0.01  # the weight of each batch in the moving average of the optimal variance


class Likelihood(nn.Module):
    """A map from logits (B, C, H, W) to p(x | z), batch (B,), event (C, H, W).

    is_sigmoid        whether the mean image is the logits' sigmoid
    is_cross_entropy  whether log_prob of grey pixels is minus a binary cross-entropy, which is not a log-probability
    """

    is_sigmoid: ClassVar[bool] = True
    is_cross_entropy: ClassVar[bool] = False

    def __init__(self, sigma: float):
        super().__init__()

    def forward(self, logits: Tensor, x: Tensor | None = None) -> Pixels:
        """Return p(x | z). x (B, C, H, W): the images in training, to which the optimal sigma is fitted."""
        logits = precise(logits)
        return Pixels(self.distribution(logits, x), logits.dtype, look=not self.training)

    def distribution(self, logits: Tensor, x: Tensor | None) -> Distribution:
        """Return the distribution of each pixel, batch (B, C, H, W), from logits in float32 or wider."""
        raise NotImplementedError

    def mean(self, logits: Tensor) -> Tensor:
        """Return the mean images (B, C, H, W) in [0, 1]."""
        return logits.sigmoid()


class Pixels(Independent):
    """Independent pixels, batch (B,), event (C, H, W).

    look: whether log_prob checks that an image's values lie in [0, 1].
    """

    def __init__(self, each: Distribution, dtype: torch.dtype, look: bool):
        self.dtype, self.look = dtype, look
        super().__init__(each, 3, validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x | z) (B,) in nats of images (B, C, H, W), or of images that broadcast to that shape.

        Raises ValueError for others.
        """
        check_images(value, self.event_shape, self.batch_shape, self.look)
        # Independent's own sum cannot reshape an empty batch
        return self.base_dist.log_prob(value.to(self.dtype)).flatten(-3).sum(-1)


LIKELIHOODS: Registry[type[Likelihood]] = Registry("likelihood")


@LIKELIHOODS.register("bernoulli")
class BernoulliPixels(Likelihood):
    """Bernoulli pixels. For grey pixels log_prob is minus the binary cross-entropy, the usual score on grey MNIST; it
    is a log-probability for binary pixels only."""

    is_cross_entropy = True

    def distribution(self, logits: Tensor, x: Tensor | None) -> Bernoulli:
        return Bernoulli(logits=logits, validate_args=False)  # otherwise grey values are refused


class ContinuousBernoulli(Distribution):
    """A density on [0, 1] proportional to p^x (1 - p)^(1 - x) (Loaiza-Ganem & Cunningham 2019).

    It is parametrised by logits = log(p / (1 - p)), so that the normaliser is exact for every p. torch's own clips p
    at 1e-7, which is wrong for a pixel that is almost certainly black.
    """

    arg_constraints = {"logits": constraints.real}
    support = constraints.unit_interval

    def __init__(self, logits: Tensor):
        self.logits = logits
        super().__init__(logits.shape, validate_args=False)

    @property
    def log_normaliser(self) -> Tensor:
        """Return log C(p) = log(l / tanh(l / 2)) of the logit l; log 2 at l = 0."""
        safe = torch.where(self._near, torch.ones_like(self.logits), self.logits)
        return torch.where(self._near, log(2) + self.logits**2 / 12, (safe / (safe / 2).tanh()).log())

    @property
    def mean(self) -> Tensor:
        """Return 1 / (1 - exp(-l)) - 1 / l; 1/2 at l = 0."""
        safe = torch.where(self._near, torch.ones_like(self.logits), self.logits)
        return torch.where(self._near, 0.5 + self.logits / 12, -1 / torch.expm1(-safe) - 1 / safe)

    @property
    def _near(self) -> Tensor:
        return self.logits.abs() < NEAR_ZERO

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log-density of values in [0, 1], in nats, of the shape of the logits."""
        return value * self.logits - nn.functional.softplus(self.logits) + self.log_normaliser

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Sample by the inverse of the distribution function: log(1 + u (exp(l) - 1)) / l."""
        with torch.no_grad():
            u = torch.rand_like(self.logits.expand(self._extended_shape(torch.Size(sample_shape))))
            size = self.logits.abs().clamp(min=NEAR_ZERO)
            # sample for -|l|, whose exponential does not overflow; the density for l mirrors that for -l
            x = -torch.log1p(u * torch.expm1(-size)) / size
            return torch.where(self._near, u, torch.where(self.logits > 0, 1 - x, x))


@LIKELIHOODS.register("continuous_bernoulli")
class ContinuousBernoulliPixels(Likelihood):
    """Continuous Bernoulli pixels: a density on [0, 1]."""

    is_sigmoid = False

    def distribution(self, logits: Tensor, x: Tensor | None) -> ContinuousBernoulli:
        return ContinuousBernoulli(logits)

    def mean(self, logits: Tensor) -> Tensor:
        return ContinuousBernoulli(precise(logits)).mean.to(logits.dtype)


@LIKELIHOODS.register("gaussian")
class GaussianPixels(Likelihood):
    """Gaussian pixels N(sigmoid(logits), sigma^2) with a fixed sigma. Raises ValueError unless sigma is positive."""

    def __init__(self, sigma: float):
        super().__init__(sigma)
        if not 0 < sigma < float("inf"):
            raise ValueError(f"the standard deviation of pixels must be positive and finite, not {sigma}")
        self.log_sigma: Tensor
        self._set(torch.tensor(log(sigma)))

    def _set(self, log_sigma: Tensor) -> None:
        self.register_buffer("log_sigma", log_sigma)

    def distribution(self, logits: Tensor, x: Tensor | None) -> Normal:
        mean = logits.sigmoid()
        return Normal(mean, self._sigma(mean, x).expand_as(mean), validate_args=False)

    @property
    def sigma(self) -> Tensor:
        """Return the standard deviation of a pixel, a scalar."""
        return self.log_sigma.clamp(min=MIN_LOG_SIGMA).exp()

    def _sigma(self, mean: Tensor, x: Tensor | None) -> Tensor:
        return self.sigma


@LIKELIHOODS.register("gaussian_learned")
class LearnedGaussianPixels(GaussianPixels):
    """Gaussian pixels with one sigma, trained with the networks (Rybkin et al. 2021). sigma: its initial value."""

    def _set(self, log_sigma: Tensor) -> None:
        self.log_sigma = nn.Parameter(log_sigma)


@LIKELIHOODS.register("gaussian_optimal")
class OptimalGaussianPixels(GaussianPixels):
    """Gaussian pixels with one sigma, the maximum-likelihood estimate (Rybkin et al. 2021, equation 7).

    In training it is the root of the batch's mean squared error, and afterwards that of the moving average, so that
    p(x | z) is one density and log_prob of a new image is a log-density.
    """

    def _sigma(self, mean: Tensor, x: Tensor | None) -> Tensor:
        if not self.training or x is None or not x.numel():
            return super()._sigma(mean, x)
        variance = ((x - mean) ** 2).mean().clamp(min=exp(2 * MIN_LOG_SIGMA))  # log(0) has no gradient
        with torch.no_grad():
            average = (2 * self.log_sigma).exp().lerp(variance.detach(), VARIANCE_RATE)
            self.log_sigma.copy_(0.5 * average.log())
        return variance.sqrt()
