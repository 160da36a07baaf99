"""Recipes on trial: what `python -m vae sweep NAME` trains where a name stands here.

Once `python -m vae adopt NAME` has taken in a run's weights, its recipe replaces the one in recipes.py.
"""

from __future__ import annotations

from dataclasses import replace

from .recipes import RECIPES, SPRITES_CONFIG, Recipe, nearest

MILLION = 1_000_000

def steps(images: float, batch_size: int) -> int:
    """Return the steps in which so many millions of images are seen."""
    return int(images * MILLION / batch_size)

def find(name: str) -> Recipe:
    """Return the recipe that a sweep of this name trains. Raises ValueError, with the nearest names."""
    if name in CANDIDATES:
        return CANDIDATES[name]
    if name in RECIPES:
        return RECIPES[name]
    raise ValueError(f"there is no recipe {name!r}; the nearest are {nearest(name, {**RECIPES, **CANDIDATES})}")

def retrained(name: str, **changes) -> Recipe:
    """Return a shipped model's recipe with a validation split, a constant learning rate, averaged
    weights and these changes."""
    now = dict(split="train", schedule="constant", ema=True, note="")
    return replace(RECIPES[name], **{**now, **changes})

CANDIDATES = {
    "sprites-ada": retrained(
        "sprites-ada",
        title="Sprites, Ada-GVAE, 10-D",
        description="Trained on pairs of images that differ in one factor; the model is not told which.",
        config=SPRITES_CONFIG,
        starts_from="sprites-vae",
        steps=steps(4, 64),
    ),
}
