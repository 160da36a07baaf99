"""Variational autoencoders and related models: trained, measured, ready to explore.

    import vae
    vae.available()                  # cards of the shipped models
    model = vae.load("mnist-vae-2d")
    q = model.encode(x)              # q(z | x)
    x_hat = model.decode(q.mean)
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from .cards import ModelCard, ModelUnavailable
from .store import Store, available, load

if TYPE_CHECKING:
    from . import data, latent, metrics, models, objectives, uploads

__all__ = [
    "ModelCard", "ModelUnavailable", "Store", "available", "data", "latent", "load", "metrics", "models",
    "objectives", "uploads",
]  # fmt: skip


def __getattr__(name: str) -> ModuleType:
    """Import a module of the package when it is first used: torch takes over a second, and cards do not need it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f".{name}", __name__)
