"""Variational autoencoders and related models: trained, measured, ready to explore.

    import vae
    vae.available()                  # cards of the shipped models
    model = vae.load("mnist-vae-2d")
    q = model.encode(x)              # q(z | x)
    x_hat = model.decode(q.mean)
"""

from . import data, latent, metrics, objectives, uploads
from .store import ModelCard, ModelUnavailable, available, load

__all__ = [
    "ModelCard", "ModelUnavailable", "available", "data", "latent", "load", "metrics",
    "objectives", "uploads",
]  # fmt: skip
