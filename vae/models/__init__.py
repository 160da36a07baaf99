"""Model families, one a file. FAMILIES is the registry: a card's "family" is a key of it."""

from .ae import Autoencoder
from .base import Config, LatentModel, Output
from .cvae import ConditionalVAE
from .vae import VAE

FAMILIES = {
    "ae": Autoencoder,
    "vae": VAE,
    "cvae": ConditionalVAE,
}

__all__ = ["FAMILIES", "Config", "LatentModel", "Output"]
