"""The ground-truth factors of the current image, for data sets rendered from factors."""

from __future__ import annotations

import json

import numpy as np

from vae import ModelCard, latent
from vae.data.base import FactorGrid
from vae.data.factor_images import FactorImages
from vae.training.recipes import completed

from ..shell import cached, state


def known(card: ModelCard) -> bool:
    """Return whether a model's data has ground-truth factors, and its z dimensions to compare with them."""
    return cached.info(card.data).factors is not None and not cached.traits(card.name).discrete


def images() -> FactorGrid | FactorImages | None:
    """Return the images of the current model's data by their factors; None if these are unknown."""
    return cached.factor_images(state.card().data)


def current() -> tuple[np.ndarray, bool]:
    """Return (factor values (K,), whether the current z is the code of the image with these factors).

    A z that is not the code of an image with known factors takes the factors of the test image with the nearest code.
    """
    factors = state.true_factors()
    if factors is not None:
        return np.array(factors), True
    encoded = cached.model_map(state.card().name)
    row, distance = 0, np.inf
    if encoded is not None:
        codes = cached.features(state.card().name)
        nearest, distances = latent.nearest(state.features(state.z()[None]), codes, 1)
        row, distance = int(encoded.rows[nearest[0, 0]]), distances[0, 0]
    # The session rounds z, so the distance to an image's own code is not exactly 0.
    return cached.gallery(state.card().data).factors[row].copy(), bool(distance < 1e-3)


def beta_sweep(cards: list) -> list:
    """Return the largest group of these cards that differ in beta alone, ordered by beta; [] for fewer than three."""
    groups: dict[str, list] = {}
    for card in cards:
        if cached.beta(card) is not None and card.figures.get("kl") is not None:
            # a card lacks recipe fields that were added after it was written
            recipe = completed({**card.recipe, "family": card.family, "data": card.data, "config": card.config})
            weight = recipe["objective"].pop("beta")
            recipe |= {"seed": None, "schedule of beta": {**weight, "end": None} if isinstance(weight, dict) else None}
            groups.setdefault(json.dumps(recipe, sort_keys=True), []).append(card)
    longest = max(groups.values(), key=len, default=[])
    return sorted(longest, key=cached.beta) if len(longest) >= 3 else []
