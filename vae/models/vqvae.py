"""The VQ-VAE (van den Oord et al. 2017): the code is a grid of numbers, each that of a vector.

The encoder's map of vectors is replaced, place by place, by the nearest vectors of a codebook. What
codes are likely is learnt by an autoregressive prior, a small transformer that reads the grid row
by row. A code z (B, D) holds the D = h * w numbers as floats, so that it travels as others do.
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
    check_codes,
    check_counts,
    check_temperature,
    precise,
)
from .lazy import while_unchanged


@dataclass(frozen=True)
class VQOutput(Output):
    encoded: Tensor  # (B, E, h, w), what the encoder says, with its gradient
    quantised: Tensor  # (B, E, h, w), the nearest vectors of the codebook, without one
    log_prior: Tensor  # (B,) log p(z), from the same pass, so that training may run it in bfloat16


HEADS = 4  # of the prior's attention


class Codebook(nn.Module):
    """Vectors (K, E) that follow, as moving averages, what the encoder assigns to them.

    van den Oord et al. 2017, appendix A.1. A vector to which next to nothing is assigned is put
    where a random output of the encoder is, so that none is lost.
    """

    decay, least = 0.99, 0.03  # of the assignments a step: fewer than `least` is next to nothing

    def __init__(self, size: int, dim: int):
        super().__init__()
        vectors = torch.randn(size, dim)
        self.register_buffer("vectors", vectors)
        self.register_buffer("counts", torch.ones(size))  # assignments a step, averaged
        self.register_buffer("sums", vectors.clone())  # (K, E) of what was assigned, averaged

    def nearest(self, encoded: Tensor) -> Tensor:
        """encoded (N, E) -> numbers (N,) of the nearest vectors, in float32 or wider wherever it is called."""
        vectors = precise(self.vectors)
        with torch.autocast(encoded.device.type, enabled=False):
            distance = (vectors**2).sum(1) - 2 * precise(encoded) @ vectors.T  # but for |encoded|^2
        return distance.argmin(1)

    @torch.no_grad()
    def follow(self, encoded: Tensor, numbers: Tensor, generator: torch.Generator | None = None) -> None:
        """One step of the averages: encoded (N, E) were assigned to numbers (N,)."""
        encoded = encoded.to(self.sums.dtype)
        counts = torch.bincount(numbers, minlength=len(self.counts)).to(self.counts.dtype)
        sums = torch.zeros_like(self.sums).index_add_(0, numbers, encoded)
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        idle = self.counts < self.least
        if idle.any():
            rows = torch.randint(len(encoded), (int(idle.sum()),), generator=generator, device=encoded.device)
            self.sums[idle], self.counts[idle] = encoded[rows], 1.0
        self.vectors.copy_(self.sums / self.counts[:, None])


class Block(nn.Module):
    """A transformer block (Vaswani et al. 2017) in which each place sees those before it."""

    def __init__(self, width: int, heads: int = HEADS):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, past: list[Tensor] | None = None) -> Tensor:
        """x (B, D, width) -> the same; or x (B, 1, width), the place after those whose keys and
        values are in past, to which its own are added."""
        b, d, width = x.shape
        # each (B, heads, D, width / heads)
        q, k, v = self.qkv(self.norm1(x)).view(b, d, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        if past is not None:
            if past:
                k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
            past[:] = [k, v]
        attended = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=past is None)
        x = x + self.out(attended.transpose(1, 2).reshape(b, d, width))
        return x + self.mlp(self.norm2(x))


class CodePrior(Distribution):
    """p(z) = prod_d p(z_d | z_0 .. z_{d-1}) over codes of D numbers below K.

    network: a PriorNetwork.
    """

    arg_constraints = {}
    support = constraints.real_vector

    def __init__(self, network: nn.Module, length: int):
        self.network, self.length = network, length
        super().__init__(torch.Size(), torch.Size([length]), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """z (..., D) -> (...) in nats. Raises ValueError for z of another shape."""
        check_codes(value, self)
        numbers = value.reshape(-1, self.length).long()
        log_p = precise(self.network(numbers)).log_softmax(-1)  # (N, D, K)
        return log_p.gather(2, numbers[:, :, None]).sum((1, 2)).view(value.shape[:-1])

    @torch.no_grad()
    def draw(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None,
        start: Tensor | None = None, keep: Tensor | None = None,
    ) -> Tensor:
        """n codes (n, D), place after place; temperature 0 takes the likeliest number each time.

        start (D,), keep (D,) bool: places that stay as they are. A place that is drawn knows of
        those before it, by rows, and not of those that are kept after it.
        """
        device = self.network.places.device
        numbers = torch.zeros(n, self.length, dtype=torch.long, device=device)
        past = self.network.nothing()
        for d in range(self.length):
            before = numbers[:, d - 1] if d else None
            logits = precise(self.network.step(before, d, n, past))  # (n, K)
            if keep is not None and keep[d]:
                numbers[:, d] = start[d].long()
                continue
            if temperature == 0:
                numbers[:, d] = logits.argmax(1)
            else:
                p = (logits / temperature).softmax(1)
                numbers[:, d] = torch.multinomial(p, 1, generator=generator)[:, 0]
        return numbers.to(torch.promote_types(self.network.places.dtype, torch.float32))

    def sample(self, sample_shape=torch.Size()) -> Tensor:
        shape = torch.Size(sample_shape)
        return self.draw(shape.numel()).view(*shape, self.length)

    @property
    def mean(self) -> Tensor:
        """The code of the likeliest number at each place in turn: numbers have no mean."""
        return while_unchanged(self.network, lambda: self.draw(1, temperature=0)[0]).clone()


class PriorNetwork(nn.Module):
    def __init__(self, codebook: int, length: int, width: int, layers: int):
        super().__init__()
        # number `codebook` stands for "nothing yet", before the first place
        self.begin = codebook
        self.numbers = nn.Embedding(codebook + 1, width)
        self.places = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, codebook)

    def forward(self, numbers: Tensor) -> Tensor:
        """numbers (B, D') int, D' <= D -> logits (B, D', K)."""
        before = nn.functional.pad(numbers[:, :-1], (1, 0), value=self.begin)
        x = self.numbers(before) + self.places[: before.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    def nothing(self) -> list[list[Tensor]]:
        """What `step` has seen before the first place."""
        return [[] for _ in self.blocks]

    def step(self, before: Tensor | None, place: int, n: int, past: list[list[Tensor]]) -> Tensor:
        """Logits (n, K) of one place from the numbers before it (n,), None at the first; what
        earlier steps saw is in past, so that nothing is computed twice."""
        if before is None:
            before = torch.full((n,), self.begin, device=self.places.device)
        x = self.numbers(before)[:, None] + self.places[place]  # (n, 1, width)
        for block, seen in zip(self.blocks, past):
            x = block(x, seen)
        return self.head(self.norm(x))[:, 0]


@FAMILIES.register("vqvae")
class VQVAE(LatentModel):
    """The posterior is a point: the numbers of the vectors nearest to what the encoder says."""

    discrete = deterministic = data_dependent_init = True
    prior_name = "an autoregressive network over the codes, row by row"
    temperature_name = "logits divided by"

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        network: str = "conv"
        codebook: int = 64  # vectors in the codebook ...
        code_dim: int = 16  # ... and their length
        prior_width: int = 64  # of the autoregressive prior's network ...
        prior_layers: int = 2  # ... and how many blocks it has

        def __post_init__(self):
            super().__post_init__()
            check_counts(self, "codebook", "code_dim", "prior_width", "prior_layers")
            if self.network != "conv":
                raise ValueError(f"a VQ-VAE needs network 'conv', not {self.network!r}")
            if self.latent_dim != self.grid[0] * self.grid[1]:
                raise ValueError(
                    f"a VQ-VAE of {len(self.channels)} halvings has latent_dim {self.grid[0] * self.grid[1]}, one index "
                    f"for each position, not {self.latent_dim}"
                )
            if self.prior_width % HEADS:
                raise ValueError(f"prior_width must be a multiple of its {HEADS} attention heads, not {self.prior_width}")

        @property
        def grid(self) -> tuple[int, int]:
            """(rows, columns) of the code."""
            return blocks.smallest_map(self.image_shape, self.channels)[1:]

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
        """Let the codebook begin as what the encoder says of places in images x (N, C, H, W)."""
        places = self.encoder(x).permute(0, 2, 3, 1).flatten(0, 2)  # (N*h*w, E)
        chosen = torch.randperm(len(places), generator=torch.Generator().manual_seed(0))
        found = places[chosen[: self.codebook_size]]
        self.codebook.vectors[: len(found)] = found
        self.codebook.sums[: len(found)] = found

    @property
    def codebook_size(self) -> int:
        return self.config.codebook

    @property
    def prior(self) -> CodePrior:
        return CodePrior(self.prior_network, self.latent_dim)

    def encode(self, x: Tensor, y: Tensor | None = None) -> PointMass:
        return PointMass(self._numbers(precise(self.encoder(self.as_images(x)))))

    def _numbers(self, encoded: Tensor) -> Tensor:
        """(B, E, h, w) -> (B, h*w), as floats."""
        places = encoded.permute(0, 2, 3, 1).flatten(0, 2)  # (B*h*w, E)
        return self.codebook.nearest(places).view(len(encoded), self.latent_dim).to(encoded.dtype)

    def vectors(self, z: Tensor) -> Tensor:
        """z (B, D) -> the vectors it names (B, E, h, w); numbers that are none become the nearest."""
        numbers = z.round().long().clamp(0, self.codebook_size - 1)
        return self.codebook.vectors[numbers].view(len(z), *self.grid, self.config.code_dim).permute(0, 3, 1, 2)

    def features(self, z: Tensor) -> Tensor:
        return self.vectors(z).flatten(1)

    def decode_logits(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(self.vectors(z))

    def sample(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """n draws from the prior -> z (n, D); temperature divides the logits of each place.

        Raises ValueError for a temperature that is negative or not finite.
        """
        check_temperature(temperature)
        return self.prior.draw(n, temperature, generator)

    def forward(self, x, y=None, generator=None, refine=None) -> VQOutput:
        encoded = precise(self.encoder(self.as_images(x)))  # (B, E, h, w)
        z = self._numbers(encoded)
        quantised = self.vectors(z)
        if self.training:
            places = encoded.detach().permute(0, 2, 3, 1).flatten(0, 2)
            self.codebook.follow(places, z.flatten().long(), generator)
        # straight through: the decoder's gradient passes to the encoder as if nothing had been rounded
        logits = self.decoder((encoded + (quantised - encoded).detach()).to(self.dtype))
        prior = self.prior
        return VQOutput(
            PointMass(z), z, self.pixels(logits, x), prior, encoded, quantised, prior.log_prob(z)
        )
