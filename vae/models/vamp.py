"""The VampPrior (Tomczak & Welling 2018): a prior made of posteriors.

p(z) = 1/K sum_k q(z | u_k), where the K pseudo-inputs u_k are learned images. The prior that maximises the ELBO is
the average of all posteriors; this approximates it with K of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, constraints

from .base import FAMILIES, NetworkConfig, Shape, check_codes, check_counts, check_sampling
from .lazy import while_unchanged
from .vae import VAE


class Mixture(Distribution):
    """1/K sum_k N(mu_k, diag(sigma_k^2)), mu and sigma (K, D)."""

    arg_constraints = {"mu": constraints.real_vector, "sigma": constraints.independent(constraints.positive, 1)}
    support = constraints.real_vector

    def __init__(self, mu: Tensor, sigma: Tensor):
        self.mu, self.sigma = mu, sigma
        super().__init__(torch.Size(), mu.shape[-1:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.mu.mean(0)

    @property
    def variance(self) -> Tensor:
        return (self.sigma**2 + self.mu**2).mean(0) - self.mean**2

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log-density (...) of value (..., D) in nats. Raises ValueError for z of another shape."""
        check_codes(value, self)
        value = value.to(self.mu.dtype)
        # Expand the square into matrix products: (..., K, D) differences would not fit in memory.
        precision = self.sigma**-2  # (K, D)
        squares = (
            value**2 @ precision.T - 2 * value @ (precision * self.mu).T
            + (precision * self.mu**2).sum(1)
        )  # (..., K)
        constant = self.sigma.log().sum(1) + 0.5 * self.mu.shape[1] * log(2 * pi)  # (K,)
        return (-0.5 * squares - constant).logsumexp(-1) - log(len(self.mu))

    def sample(self, sample_shape: Shape = torch.Size()) -> Tensor:
        with torch.no_grad():
            k = torch.randint(len(self.mu), torch.Size(sample_shape), device=self.mu.device)
            return torch.normal(self.mu[k], self.sigma[k])


@FAMILIES.register("vamp")
class VampVAE(VAE):
    """A VAE whose prior is the mixture of its own posteriors at the pseudo-inputs."""

    analytic_kl = False  # the KL of a Gaussian to a mixture has none
    data_dependent_init = True
    prior_name = "a mixture of the posteriors of learned pseudo-inputs"
    temperature_name = "a factor on the standard deviation of each component"

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        pseudo_inputs: int = 200  # components of the prior

        def __post_init__(self) -> None:
            super().__post_init__()
            check_counts(self, "pseudo_inputs")

    def __init__(self, config: Config):
        super().__init__(config)
        # their pixels, as logits
        self.pseudo_inputs = nn.Parameter(torch.randn(config.pseudo_inputs, *config.image_shape))

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Set the first N pseudo-inputs to images x (N, C, H, W) in [0, 1]."""
        images = x[: len(self.pseudo_inputs)].clamp(0.05, 0.95)  # the sigmoid has no gradient at 0 and 1
        self.pseudo_inputs[: len(images)] = images.logit()

    @property
    def prior(self) -> Mixture:  # type: ignore[override]
        return while_unchanged(self, self.encode_pseudo_inputs)

    def encode_pseudo_inputs(self) -> Mixture:
        """Return p(z): encode the pseudo-inputs."""
        q = self.encode(self.pseudo_inputs.sigmoid())
        return Mixture(q.mean, q.stddev)

    def sample(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Sample z (n, D); temperature multiplies the standard deviation of each component.

        Raises ValueError for a temperature that is negative or not finite.
        """
        check_sampling(n, temperature)
        with torch.no_grad():
            p = self.prior
        k = torch.randint(len(p.mu), (n,), generator=generator, device=p.mu.device)
        noise = torch.randn(n, self.latent_dim, generator=generator, device=p.mu.device)
        return p.mu[k] + temperature * p.sigma[k] * noise
