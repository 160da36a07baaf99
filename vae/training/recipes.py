"""One recipe per shipped model: the very hyperparameters behind the weights in pretrained/."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

from ..models import Config


@dataclass(frozen=True)
class Recipe:
    title: str
    description: str
    family: str  # a key of models.FAMILIES
    data: str  # a key of data.DATASETS
    config: Config
    steps: int  # optimiser steps
    batch_size: int = 128  # per process
    learning_rate: float = 1e-3  # the peak; cosine to 0 after a linear warm-up
    warmup_steps: int = 200
    objective: str = "elbo"  # "elbo", or "beta_tcvae" where beta weighs the total correlation
    beta: float = 1.0  # weight of the KL
    seed: int = 0

    def learning_rate_at(self, step: int) -> float:
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        progress = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return self.learning_rate * 0.5 * (1 + cos(pi * progress))


DIGITS = (1, 28, 28)
SPRITES = (1, 64, 64)
# after Burgess et al. 2018, one dense layer fewer on each side
SPRITES_CONFIG = Config(
    SPRITES, latent_dim=10, network="conv", encoder=(256,), decoder=(256,), channels=32
)

RECIPES = {
    "mnist-vae-2d": Recipe(
        title="Digits, VAE, 2-D",
        description="Two dimensions: the whole latent space fits on a page.",
        family="vae",
        data="mnist",
        config=Config(DIGITS, latent_dim=2, encoder=(256, 128), decoder=(128, 128, 256)),
        steps=60_000,
    ),
    "mnist-ae-2d": Recipe(
        title="Digits, autoencoder, 2-D",
        description="A plain autoencoder: sharp codes, but nothing keeps the space between them filled.",
        family="ae",
        data="mnist",
        config=Config(DIGITS, latent_dim=2, encoder=(256, 128), decoder=(128, 128, 256)),
        steps=40_000,
    ),
    "mnist-vae-16d": Recipe(
        title="Digits, VAE, 16-D",
        description="Sixteen dimensions: sharper digits, and a space too large to see at once.",
        family="vae",
        data="mnist",
        config=Config(DIGITS, latent_dim=16, encoder=(256, 128), decoder=(128, 256)),
        steps=60_000,
    ),
    "mnist-cvae": Recipe(
        title="Digits, conditional VAE, 8-D",
        description="The class is given, so the latent space is left with style: slant, width, stroke.",
        family="cvae",
        data="mnist",
        config=Config(
            DIGITS, latent_dim=8, encoder=(256, 128), decoder=(128, 256), num_classes=10
        ),
        steps=60_000,
    ),
    "fashion-vae-16d": Recipe(
        title="Clothes, VAE, 16-D",
        description="Shirts, shoes and bags: one space that runs from sandal to coat.",
        family="vae",
        data="fashion-mnist",
        config=Config(DIGITS, latent_dim=16, encoder=(256, 128), decoder=(128, 256)),
        steps=60_000,
    ),
    "sprites-vae": Recipe(
        title="Sprites, VAE, 10-D",
        description="Shapes with known factors. With beta 1 the factors mix across dimensions.",
        family="vae",
        data="sprites",
        config=SPRITES_CONFIG,
        steps=48_000,
        batch_size=64,
    ),
    "sprites-beta4": Recipe(
        title="Sprites, beta-VAE, beta 4, 10-D",
        description="The KL weighs four times as much: fewer dimensions carry, and edges soften.",
        family="vae",
        data="sprites",
        config=SPRITES_CONFIG,
        steps=48_000,
        batch_size=64,
        beta=4.0,
    ),
    "sprites-btcvae": Recipe(
        title="Sprites, beta-TCVAE, beta 6, 10-D",
        description="Only what dimensions share is punished: scale gets one to itself, x and y still share theirs.",
        family="vae",
        data="sprites",
        config=SPRITES_CONFIG,
        steps=30_000,
        batch_size=128,  # its estimate of q(z) lives on the batch
        objective="beta_tcvae",
        beta=6.0,
    ),
}
