"""LatentModel: the contract that the rest of the project relies on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from math import log, prod
from typing import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal, constraints


@dataclass(frozen=True)
class Config:
    """What is needed to build a model again; a card stores it as JSON.

    encoder, decoder: widths of the hidden layers, from input to output. For network
    "conv" they are the widths of the dense layers between z and the smallest feature map, and
    channels those of the feature maps, each half as wide and high as the one before.
    """

    image_shape: tuple[int, int, int]  # (C, H, W)
    latent_dim: int
    network: str = "mlp"  # "mlp" or "conv"
    encoder: tuple[int, ...] = (256, 128)
    decoder: tuple[int, ...] = (128, 256)
    channels: tuple[int, ...] = (32, 32, 32, 32)
    activation: str = "relu"  # of network "conv", or "silu", which network "mlp" has
    num_classes: int = 0  # more than 0: the model is conditional
    noise: float = 0.0  # "dvae": largest standard deviation of what is added to the images it learns from
    pseudo_inputs: int = 0  # "vamp": components of the prior
    flow_steps: int = 0  # "iaf": autoregressive steps of the posterior ...
    flow_width: int = 0  # ... and the width of their hidden layer and of their context
    top_dim: int = 0  # "ladder": dimensions of the upper level, of latent_dim in all
    codebook: int = 0  # "vqvae": vectors in the codebook ...
    code_dim: int = 0  # ... and their length
    prior_width: int = 0  # "vqvae": width of the autoregressive prior's network ...
    prior_layers: int = 0  # ... and how many blocks it has


@dataclass(frozen=True)
class Output:
    """One pass through a model, for B images and D latent dimensions."""

    posterior: Distribution  # q(z | x), batch (B,), event (D,)
    z: Tensor  # (B, D), a reparametrised draw from the posterior
    likelihood: Distribution  # p(x | z), batch (B,), event (C, H, W)
    prior: Distribution  # p(z), event (D,)


class PointMass(Distribution):
    """All mass on one code: the "posterior" of a deterministic autoencoder.

    log_prob is 0 at the code and -inf elsewhere: it counts probability, since a
    point mass has no density.
    """

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

    def rsample(self, sample_shape=torch.Size()) -> Tensor:
        return self.value.expand(self._extended_shape(sample_shape))

    def sample(self, sample_shape=torch.Size()) -> Tensor:
        return self.rsample(sample_shape).detach()

    def log_prob(self, value: Tensor) -> Tensor:
        check_codes(value, self)
        same = (value == self.value).all(-1)
        return torch.where(same, 0.0, -torch.inf).to(self.value.dtype)


class LatentModel(nn.Module):
    """An encoder, a latent space and a decoder.

    A page asks for a capability and never for a class name:
    latent_kind   "gaussian": q(z|x) is a diagonal Gaussian, or one level after another;
                  "flow": it can be drawn from, and its KL is estimated from draws;
                  "point": the code is deterministic; "codes": so it is, and each of its
                  numbers is a whole one, the number of a vector in a codebook
    groups        {name: its dimensions}: levels that can be drawn apart; {} where there is one
    prior_name    what p(z) is, for a caption; temperature_name: what a temperature does to it
    centre_name   what the posterior's `mean` is, for a caption
    num_classes   0, or the number of classes that `y` chooses from
    plain_decoder decode(z, y) is sigmoid(self.decoder([z, one_hot(y)])), decoder an nn.Sequential

    Images and codes are cast to the dtype of the weights. A model in float64 computes in float64
    throughout; one in float16 or bfloat16 decodes to that dtype, while its posterior, prior and
    log-probabilities are float32. A batch may be empty.
    Images that are no floats in [0, 1] of shape (B, C, H, W), codes that are not (B, D) and class
    numbers that are missing, no integers, out of range or not B raise ValueError. Values are not
    looked at in training mode, nor where they cannot be (see `extremes`).
    """

    latent_kind = "gaussian"
    prior_name, temperature_name = "N(0, I)", "spread times"
    centre_name = "posterior mean"
    plain_decoder = False

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.card = None  # vae.load puts the ModelCard here

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.config.image_shape

    @property
    def latent_dim(self) -> int:
        return self.config.latent_dim

    @property
    def num_classes(self) -> int:
        return self.config.num_classes

    @property
    def dtype(self) -> torch.dtype:
        """The floating-point type of the weights."""
        tensors = chain(self.parameters(), self.buffers())
        return next((t.dtype for t in tensors if t.is_floating_point()), torch.get_default_dtype())

    @property
    def groups(self) -> dict[str, range]:
        return {}

    def features(self, z: Tensor) -> Tensor:
        """Codes z (N, D) -> (N, F), where distances say how alike codes are: z itself, but for
        numbers of vectors in a codebook."""
        return z

    def encode(self, x: Tensor, y: Tensor | None = None) -> Distribution:
        """x (B, C, H, W) in [0, 1], y (B,) int for conditional models -> q(z | x), event (D,).

        Raises ValueError for other images and classes. An implementation calls as_images(x) first.
        """
        raise NotImplementedError

    def as_images(self, x: Tensor) -> Tensor:
        """Return images x (B, C, H, W) in [0, 1] in the weights' dtype. Raises ValueError for others."""
        check_images(x, self.image_shape, look=not self.training)
        return x.to(self.dtype)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """z (B, D) -> (B, C, H, W), the logit of each pixel's mean."""
        raise NotImplementedError

    @property
    def prior(self) -> Distribution:
        """p(z): sample(shape) -> (*shape, D) and log_prob(z) -> (B,) in nats."""
        raise NotImplementedError

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """z (B, D) -> (B, C, H, W), the mean image in [0, 1]. Raises ValueError for z of another shape."""
        self._check_shape(z)
        return self.decode_logits(z, y).sigmoid()

    def _check_shape(self, z: Tensor) -> None:
        if traced():
            return
        if not isinstance(z, Tensor):
            raise ValueError(f"z must be a tensor of shape (B, {self.latent_dim}), not {kind_of(z)}")
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(f"z must have shape (B, {self.latent_dim}), not {tuple(z.shape)}")

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """x (B, C, H, W) -> (B, C, H, W), decoded at the posterior mean. A conditional model that is given
        no y takes the class that it finds likeliest."""
        if y is None and self.num_classes:
            y = self.most_likely_class(x)
        return self.decode(self.encode(x, y).mean, y)

    def likelihood(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """p(x | z): log_prob(x) -> (B,) in nats, summed over pixels.

        Bernoulli. For grey pixels in [0, 1] log_prob is minus the binary cross-entropy,
        the usual score on grey MNIST; only for binary pixels is it a log-probability.
        x (B, C, H, W) in [0, 1], or one image (1, C, H, W) for all codes; others raise ValueError.
        """
        self._check_shape(z)
        return pixels(self.decode_logits(z, y), look=not self.training)

    def sample(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """n draws from the prior with its spread multiplied by temperature -> z (n, D).

        Raises ValueError for a temperature that is negative or not finite.
        """
        check_temperature(temperature)
        mean = self.prior.mean
        noise = torch.randn(n, self.latent_dim, generator=generator, device=mean.device)
        return mean + temperature * self.prior.stddev * noise

    def forward(
        self,
        x: Tensor,
        y: Tensor | None = None,
        generator: torch.Generator | None = None,
        refine: Callable[[Distribution], Distribution] | None = None,
    ) -> Output:
        """x (B, C, H, W) through encoder, one draw of z, and decoder.

        refine: what an objective does to the posterior before z is drawn.
        """
        posterior = self.encode(x, y)
        if refine is not None:
            posterior = refine(posterior)
        noise = torch.randn(len(x), self.latent_dim, generator=generator, device=x.device)
        z = reparametrise(posterior, noise)
        return Output(posterior, z, self.likelihood(z, y), self.prior)

    def one_hot(self, y: Tensor | None, n: int) -> Tensor:
        """y (n,) int -> (n, num_classes) in the weights' dtype. Raises ValueError for a missing y, one of
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


class Pixels(Independent):
    """Independent Bernoulli pixels that take grey values too, batch (B,), event (C, H, W).

    look: whether log_prob looks at the values of an image, which have to lie in [0, 1].
    """

    look = True

    def log_prob(self, value: Tensor) -> Tensor:
        """Images (B, C, H, W), or such that broadcast to them -> (B,) in nats. Raises ValueError for others."""
        check_images(value, self.event_shape, self.batch_shape, self.look)
        # Independent's own sum cannot reshape an empty batch
        return self.base_dist.log_prob(value.to(self.base_dist.logits.dtype)).flatten(-3).sum(-1)


def pixels(logits: Tensor, look: bool = True) -> Pixels:
    """p(x|z) from logits (B, C, H, W): Bernoulli pixels, in float32 or float64."""
    # validate_args=False admits grey values
    likelihood = Pixels(Bernoulli(logits=precise(logits), validate_args=False), 3, validate_args=False)
    likelihood.look = look
    return likelihood


RANGE_TOLERANCE = 1e-4  # that pixels may lie outside [0, 1], by rounding


def check_images(
    x: Tensor, image_shape: tuple[int, int, int], batch_shape: tuple[int, ...] | None = None, look: bool = True
) -> None:
    """Raise ValueError, in one sentence, unless x holds floats in [0, 1] of shape (B, C, H, W).

    image_shape: (C, H, W). batch_shape: of a likelihood, to which x has to broadcast. look: whether
    the range is checked, for which values are read.
    """
    if traced():
        return
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise ValueError(f"x must be a tensor of floats in [0, 1], not {kind_of(x)}")
    if batch_shape is None:
        fits = x.ndim == 4 and x.shape[1:] == tuple(image_shape)
    else:
        fits = broadcasts(x.shape, (*batch_shape, *image_shape), event_dims=3)
    if not fits:
        # as many images as there are, where only an axis is missing or misplaced
        n = x.shape[:1] if x.ndim == 4 else (max(1, x.numel() // prod(image_shape)),)
        expected = (*(n if batch_shape is None else batch_shape), *image_shape)
        raise ValueError(f"x must have shape {expected}, not {tuple(x.shape)}")
    found = extremes(x) if look else None
    if found and not (found[0] >= -RANGE_TOLERANCE and found[1] <= 1 + RANGE_TOLERANCE):
        told = "and some are NaN" if found[0] != found[0] else f"not from {found[0]:g} to {found[1]:g}"
        raise ValueError(f"x must hold pixels in [0, 1], {told}")


def check_codes(z: Tensor, distribution: Distribution) -> None:
    """Raise ValueError unless z has a distribution's shape (B, D), or one that broadcasts to it."""
    expected = distribution.batch_shape + distribution.event_shape
    if not traced() and not broadcasts(z.shape, expected, event_dims=1):
        shape = tuple(expected) if distribution.batch_shape else f"(B, {expected[0]})"
        raise ValueError(f"z must have shape {shape}, not {tuple(z.shape)}")


def broadcasts(shape: torch.Size, expected: tuple[int, ...], event_dims: int) -> bool:
    """Return whether a shape ends in the last event_dims of expected, and broadcasts to it before them."""
    if shape == expected:
        return True
    before = zip(shape[-event_dims - 1 :: -1], expected[-event_dims - 1 :: -1])
    return shape[-event_dims:] == tuple(expected[-event_dims:]) and all(1 in (a, b) or a == b for a, b in before)


def traced() -> bool:
    """Whether operations are being recorded by torch.compile, torch.export or torch.jit.trace."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def extremes(x: Tensor) -> tuple[float, float] | None:
    """Return the smallest and largest value of x, both NaN if one is; None where x is empty or has no values
    to be read: where operations are recorded, also as a CUDA graph, under vmap, on the meta device."""
    if traced() or not x.numel():
        return None
    if x.is_cuda and torch.cuda.is_current_stream_capturing():
        return None
    try:
        low, high = x.detach().aminmax()
        return low.item(), high.item()
    except RuntimeError:  # what vmap, fake tensors and the meta device answer
        return None


def kind_of(value) -> str:
    """What a value is, for a message: the dtype of a tensor, else the type."""
    return str(value.dtype).removeprefix("torch.") if isinstance(value, Tensor) else type(value).__name__


def check_temperature(temperature: float) -> None:
    """Raises ValueError for a temperature that is negative or not finite."""
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature must be 0 or more and finite, not {temperature}")


def precise(values: Tensor) -> Tensor:
    """Undo autocast and half precision: float16 and bfloat16 to float32, other dtypes unchanged."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


# Test images stay well inside: log-variances between -27 and 1.4, means within 11.1. An image unlike
# any training image does not: without bounds its sigma or its KL may overflow.
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
    """The draw of a posterior (B, D) that noise (B, D) from N(0, I) stands for.

    Written out, where rsample would do, so that the noise can come from a generator. A posterior
    that is more than a location and a scale says itself what it makes of the noise.
    """
    if hasattr(posterior, "push"):
        return posterior.push(noise)
    return posterior.mean + posterior.stddev * noise


def gaussian_posterior(mu: Tensor, logvar: Tensor) -> Independent:
    """Return q(z|x) from an encoder's output, mu and logvar (B, D), both bounded."""
    return diagonal_normal(bounded_mean(mu), (0.5 * bounded_logvar(logvar)).exp())


class DiagonalNormal(Independent):
    """A diagonal Gaussian, event (D,)."""

    def log_prob(self, value: Tensor) -> Tensor:
        """z (..., D) -> (...) in nats. Raises ValueError for z of another shape."""
        check_codes(value, self)
        return self.base_dist.log_prob(value).sum(-1)  # Independent's own sum cannot reshape an empty batch


def diagonal_normal(mu: Tensor, sigma: Tensor) -> DiagonalNormal:
    """N(mu, diag(sigma^2)) over the last dimension, mu and sigma (..., D); in float32 or wider."""
    return DiagonalNormal(Normal(precise(mu), precise(sigma), validate_args=False), 1, validate_args=False)
