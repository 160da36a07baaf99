"""Variational autoencoders and related models: trained, measured, ready to explore.

    import vae
    vae.available()                  # cards of the shipped models
    model = vae.load("mnist-vae-2d")
    q = model.encode(x)              # q(z | x)
    x_hat = model.decode(q.mean)
    vae.explore((encoder, decoder), images)  # the latent space of your own networks
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .cards import ModelCard, ModelUnavailable
from .store import Store, available, load

if TYPE_CHECKING:
    from . import data, latent, metrics, models, objectives, uploads
    from .explorer import explore
    from .watching import watch

__all__ = [
    "ModelCard", "ModelUnavailable", "Store", "available", "data", "explore", "latent", "load", "metrics", "models",
    "objectives", "uploads", "watch",
]  # fmt: skip


FUNCTIONS = {"explore": "explorer", "watch": "watching"}  # and their modules


def __getattr__(name: str) -> Any:
    """Import a module of the package when it is first used: torch takes over a second, and cards do not need it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in FUNCTIONS:
        return getattr(importlib.import_module(f".{FUNCTIONS[name]}", __name__), name)
    return importlib.import_module(f".{name}", __name__)
