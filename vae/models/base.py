"""LatentModel, the contract that the rest of the project relies on, and FAMILIES, its implementations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import chain
from math import log
from numbers import Integral
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal, constraints

from ..registry import Registry
from .checks import check_codes, check_images, extremes, kind_of, precise, traced
from .likelihoods import LIKELIHOODS, Pixels

FAMILIES: Registry[type[LatentModel]] = Registry("family")  # a card's "family" is a key of it
NETWORKS = ("mlp", "conv")
Shape = torch.Size | list[int] | tuple[int, ...]  # of samples, as torch.distributions take it
Refine = Callable[[Distribution], Distribution]  # an objective's change of the posterior
ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU}


@dataclass(frozen=True)
class NetworkConfig:
    """The hyperparameters that rebuild a model; a card stores them as JSON.

    A family with hyperparameters of its own extends it by a nested class Config. Raises ValueError, with one sentence,
    for values that build no model.

    encoder, decoder: widths of the hidden layers, from input to output. For network "conv" they are the widths of the
    dense layers between z and the smallest feature map, and channels those of the feature maps, each half as wide and
    high as the one before.
    """

    image_shape: tuple[int, int, int]  # (C, H, W)
    latent_dim: int
    network: str = "mlp"  # one of NETWORKS
    encoder: tuple[int, ...] = (256, 128)
    decoder: tuple[int, ...] = (128, 256)
    channels: tuple[int, ...] = (32, 32, 32, 32)
    activation: str = "relu"  # of network "conv", one of ACTIVATIONS; network "mlp" has SiLU
    likelihood: str = "bernoulli"  # p(x|z) of the pixels, one of LIKELIHOODS
    sigma: float = 0.1  # of Gaussian pixels: the standard deviation, or where training begins
    num_classes: ClassVar[int] = 0  # a field of conditional families

    def __post_init__(self) -> None:
        if len(self.image_shape) != 3 or not all(map(is_count, self.image_shape)):
            raise ValueError(f"image_shape must be (C, H, W), integers of 1 or more, not {self.image_shape}")
        check_counts(self, "latent_dim")
        if self.network not in NETWORKS:
            raise ValueError(f"unknown network {self.network!r}: expected one of {', '.join(NETWORKS)}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {self.activation!r}: expected one of {', '.join(ACTIVATIONS)}")
        if self.likelihood not in LIKELIHOODS:
            raise ValueError(f"unknown likelihood {self.likelihood!r}: expected one of {', '.join(LIKELIHOODS)}")
        for name in ("encoder", "decoder", "channels"):
            if not all(map(is_count, getattr(self, name))):
                raise ValueError(f"{name} must hold widths, integers of 1 or more, not {getattr(self, name)}")
        if self.network == "conv":
            check_halvings(self.image_shape, self.channels)

    @classmethod
    def from_dict(cls, stored: dict) -> NetworkConfig:
        """Return the config that dataclasses.asdict turned into a dict, JSON-normalised or not.

        Cards from before families had their own configs hold the fields of every family, 0 where they do not apply:
        those are dropped. Raises ValueError for other unknown fields.
        """
        known = {f.name for f in fields(cls)}
        if unknown := [name for name, value in stored.items() if name not in known and value]:
            raise ValueError(f"it names {', '.join(map(repr, unknown))}, unknown to {cls.__qualname__}")
        found: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items() if k in known}
        return cls(**found)


def is_count(value: object) -> bool:
    """Return whether a value is an integer of 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def check_counts(config: NetworkConfig, *names: str) -> None:
    """Raise ValueError, naming the field, unless these fields of a config are integers of 1 or more."""
    for name in names:
        if not is_count(getattr(config, name)):
            raise ValueError(f"{name} must be an integer of 1 or more, not {getattr(config, name)!r}")


def check_halvings(image_shape: tuple[int, int, int], channels: tuple[int, ...]) -> None:
    """Raise ValueError unless an image can be halved once for each entry of channels, and doubled back to its size."""
    _, height, width = image_shape
    if not channels:
        raise ValueError("a convolutional network needs one entry of channels or more")
    if height % 2 ** len(channels) or width % 2 ** len(channels):
        raise ValueError(
            f"{len(channels)} entries of channels halve the image {len(channels)} times, so its height and width must "
            f"be multiples of {2 ** len(channels)}, not {height} x {width}"
        )


