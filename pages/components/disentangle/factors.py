"""The true factors of the current point, for data that is drawn from factors."""

from __future__ import annotations

import json

import numpy as np

from vae import latent
from vae.data.base import FactorGrid
from vae.training.recipes import completed

from ..shell import cached, state


def grid() -> FactorGrid | None:
    """What the current model's data is drawn from; None where the truth is not known."""
    return cached.info(state.card().data).grid


def current() -> tuple[np.ndarray, bool]:
    """(factor values (K,), whether the current point is the code of exactly that image).

    A point that came from elsewhere has no factors: those of the held-out image whose code lies
    nearest stand in.
    """
    drawn = state.true_factors()
    if drawn is not None:
        return np.array(drawn), True
    found = cached.model_map(state.card().name)
    row, distance = 0, np.inf
    if found is not None:
        codes = cached.features(state.card().name)
        nearest, distances = latent.nearest(state.features(state.z()[None]), codes, 1)
        row, distance = int(found.rows[nearest[0, 0]]), distances[0, 0]
    # the session rounds z, so that an image's own code is this far away
    return cached.gallery(state.card().data).factors[row].copy(), bool(distance < 1e-3)


def beta_sweep(cards: list) -> list:
    """The most of these models that differ in beta alone, by beta; [] for fewer than three."""
    alike: dict[str, list] = {}
    for card in cards:
        if cached.beta(card) is not None and card.figures.get("kl") is not None:
            # a card has only the fields of its time
            recipe = completed({**card.recipe, "family": card.family, "data": card.data, "config": card.config})
            weight = recipe["objective"].pop("beta")
            recipe |= {"seed": None, "schedule of beta": {**weight, "end": None} if isinstance(weight, dict) else None}
            alike.setdefault(json.dumps(recipe, sort_keys=True), []).append(card)
    most = max(alike.values(), key=len, default=[])
    return sorted(most, key=cached.beta) if len(most) >= 3 else []
