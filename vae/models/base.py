"""LatentModel: the contract that the rest of the project relies on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal, constraints


@dataclass(frozen=True)
class Config:
    """What is needed to build a model again; a card stores it as JSON.

    encoder, decoder: widths of the hidden layers, from input to output. For network
    "conv" they are the widths of the dense layers between z and the 4x4 feature map, and
    channels those of the feature maps at 32, 16, 8 and 4 pixels.
    """

    image_shape: tuple[int, int, int]  # (C, H, W)
    latent_dim: int
    network: str = "mlp"  # "mlp" or "conv"
    encoder: tuple[int, ...] = (256, 128)
    decoder: tuple[int, ...] = (128, 256)
    channels: tuple[int, ...] = (32, 32, 32, 32)
    num_classes: int = 0  # more than 0: the model is conditional


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
        same = (value == self.value).all(-1)
        return torch.where(same, 0.0, -torch.inf)


class LatentModel(nn.Module):
    """An encoder, a latent space and a decoder.

    A page asks for a capability and never for a class name:
    latent_kind   "gaussian": q(z|x) is a Gaussian; "point": the code is deterministic
    num_classes   0, or the number of classes that `y` chooses from
    plain_decoder decode(z, y) is sigmoid(self.decoder([z, one_hot(y)])), decoder an nn.Sequential
    """

    latent_kind = "gaussian"
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

    def encode(self, x: Tensor, y: Tensor | None = None) -> Distribution:
        """x (B, C, H, W) in [0, 1], y (B,) int for conditional models -> q(z | x), event (D,)."""
        raise NotImplementedError

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """z (B, D) -> (B, C, H, W), the logit of each pixel's mean."""
        raise NotImplementedError

    @property
    def prior(self) -> Distribution:
        """p(z): sample(shape) -> (*shape, D) and log_prob(z) -> (B,) in nats."""
        raise NotImplementedError

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """z (B, D) -> (B, C, H, W), the mean image in [0, 1]."""
        return self.decode_logits(z, y).sigmoid()

    def likelihood(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """p(x | z): log_prob(x) -> (B,) in nats, summed over pixels.

        Bernoulli. For grey pixels in [0, 1] log_prob is minus the binary cross-entropy,
        the usual score on grey MNIST; only for binary pixels is it a log-probability.
        """
        logits = self.decode_logits(z, y).float()  # training may run the networks in bfloat16
        # validate_args=False admits grey values
        return Independent(Bernoulli(logits=logits, validate_args=False), 3, validate_args=False)

    def sample(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """n draws from the prior with its spread multiplied by temperature -> z (n, D).

        Raises ValueError for a temperature that is negative or not finite.
        """
        if not 0 <= temperature < float("inf"):
            raise ValueError(f"temperature must be 0 or more and finite, not {temperature}")
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
        # the reparametrisation trick, written out so that a generator can be passed
        noise = torch.randn(posterior.mean.shape, generator=generator, device=x.device)
        z = posterior.mean + posterior.stddev * noise
        return Output(posterior, z, self.likelihood(z, y), self.prior)

    def one_hot(self, y: Tensor | None, n: int) -> Tensor:
        """y (n,) int -> (n, num_classes) float. Raises ValueError for a missing or foreign class."""
        if y is None:
            raise ValueError(f"this model is conditional: pass y, {n} class numbers")
        if y.shape != (n,) or y.min() < 0 or y.max() >= self.num_classes:
            raise ValueError(f"y must be {n} class numbers from 0 to {self.num_classes - 1}")
        return nn.functional.one_hot(y.long(), self.num_classes).float()


def diagonal_normal(mu: Tensor, sigma: Tensor) -> Independent:
    """N(mu, diag(sigma^2)) over the last dimension, mu and sigma (..., D)."""
    return Independent(Normal(mu, sigma, validate_args=False), 1, validate_args=False)
