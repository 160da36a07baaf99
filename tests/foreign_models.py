"""Networks as researchers bring them: none follows this project's interface. Weights are random, from a seed."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn
from torch.distributions import Independent, Normal

SIDE = 16


def images(n=40, channels=1, seed=0):
    """Blobs at random places: x (n, channels, SIDE, SIDE) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    centre = 4 + 8 * torch.rand(n, 2, 1, 1, generator=generator)
    grid = torch.arange(SIDE).float()
    squared = (grid[None, None, :] - centre[:, 0]) ** 2 + (grid[None, :, None] - centre[:, 1]) ** 2
    colour = 0.5 + 0.5 * torch.rand(n, channels, 1, 1, generator=generator)
    return colour * (-squared / 12).exp()[:, None]


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        first, second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.body = nn.Sequential(first, nn.ReLU(), second)

    def forward(self, x):
        return x + self.body(x)


def mlp(dims=4, pixels=SIDE * SIDE, width=32):
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, width), nn.Tanh(), nn.Linear(width, dims))
    decoder = nn.Sequential(
        nn.Linear(dims, width), nn.Tanh(), nn.Linear(width, pixels), nn.Sigmoid(), nn.Unflatten(1, (1, SIDE, SIDE))
    )
    return encoder, decoder


def batch_norm():
    """Batch norm in both networks, in training mode, as it comes out of a training loop."""
    encoder = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 16),
        nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3),
    )  # fmt: skip
    decoder = nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, SIDE * SIDE), nn.Sigmoid())
    return encoder.train(), decoder.train()


def residual():
    """Convolutions with residual connections, whose deconvolution ends in a sigmoid."""
    encoder = nn.Sequential(
        nn.Conv2d(1, 8, 4, 2, 1), Residual(8), nn.SiLU(), nn.Conv2d(8, 8, 4, 2, 1), Residual(8), nn.Flatten(),
        nn.Linear(8 * 16, 6),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(6, 8 * 16), nn.Unflatten(1, (8, 4, 4)), Residual(8), nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.GELU(),
        Residual(8), nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Sigmoid(),
    )  # fmt: skip
    return encoder, decoder


class TupleVAE(nn.Module):
    """One module with two methods, whose encode returns (mu, logvar)."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 32), nn.ReLU())
        self.mu, self.logvar = nn.Linear(32, 4), nn.Linear(32, 4)
        self.out = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, SIDE * SIDE))

    def encode(self, x):
        h = self.body(x)
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.out(z).sigmoid().view(-1, 1, SIDE, SIDE)


def tuple_output():
    model = TupleVAE()
    return model.encode, model.decode


class DistributionEncoder(nn.Module):
    """Returns a torch Distribution."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 10))

    def forward(self, x):
        mu, raw = self.net(x).chunk(2, 1)
        return Independent(Normal(mu, nn.functional.softplus(raw) + 1e-3, validate_args=False), 1, validate_args=False)


def distribution():
    return DistributionEncoder(), mlp(5)[1]


class KL(nn.Module):
    """The interface of diffusers' AutoencoderKL: a spatial code, images in [-1, 1], outputs in objects."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.GroupNorm(4, 16), nn.SiLU(), Residual(16), nn.Conv2d(16, 8, 3, 2, 1)
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(4, 16, 3, padding=1), Residual(16), nn.GroupNorm(4, 16), nn.SiLU(), nn.Upsample(scale_factor=2),
            nn.Conv2d(16, 16, 3, padding=1), nn.SiLU(), nn.Upsample(scale_factor=2), nn.Conv2d(16, 3, 3, padding=1),
        )  # fmt: skip

    def encode(self, x):
        mean, logvar = self.encoder(x).chunk(2, 1)
        std = (0.5 * logvar.clamp(-30, 20)).exp()
        return SimpleNamespace(latent_dist=SimpleNamespace(mean=mean, std=std, mode=lambda: mean))

    def decode(self, z):
        return SimpleNamespace(sample=self.decoder(z))


def autoencoder_kl():
    return KL()


def float64():
    encoder, decoder = mlp(3)
    return encoder.double(), decoder.double()


def mlp_512():
    return mlp(512, width=64)


class Spectral(nn.Module):
    """A layer that the browser's runtime has no operation for."""

    def forward(self, x):
        return torch.fft.rfft2(x).abs()


def unknown_layer():
    encoder = nn.Sequential(Spectral(), nn.Flatten(), nn.Linear(SIDE * (SIDE // 2 + 1), 3))
    return encoder, nn.Sequential(nn.Linear(3, SIDE * SIDE), Cumulative(), nn.Sigmoid())


class Cumulative(nn.Module):
    def forward(self, x):
        return torch.cumsum(x, 1) / 8


MODELS = {
    function.__name__: function for function in (
        batch_norm, residual, tuple_output, distribution, autoencoder_kl, float64, mlp_512, unknown_layer,
    )
}  # fmt: skip
NOT_PORTABLE = {"unknown_layer"}
ALONG_DIRECTIONS = {"autoencoder_kl", "mlp_512"}


def build(name):
    """Return a model, and images that it takes as its author has them."""
    torch.manual_seed(0)
    model = MODELS[name]()
    return model, 2 * images(channels=3) - 1 if name == "autoencoder_kl" else images()
