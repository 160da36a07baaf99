"""Training objectives: pure functions in terms.py (nats, one value per example), and one file per objective."""

import sys

from ..registry import import_all
from .ada_gvae import AdaGVAE
from .base import FLAT_FIELDS, OBJECTIVES, Batch, Objective, PiecewiseConstant, Schedule, read
from .beta_tcvae import BetaTCVAE
from .beta_vae import BetaVAE
from .capacity_vae import CapacityVAE
from .factor_vae import FactorVAE
from .free_bits import FreeBits
from .iwae import IWAE
from .m2 import SemiSupervised
from .qlae import QuantisedLatent
from .terms import ELBO, elbo, gaussian_kl, total_correlation
from .vae_gan import AdversarialVAE
from .vq_vae import VectorQuantised

import_all(sys.modules[__name__])

__all__ = [
    "ELBO", "FLAT_FIELDS", "IWAE", "OBJECTIVES", "AdaGVAE", "AdversarialVAE", "Batch", "BetaTCVAE", "BetaVAE",
    "CapacityVAE", "FactorVAE", "FreeBits", "Objective", "PiecewiseConstant", "QuantisedLatent", "Schedule",
    "SemiSupervised", "VectorQuantised", "elbo", "gaussian_kl", "read", "total_correlation",
]  # fmt: skip
