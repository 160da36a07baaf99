"""The quantised latent autoencoder (Hsu et al. 2023): each dimension of the code takes one of a few learned values.

Unlike a VQ-VAE's, a codebook holds numbers and belongs to one dimension, so that dimensions keep an order and can be
moved. With a large weight decay, networks have too little freedom to give the same value different meanings.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, constraints

from . import blocks
from .base import (
    ACTIVATIONS,
    FAMILIES,
    LatentModel,
    NetworkConfig,
    Output,
    PointMass,
    Refine,
    Shape,
    check_codes,
    check_counts,
    check_sampling,
    precise,
)

LOWEST, HIGHEST = -0.5, 0.5  # values at the start of training


@dataclass(frozen=True)
class QLAEOutput(Output):
    encoded: Tensor  # (B, D), the encoder's output
    quantised: Tensor  # (B, D), the nearest values, with the codebooks' gradient


class ScalarCodebooks(nn.Module):
    """V values for each of D dimensions, trained by gradients."""

    def __init__(self, dims: int, size: int):
        super().__init__()
        self.values = nn.Parameter(torch.linspace(LOWEST, HIGHEST, size).repeat(dims, 1))  # (D, V)

    def nearest(self, z: Tensor) -> Tensor:
        """Return the indices (..., D) of the values nearest to z (..., D), by absolute distance."""
        return (precise(z)[..., None] - precise(self.values)).abs().argmin(-1)

    def look_up(self, indices: Tensor) -> Tensor:
        """Return the values (..., D) at indices (..., D)."""
        dims, size = self.values.shape
        first = size * torch.arange(dims, device=indices.device)  # of each dimension, in the flattened table
        return precise(self.values).flatten()[indices + first]


class ScalarPrior(Distribution):
    """p(z) = prod_d p(z_d), each a categorical distribution over the values of a dimension.

    logits (D, V). A code that is not of these values has the probability of the nearest ones.
    """

    arg_constraints = {}
    support = constraints.real_vector

    def __init__(self, codebooks: ScalarCodebooks, logits: Tensor):
        self.codebooks, self.logits = codebooks, precise(logits)
        super().__init__(torch.Size(), logits.shape[:1], validate_args=False)

    @property
    def mean(self) -> Tensor:
        return (self.logits.softmax(1) * precise(self.codebooks.values)).sum(1)

    @property
    def variance(self) -> Tensor:
        deviation = precise(self.codebooks.values) - self.mean[:, None]
        return (self.logits.softmax(1) * deviation**2).sum(1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(z) (...) of value (..., D) in nats. Raises ValueError for z of another shape."""
        return self.log_probs(value).sum(-1)

    def log_probs(self, value: Tensor) -> Tensor:
        """Return log p(z_d) (..., D) of value (..., D) in nats. Raises ValueError for z of another shape."""
        check_codes(value, self)
        indices = self.codebooks.nearest(value)
        log_p = self.logits.log_softmax(1).expand(*indices.shape, -1)  # (..., D, V)
        return log_p.gather(-1, indices[..., None])[..., 0]

    @torch.no_grad()
    def sample_codes(self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
        """Sample codes (n, D); temperature 0 takes the most probable value of each dimension."""
        if temperature == 0:
            indices = self.logits.argmax(1).expand(n, -1)
        else:
            p = (self.logits / temperature).softmax(1)  # (D, V)
            # multinomial refuses to take no samples
            found = torch.multinomial(p, max(n, 1), replacement=True, generator=generator)
            indices = found[:, :n].T
        return self.codebooks.look_up(indices)

    def sample(self, sample_shape: Shape = torch.Size()) -> Tensor:
        shape = torch.Size(sample_shape)
        return self.sample_codes(shape.numel()).view(*shape, len(self.logits))


class ModulatedDecoder(nn.Module):
    """A convolutional decoder in which the code sets the mean and the scale of every feature map.

    z (B, D) -> logits (B, C, H, W). Adaptive instance normalisation (Huang & Belongie 2017), as in StyleGAN (Karras et
    al. 2019) and in the QLAE's paper.
    """

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.smallest = blocks.smallest_map(config.image_shape, config.channels)
        widths = (config.latent_dim, *config.decoder)
        self.activation = ACTIVATIONS[config.activation]()
        layers: list[nn.Module] = []
        for width_in, width_out in pairwise(widths):
            layers += [nn.Linear(width_in, width_out), self.activation]
        self.dense = nn.Sequential(*layers)
        self.start = nn.Parameter(torch.randn(self.smallest))
        channels = (*config.channels[::-1], config.image_shape[0])
        self.doublings = nn.ModuleList(
            nn.ConvTranspose2d(channels_in, channels_out, 4, stride=2, padding=1)
            for channels_in, channels_out in pairwise(channels)
        )
        # of the feature maps before each doubling: a scale and a mean for each
        self.styles = nn.ModuleList(nn.Linear(widths[-1], 2 * n) for n in channels[:-1])

    def forward(self, z: Tensor) -> Tensor:
        style = self.dense(z)  # (B, width)
        h = self.start.expand(z.shape[0], *self.smallest)  # len() would fix the batch size in an exported network
        for modulate, double in zip(self.styles, self.doublings, strict=True):
            scale, mean = modulate(style)[:, :, None, None].chunk(2, 1)  # each (B, channels, 1, 1)
            h = double(self.activation((1 + scale) * normalised(h) + mean))
        return h


def normalised(h: Tensor) -> Tensor:
    """Return feature maps (B, C, h, w) with mean 0 and variance 1 in each map."""
    centred = h - h.mean((2, 3), keepdim=True)
    return centred * (centred.square().mean((2, 3), keepdim=True) + 1e-5).rsqrt()


@FAMILIES.register("qlae")
class QLAE(LatentModel):
    """The posterior is a point mass at the values nearest to the encoder's output.

    Decoding a code first moves each dimension to its nearest value. The gradient passes this step, and that of the
    encoder, unchanged (straight-through estimator).
    """

    deterministic = True
    prior_name = "independent categorical distributions over the values of each dimension"
    temperature_name = "a divisor of the logits"
    centre_name = "code"

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        codebook: int = 10  # values of each dimension
        modulated: bool = False  # whether the code modulates every layer of the decoder, see ModulatedDecoder

        def __post_init__(self) -> None:
            super().__post_init__()
            check_counts(self, "codebook")
            if self.modulated and self.network != "conv":
                raise ValueError(f"a modulated decoder needs network 'conv', not {self.network!r}")

    config: Config

    def __init__(self, config: Config):
        super().__init__(config)
        self.encoder = blocks.encoder(config, outputs=config.latent_dim)
        self.codebooks = ScalarCodebooks(config.latent_dim, config.codebook)
        self.decoder = ModulatedDecoder(config) if config.modulated else blocks.decoder(config)
        self.prior_logits = nn.Parameter(torch.zeros(config.latent_dim, config.codebook))

    @property
    def values(self) -> Tensor:
        return self.codebooks.values.detach().sort(1).values

    @property
    def prior(self) -> ScalarPrior:
        return ScalarPrior(self.codebooks, self.prior_logits)

    def quantise(self, z: Tensor) -> Tensor:
        """Return the values (B, D) nearest to z (B, D)."""
        return self.codebooks.look_up(self.codebooks.nearest(z))

    def encode(self, x: Tensor, y: Tensor | None = None) -> PointMass:
        encoded = precise(self.encoder(self.as_images(x)))
        return PointMass(straight_through(encoded, self.quantise(encoded)))

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(straight_through(z, self.quantise(z)).to(self.dtype))

    def sample(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Sample z (n, D) from the prior; temperature divides the logits of each dimension.

        Raises ValueError for a temperature that is negative or not finite.
        """
        check_sampling(n, temperature)
        return self.prior.sample_codes(n, temperature, generator)

    def forward(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None,
        refine: Refine | None = None, target: Tensor | None = None,
    ) -> QLAEOutput:
        encoded = precise(self.encoder(self.as_images(x)))  # (B, D)
        quantised = self.quantise(encoded)
        logits = self.decoder(straight_through(encoded, quantised).to(self.dtype))
        z = quantised.detach()
        likelihood = self.pixels(logits, x if target is None else target)
        return QLAEOutput(PointMass(z), z, likelihood, self.prior, encoded, quantised)


def straight_through(encoded: Tensor, quantised: Tensor) -> Tensor:
    """Return `quantised`, with the gradient of `encoded` (Bengio et al. 2013)."""
    if not encoded.requires_grad:
        return quantised
    return quantised.detach() + (encoded - encoded.detach())  # in this order, rounding changes no value