@dataclass(frozen=True)
class Output:
    """One pass through a model, for B images and D latent dimensions."""

    posterior: Distribution  # q(z | x), batch (B,), event (D,)
    z: Tensor  # (B, D), a reparametrised sample of the posterior
    likelihood: Distribution  # p(x | z), batch (B,), event (C, H, W)
    prior: Distribution  # p(z), event (D,)


class Posterior(Distribution):
    """q(z | x), batch (B,), event (D,), as encode returns it.

    A torch Distribution that does not extend this class is sampled as mean + stddev * noise.
    has_density: whether log_prob is a log-density; otherwise the posterior is a point mass.
    samples_moments: whether stddev is an estimate from samples.
    """

    has_density: ClassVar[bool] = True
    samples_moments: ClassVar[bool] = False

    def push(self, noise: Tensor) -> Tensor:
        """Apply the reparametrisation trick: noise (..., B, D) from N(0, I) -> z (..., B, D)."""
        return self.mean + self.stddev * noise

    def at(self, z: Tensor) -> Distribution:
        """Return the distribution z (..., B, D) was sampled from; with levels, each level's given the one above."""
        return self


class PointMass(Posterior):
    """All mass on one code: the "posterior" of a deterministic autoencoder.

    It has no density. log_prob is the log-probability: 0 at the code and -inf elsewhere.
    """

    has_density = False
    arg_constraints = {"value": constraints.real_vector}
    support = constraints.real_vector

    def __init__(self, value: Tensor):  # value (B, D)
        self.value = value
        super().__init__(value.shape[:-1], value.shape[-1:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.value

    @property
    def variance(self) -> Tensor:
        return torch.zeros_like(self.value)

    def rsample(self, sample_shape: Shape = torch.Size()) -> Tensor:
        return self.value.expand(self._extended_shape(sample_shape))

    def sample(self, sample_shape: Shape = torch.Size()) -> Tensor:
        return self.rsample(sample_shape).detach()

    def log_prob(self, value: Tensor) -> Tensor:
        check_codes(value, self)
        same = (value == self.value).all(-1)
        return torch.where(same, 0.0, -torch.inf).to(self.value.dtype)


class LatentModel(nn.Module):
    """An encoder, a latent space and a decoder.

    Class attributes state what a family can do, so that callers never test for a class:
    discrete       z holds indices below codebook_size of codebook vectors, on a grid (rows, columns): they cannot be
                   added, averaged or traversed
    deterministic  q(z|x) is a point mass, so it has no density and no samples
    has_elbo       objectives.elbo is a lower bound on log p(x), and has a KL
    analytic_kl    that KL has a closed form for each dimension; with levels, given a sample of the level above
    conditional    encoder and decoder take a class y (B,), and most_likely_class(x) estimates it: the highest of
                   class_score(x, y) (B,) or, where the model classifies, of classify(x)
    classifies     classify(x) is log q(y|x) (B, num_classes), by the network `classifier`
    denoises       trained to reconstruct clean images from noisy ones
    ex_post_prior  fit_prior(codes) fits p(z) to codes (N, D) after training (Ghosh et al. 2020)
    data_dependent_init  initialise(x) sets weights by training images x (N, C, H, W) before the first step
    recordable     a training step runs the same kernels whatever the values, so a CUDA graph can record it
    packages       packages that only this family needs, an extra of pyproject.toml
    foreign        its networks are somebody's own, and are not built by its config: they are in another process

    Text for captions: prior_name (p(z)), temperature_name (what a temperature is), centre_name (the
    posterior's `mean`).

    Images and codes are cast to the dtype of the weights. A model in float64 computes in float64
    throughout; one in float16 or bfloat16 decodes to that dtype, while its posterior, prior and
    log-probabilities are float32. A batch may be empty.
    Raises ValueError for images that are not floats in [0, 1] of shape (B, C, H, W), codes that are not
    (B, D), and class numbers that are missing, not integers, out of range or not B. Values are not
    checked in training mode, nor where they cannot be read (see `extremes`).
    """

    Config: type[NetworkConfig] = NetworkConfig
    discrete = deterministic = analytic_kl = conditional = classifies = denoises = False
    ex_post_prior = data_dependent_init = recordable = foreign = False
    has_elbo = True
    packages: ClassVar[tuple[str, ...]] = ()
    prior_name, temperature_name = "N(0, I)", "a factor on the standard deviation"
    centre_name = "posterior mean"

    def __init__(self, config: NetworkConfig):
        super().__init__()
        if type(config) is not self.Config:
            expected, found = self.Config.__qualname__, type(config).__qualname__
            raise TypeError(f"{type(self).__name__} takes a {expected}, not a {found}")
        self.config = config
        self.pixels = LIKELIHOODS[config.likelihood](config.sigma)
        self.card: Any = None  # vae.load puts the ModelCard here

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.config.image_shape

    @property
    def latent_dim(self) -> int:
        return self.config.latent_dim

    @property
    def num_classes(self) -> int:
        """Return the number of classes; 0 where the model is not conditional."""
        return self.config.num_classes

    @property
    def dtype(self) -> torch.dtype:
        """Return the floating-point type of the weights."""
        tensors = chain(self.parameters(), self.buffers())
        return next((t.dtype for t in tensors if t.is_floating_point()), torch.get_default_dtype())

    @property
    def levels(self) -> dict[str, range]:
        """Return {name: dimensions} of levels that can be sampled separately, top first; {} for a single level."""
        return {}

    @property
    def values(self) -> Tensor | None:
        """Return the values (D, V) that a code takes in each dimension, ascending; None where it takes any."""
        return None

    def features(self, z: Tensor) -> Tensor:
        """Map codes z (N, D) to (N, F), where distance measures similarity: z itself, or codebook vectors where
        the model is discrete."""
        return z

    def encode(self, x: Tensor, y: Tensor | None = None) -> Distribution:
        """Encode x (B, C, H, W) in [0, 1], y (B,) int for conditional models -> q(z | x), event (D,).

        Raises ValueError for other images and classes. An implementation calls as_images(x) first.
        """
        raise NotImplementedError

    def as_images(self, x: Tensor) -> Tensor:
        """Return images x (B, C, H, W) in [0, 1] in the weights' dtype. Raises ValueError for others."""
        check_images(x, self.image_shape, look=not self.training)
        return x.to(self.dtype)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Decode z (B, D) -> (B, C, H, W), the parameters of p(x|z) in `pixels`: the logit of each pixel's mean,
        except for the continuous Bernoulli."""
        raise NotImplementedError

    @property
    def prior(self) -> Distribution:
        """Return p(z), with sample(shape) -> (*shape, D) and log_prob(z) -> (B,) in nats."""
        raise NotImplementedError

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Decode z (B, D) -> (B, C, H, W), the mean image in [0, 1]. Raises ValueError for z of another shape."""
        self._check_shape(z)
        return self.pixels.mean(self.decode_logits(z, y))

    def _check_shape(self, z: Tensor) -> None:
        if traced():
            return
        if not isinstance(z, Tensor):
            raise ValueError(f"z must be a tensor of shape (B, {self.latent_dim}), not {kind_of(z)}")
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(f"z must have shape (B, {self.latent_dim}), not {tuple(z.shape)}")

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Decode x (B, C, H, W) at its posterior mean -> (B, C, H, W). Without y, a conditional model takes
        most_likely_class(x)."""
        if y is None and self.num_classes:
            y = self.most_likely_class(x)
        return self.decode(self.encode(x, y).mean, y)

    def likelihood(self, z: Tensor, y: Tensor | None = None) -> Pixels:
        """Return p(x | z), with log_prob(x) -> (B,) in nats, summed over pixels.

        config.likelihood chooses it. With the default, Bernoulli, log_prob of grey pixels in [0, 1] is minus the
        binary cross-entropy, the usual score on grey MNIST; only of binary pixels is it a log-probability.
        x (B, C, H, W) in [0, 1], or one image (1, C, H, W) for all codes; others raise ValueError.
        """
        self._check_shape(z)
        return self.pixels(self.decode_logits(z, y))

    def most_likely_class(self, x: Tensor) -> Tensor:
        """Classify x (B, C, H, W) -> (B,) int; conditional models only. Raises ValueError for others."""
        raise ValueError(f"{type(self).__name__} has no classes")

    def sample(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Sample z (n, D) from the prior with its standard deviation multiplied by temperature.

        Raises ValueError for a number of samples or a temperature that is negative, and for one that is not finite.
        """
        check_sampling(n, temperature)
        mean = self.prior.mean
        noise = torch.randn(n, self.latent_dim, generator=generator, device=mean.device)
        return mean + temperature * self.prior.stddev * noise

    def forward(
        self,
        x: Tensor,
        y: Tensor | None = None,
        generator: torch.Generator | None = None,
        refine: Refine | None = None,
        target: Tensor | None = None,
    ) -> Output:
        """Encode x (B, C, H, W), sample z once and decode it.

        refine: an objective's change of the posterior before z is sampled. target: the images to
        reconstruct, if not x.
        """
        posterior = self.encode(x, y)
        if refine is not None:
            posterior = refine(posterior)
        noise = torch.randn(len(x), self.latent_dim, generator=generator, device=x.device)
        z = reparametrise(posterior, noise)
        likelihood = self.pixels(self.decode_logits(z, y), x if target is None else target)
        return Output(posterior, z, likelihood, self.prior)

    def one_hot(self, y: Tensor | None, n: int) -> Tensor:
        """Return y (n,) int as (n, num_classes) in the weights' dtype. Raises ValueError for a missing y, one of
        another length or type, and class numbers out of range."""
        expected = f"{n} class numbers from 0 to {self.num_classes - 1}"
        if y is None:
            raise ValueError(f"this model is conditional: pass y, {expected}")
        if not isinstance(y, Tensor) or y.dtype == torch.bool or y.is_floating_point() or y.is_complex():
            raise ValueError(f"y must be a tensor of integers, {expected}, not {kind_of(y)}")
        if y.shape != (n,):
            raise ValueError(f"y must have shape ({n},), {expected}, not {tuple(y.shape)}")
        found = extremes(y)
        if found and not 0 <= found[0] <= found[1] < self.num_classes:
            raise ValueError(f"y must be {expected}, not from {found[0]:g} to {found[1]:g}")
        return nn.functional.one_hot(y.long(), self.num_classes).to(self.dtype)


def check_sampling(n: int, temperature: float) -> None:
    """Raise ValueError for a number of samples that is not an integer of 0 or more, and for a temperature that is
    negative or not finite."""
    if not traced() and (not isinstance(n, Integral) or isinstance(n, bool) or n < 0):
        raise ValueError(f"the number of samples must be an integer of 0 or more, not {n!r}")
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature must be 0 or more and finite, not {temperature}")


# Test images stay well inside these bounds: log-variances between -27 and 1.4, means within 11.1. Without them,
# sigma or the KL of an image unlike any training image may overflow.
MIN_LOGVAR, MAX_LOGVAR = -80.0, 2 * log(5)  # at -80 a variance is still a normal float32 number
MAX_MEAN = 14.0
BOUND_SHARPNESS = 8.0


def soft_clamp(x: Tensor, low: float, high: float) -> Tensor:
    """Bound x (any shape) smoothly between low and high, also where x is infinite.

    A soft minimum with high, then a soft maximum with low: the identity to 1e-6 further than 1.5
    inside the bounds.
    """
    k = BOUND_SHARPNESS
    x = -torch.logaddexp(-k * x, torch.full_like(x, -k * high)) / k
    return torch.logaddexp(k * x, torch.full_like(x, k * low)) / k


def bounded_mean(mu: Tensor) -> Tensor:
    """Bound means (any shape) smoothly by MAX_MEAN prior standard deviations."""
    return soft_clamp(mu, -MAX_MEAN, MAX_MEAN)


def bounded_logvar(logvar: Tensor) -> Tensor:
    """Bound log-variances (any shape) smoothly: the identity to 1e-6 below 1, sigma below 5."""
    return soft_clamp(logvar, MIN_LOGVAR, MAX_LOGVAR)


def reparametrise(posterior: Distribution, noise: Tensor) -> Tensor:
    """Sample a posterior (B, D) with noise (B, D) from N(0, I), which may be a generator's: rsample takes none."""
    if isinstance(posterior, Posterior):
        return posterior.push(noise)
    return posterior.mean + posterior.stddev * noise


def gaussian_posterior(mu: Tensor, logvar: Tensor) -> DiagonalNormal:
    """Return q(z|x) from an encoder's output, mu and logvar (B, D), both bounded."""
    return diagonal_normal(bounded_mean(mu), (0.5 * bounded_logvar(logvar)).exp())


class DiagonalNormal(Posterior, Independent):
    """A diagonal Gaussian, event (D,)."""

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log-density (...) of z (..., D) in nats. Raises ValueError for z of another shape."""
        check_codes(value, self)
        return self.base_dist.log_prob(value).sum(-1)  # Independent's own sum cannot reshape an empty batch


def diagonal_normal(mu: Tensor, sigma: Tensor) -> DiagonalNormal:
    """Return N(mu, diag(sigma^2)) over the last dimension, mu and sigma (..., D), in float32 or wider."""
    return DiagonalNormal(Normal(precise(mu), precise(sigma), validate_args=False), 1, validate_args=False)
