"""Model families, one a file. FAMILIES is the registry: a card's "family" is a key of it."""

from .ae import Autoencoder
from .base import Config, LatentModel, Output
from .cvae import ConditionalVAE
from .dvae import DenoisingVAE
from .flow import FlowVAE
from .ladder import LadderVAE
from .m2 import M2
from .vae import VAE
from .vaegan import VAEGAN
from .vamp import VampVAE
from .vqvae import VQVAE

FAMILIES = {
    "ae": Autoencoder,
    "vae": VAE,
    "cvae": ConditionalVAE,
    "vamp": VampVAE,
    "iaf": FlowVAE,
    "ladder": LadderVAE,
    "vqvae": VQVAE,
    "vaegan": VAEGAN,
    "m2": M2,
    "dvae": DenoisingVAE,
}

__all__ = ["FAMILIES", "Config", "LatentModel", "Output"]
