"""The VQ-VAE (van den Oord et al. 2017): the code is a grid of indices into a codebook.

The encoder's feature map is quantised, position by position, to the nearest vectors of a codebook. The prior over
codes is autoregressive: a small transformer that reads the grid row by row. A code z (B, D) holds the D = h * w
indices as floats, so that it has the type of other codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, constraints

from . import blocks
from .base import (
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
    extremes,
    precise,
)
from .lazy import while_unchanged


@dataclass(frozen=True)
class VQOutput(Output):
    encoded: Tensor  # (B, E, h, w), the encoder's output, with its gradient
    quantised: Tensor  # (B, E, h, w), the nearest vectors of the codebook, without a gradient
    log_prior: Tensor  # (B,) log p(z), from the same pass, so that training may run it in bfloat16


HEADS = 4  # of the prior's attention


class Codebook(nn.Module):
    """Vectors (K, E), moving averages of the encoder outputs assigned to them.

    van den Oord et al. 2017, appendix A.1. A vector with fewer than MIN_ASSIGNMENTS is replaced by a random
    encoder output, so that all are used.
    """

    vectors: Tensor
    counts: Tensor
    sums: Tensor
    DECAY, MIN_ASSIGNMENTS = 0.99, 0.03  # the latter per step, averaged

    def __init__(self, size: int, dim: int):
        super().__init__()
        vectors = torch.randn(size, dim)
        self.register_buffer("vectors", vectors)
        self.register_buffer("counts", torch.ones(size))  # assignments a step, averaged
        self.register_buffer("sums", vectors.clone())  # (K, E) of assigned outputs, averaged

    def nearest(self, encoded: Tensor) -> Tensor:
        """Return the indices (N,) of the vectors nearest to encoded (N, E), computed in float32 or wider."""
        vectors = precise(self.vectors)
        with torch.autocast(encoded.device.type, enabled=False):
            distance = (vectors**2).sum(1) - 2 * precise(encoded) @ vectors.T  # up to |encoded|^2, the same for all
        return distance.argmin(1)

    @torch.no_grad()
    def ema_update(self, encoded: Tensor, indices: Tensor, generator: torch.Generator | None = None) -> None:
        """Update the averages with encoded (N, E), assigned to indices (N,)."""
        encoded = encoded.to(self.sums.dtype)
        counts = torch.bincount(indices, minlength=len(self.counts)).to(self.counts.dtype)
        sums = torch.zeros_like(self.sums).index_add_(0, indices, encoded)
        self.counts.lerp_(counts, 1 - self.DECAY)
        self.sums.lerp_(sums, 1 - self.DECAY)
        unused = self.counts < self.MIN_ASSIGNMENTS
        if unused.any():
            rows = torch.randint(len(encoded), (int(unused.sum()),), generator=generator, device=encoded.device)
            self.sums[unused], self.counts[unused] = encoded[rows], 1.0
        self.vectors.copy_(self.sums / self.counts[:, None])


class Block(nn.Module):
    """A transformer block (Vaswani et al. 2017) in which a position attends to itself and those before it."""

    def __init__(self, width: int, heads: int = HEADS):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, cache: list[Tensor] | None = None) -> Tensor:
        """Return (B, D, width) of x (B, D, width). With a cache of keys and values, x (B, 1, width) is the next
        position; its key and value are appended to the cache."""
        b, d, width = x.shape
        # each (B, heads, D, width / heads)
        q, k, v = self.qkv(self.norm1(x)).view(b, d, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        if cache is not None:
            if cache:
                k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
            cache[:] = [k, v]
        attended = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=cache is None)
        x = x + self.out(attended.transpose(1, 2).reshape(b, d, width))
        return x + self.mlp(self.norm2(x))


class CodePrior(Distribution):
    """p(z) = prod_d p(z_d | z_0 .. z_{d-1}) over codes of D indices below K.

    network: a PriorNetwork.
    """

    arg_constraints = {}
    support = constraints.real_vector

    def __init__(self, network: PriorNetwork, length: int):
        self.network, self.length = network, length
        super().__init__(torch.Size(), torch.Size([length]), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(z) (...) of z (..., D) in nats. Raises ValueError for another shape or other indices."""
        return self._log_p(value).sum((1, 2)).view(value.shape[:-1])

    def log_probs(self, value: Tensor) -> Tensor:
        """Return log p(z_d | z_0 .. z_{d-1}) (..., D) of z (..., D) in nats. Raises as log_prob does."""
        return self._log_p(value).view(value.shape)

    def _log_p(self, value: Tensor) -> Tensor:
        """Return log p(z_d | z_0 .. z_{d-1}) (N, D, 1) of the N codes of z (..., D)."""
        check_codes(value, self)
        size, found = self.network.begin, extremes(value)
        if found and not (found[0] >= 0 and found[1] < size):
            raise ValueError(f"z must hold indices from 0 to {size - 1}, not from {found[0]:g} to {found[1]:g}")
        indices = value.reshape(-1, self.length).long()
        log_p = precise(self.network(indices)).log_softmax(-1)  # (N, D, K)
        return log_p.gather(2, indices[:, :, None])

    @torch.no_grad()
    def sample_codes(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None,
        start: Tensor | None = None, keep: Tensor | None = None,
    ) -> Tensor:
        """Sample codes (n, D), position by position; temperature 0 takes the most probable index each time.

        start (D,), keep (D,) bool: where keep is true, a position has its index in start. A sampled position depends
        on the positions before it, by rows, and not on those kept after it.
        Raises ValueError where only one of start and keep is given.
        """
        if (start is None) != (keep is None):
            given, missing = ("keep", "start") if start is None else ("start", "keep")
            raise ValueError(f"{given} needs {missing}: together they state which positions keep which index")
        device = self.network.places.device
        indices = torch.zeros(n, self.length, dtype=torch.long, device=device)
        cache = self.network.empty_cache()
        for d in range(self.length):
            before = indices[:, d - 1] if d else None
            logits = precise(self.network.step(before, d, n, cache))  # (n, K)
            if start is not None and keep is not None and keep[d]:
                indices[:, d] = start[d].long()
                continue
            if temperature == 0:
                indices[:, d] = logits.argmax(1)
            else:
                p = (logits / temperature).softmax(1)
                indices[:, d] = torch.multinomial(p, 1, generator=generator)[:, 0]
        return indices.to(torch.promote_types(self.network.places.dtype, torch.float32))

    def sample(self, sample_shape: Shape = torch.Size()) -> Tensor:
        shape = torch.Size(sample_shape)
        return self.sample_codes(shape.numel()).view(*shape, self.length)

    @property
    def mean(self) -> Tensor:
        """Return the code of the most probable index at each position in turn: indices have no mean."""
        return while_unchanged(self.network, lambda: self.sample_codes(1, temperature=0)[0]).clone()


