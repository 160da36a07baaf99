"""Measures of a trained model. Codes are (N, D) float, factors (N, K) int, results named floats."""

from .disentanglement import (
    active_units,
    beta_vae_score,
    dci,
    factor_vae_score,
    mig,
    modularity,
    sap,
    total_correlation,
)
from .likelihood import importance_nll
from .reconstruction import Terms, average_terms

__all__ = [
    "Terms",
    "active_units",
    "average_terms",
    "beta_vae_score",
    "dci",
    "factor_vae_score",
    "importance_nll",
    "mig",
    "modularity",
    "sap",
    "total_correlation",
]
