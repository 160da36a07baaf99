"""Candidate recipes: `python -m vae sweep NAME` trains these in preference to recipes.py.

After `python -m vae adopt NAME`, the recipe replaces the one in recipes.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..objectives import BetaTCVAE, BetaVAE, Schedule
from .recipes import RECIPES, Recipe, nearest

MILLION = 1_000_000

def steps(images: float, batch_size: int) -> int:
    """Return the number of steps that train on so many millions of images."""
    return int(images * MILLION / batch_size)

def find(name: str) -> Recipe:
    """Return the recipe that a sweep of this name trains. Raises ValueError for an unknown name."""
    if name in CANDIDATES:
        return CANDIDATES[name]
    if name in RECIPES:
        return RECIPES[name]
    raise ValueError(f"there is no recipe {name!r}; the nearest are {nearest(name, {**RECIPES, **CANDIDATES})}")

def retrained(name: str, **changes: Any) -> Recipe:
    """Return a shipped model's recipe with a validation split, a constant learning rate, averaged
    weights and these changes."""
    current = dict(split="train", schedule="constant", ema=True, note="")
    return replace(RECIPES[name], **{**current, **changes})

CANDIDATES = {
    "sprites-btcvae": retrained(
        "sprites-btcvae",
        title="Sprites, beta-TCVAE, beta 6, 10-D",
        description="Only the total correlation is penalised: the KL is left as it is.",
        steps=steps(10, 64),
        objective=BetaTCVAE(Schedule(6.0, start=60.0, steps=12_000)),
    ),
    "rooms-ada": retrained("rooms-ada", steps=steps(4, 64)),
    # The same initial weights, which draw every shape, so that beta decides what is left. With a weight that falls
    # from 60, even beta 1 kept four active dimensions and an IoU of 0.81.
    **{
        f"sprites-beta{beta}": retrained(
            f"sprites-beta{beta}", description=words, config=RECIPES["sprites-vae"].config, starts_from="sprites-vae",
            steps=steps(1.5, 64), seed=0, objective=BetaVAE(float(beta)),
        )
        for beta, words in {
            1: "The plain VAE, trained longer: the first of three models that differ in beta only.",
            4: "The plain VAE, trained longer with four times the weight on the KL.",
            16: "The plain VAE, trained longer with sixteen times the weight on the KL.",
        }.items()
    },
    "mnist-vae-2d": retrained("mnist-vae-2d", steps=20_000),
    "mnist-vae-16d": retrained("mnist-vae-16d", steps=40_000),
    "mnist-beta4": retrained(
        "mnist-beta4", description="Same as the 16-D VAE, with four times the weight on the KL.", steps=40_000
    ),
    "mnist-dvae": retrained(
        "mnist-dvae", description="Trained to reconstruct clean digits from noisy ones, with the plain VAE's networks."
    ),
    **{
        name: retrained(name, steps=steps(5, 128))
        for name in ("mnist-vae-bin", "mnist-vamp", "mnist-iaf", "mnist-ladder")
    },
    "rooms-vae": retrained("rooms-vae", steps=steps(4, 64)),
    # one schedule for all three, so that only the training images differ
    "faces-vae": retrained("faces-vae", steps=steps(2, 64)),
    **{
        f"faces-{split}": retrained("faces-vae", title=title, description=words, split=split, steps=steps(2, 64))
        for split, title, words in (
            (
                "skewed", "Faces, VAE of skewed data, 32-D",
                "Each skin colour has half as many training images as the next paler one.",
            ),
            (
                "reweighted", "Faces, VAE of reweighted data, 32-D",
                "Trained on the same faces as the VAE of skewed data, with equal weight for each skin colour.",
            ),
        )
    },
    "faces-vaegan": retrained("faces-vaegan"),
    "glyphs-cvae": retrained("glyphs-cvae"),
    "mnist-vqvae": retrained("mnist-vqvae"),
}