class PriorNetwork(nn.Module):
    """A transformer over the indices of a code. `numbers` embeds indices and `places` positions: these names stand in
    stored weights."""

    def __init__(self, codebook: int, length: int, width: int, layers: int):
        super().__init__()
        # the index before the first position
        self.begin = codebook
        self.numbers = nn.Embedding(codebook + 1, width)
        self.places = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, codebook)

    def forward(self, indices: Tensor) -> Tensor:
        """Return logits (B, D', K) of indices (B, D') int, D' <= D."""
        before = nn.functional.pad(indices[:, :-1], (1, 0), value=self.begin)
        x = self.numbers(before) + self.places[: before.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    def empty_cache(self) -> list[list[Tensor]]:
        """Return the cache of `step` before the first position."""
        return [[] for _ in self.blocks]

    def step(self, before: Tensor | None, position: int, n: int, cache: list[list[Tensor]]) -> Tensor:
        """Return logits (n, K) of a position. before (n,): the indices of the previous one, None at the first. cache:
        keys and values of earlier positions, extended here."""
        if before is None:
            before = torch.full((n,), self.begin, device=self.places.device)
        x = self.numbers(before)[:, None] + self.places[position]  # (n, 1, width)
        for block, block_cache in zip(self.blocks, cache, strict=True):
            x = block(x, block_cache)
        return self.head(self.norm(x))[:, 0]


@FAMILIES.register("vqvae")
class VQVAE(LatentModel):
    """The posterior is a point mass: the indices of the vectors nearest to the encoder's output."""

    discrete = deterministic = data_dependent_init = True
    prior_name = "an autoregressive network over the codes, row by row"
    temperature_name = "a divisor of the logits"

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        network: str = "conv"
        codebook: int = 64  # vectors in the codebook ...
        code_dim: int = 16  # ... and their length
        prior_width: int = 64  # width of the autoregressive prior ...
        prior_layers: int = 2  # ... and its number of blocks

        def __post_init__(self) -> None:
            super().__post_init__()
            check_counts(self, "codebook", "code_dim", "prior_width", "prior_layers")
            if self.network != "conv":
                raise ValueError(f"a VQ-VAE needs network 'conv', not {self.network!r}")
            if self.latent_dim != self.grid[0] * self.grid[1]:
                raise ValueError(
                    f"a VQ-VAE of {len(self.channels)} halvings has latent_dim {self.grid[0] * self.grid[1]}, one "
                    f"index for each position, not {self.latent_dim}"
                )
            if self.prior_width % HEADS:
                raise ValueError(f"prior_width must be a multiple of {HEADS} attention heads, not {self.prior_width}")

        @property
        def grid(self) -> tuple[int, int]:
            """(rows, columns) of the code."""
            return blocks.smallest_map(self.image_shape, self.channels)[1:]

    config: Config

    def __init__(self, config: Config):
        super().__init__(config)
        self.grid = config.grid
        channels = (config.image_shape[0], *config.channels)
        self.encoder = nn.Sequential(
            *blocks.halvings(channels), nn.Conv2d(channels[-1], config.code_dim, 1)
        )
        self.codebook = Codebook(config.codebook, config.code_dim)
        self.decoder = nn.Sequential(
            nn.Conv2d(config.code_dim, channels[-1], 3, padding=1), nn.ReLU(),
            *blocks.doublings(channels[::-1]),
        )  # fmt: skip
        self.prior_network = PriorNetwork(
            config.codebook, config.latent_dim, config.prior_width, config.prior_layers
        )

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Set the codebook to encoder outputs at random positions of images x (N, C, H, W)."""
        outputs = self.encoder(x).permute(0, 2, 3, 1).flatten(0, 2)  # (N*h*w, E)
        chosen = torch.randperm(len(outputs), generator=torch.Generator().manual_seed(0))
        found = outputs[chosen[: self.codebook_size]]
        self.codebook.vectors[: len(found)] = found
        self.codebook.sums[: len(found)] = found

    @property
    def codebook_size(self) -> int:
        return self.config.codebook

    @property
    def prior(self) -> CodePrior:
        return CodePrior(self.prior_network, self.latent_dim)

    def encode(self, x: Tensor, y: Tensor | None = None) -> PointMass:
        return PointMass(self._indices(precise(self.encoder(self.as_images(x)))))

    def _indices(self, encoded: Tensor) -> Tensor:
        """Return the indices (B, h*w), as floats, of encoded (B, E, h, w)."""
        vectors = encoded.permute(0, 2, 3, 1).flatten(0, 2)  # (B*h*w, E)
        return self.codebook.nearest(vectors).view(encoded.shape[0], self.latent_dim).to(encoded.dtype)

    def vectors(self, z: Tensor) -> Tensor:
        """Return the vectors (B, E, h, w) of z (B, D), rounded and clamped to valid indices."""
        indices = z.round().long().clamp(0, self.codebook_size - 1)
        return self.codebook.vectors[indices].view(z.shape[0], *self.grid, self.config.code_dim).permute(0, 3, 1, 2)

    def features(self, z: Tensor) -> Tensor:
        return self.vectors(z).flatten(1)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(self.vectors(z))

    def sample(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Sample z (n, D) from the prior; temperature divides the logits of each position.

        Raises ValueError for a temperature that is negative or not finite.
        """
        check_sampling(n, temperature)
        return self.prior.sample_codes(n, temperature, generator)

    def forward(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None,
        refine: Refine | None = None, target: Tensor | None = None,
    ) -> VQOutput:
        encoded = precise(self.encoder(self.as_images(x)))  # (B, E, h, w)
        z = self._indices(encoded)
        quantised = self.vectors(z)
        if self.training:
            vectors = encoded.detach().permute(0, 2, 3, 1).flatten(0, 2)
            self.codebook.ema_update(vectors, z.flatten().long(), generator)
        # straight-through estimator: the decoder's gradient passes to the encoder unchanged
        logits = self.decoder((encoded + (quantised - encoded).detach()).to(self.dtype))
        likelihood, prior = self.pixels(logits, x if target is None else target), self.prior
        return VQOutput(PointMass(z), z, likelihood, prior, encoded, quantised, prior.log_prob(z))
