"""Measures of a trained model. Codes are (N, D) float, factors (N, K) int, results named tuples of floats."""

from .anomaly import FALSE_POSITIVE_RATES, Scores, outlier_scores, roc
from .attributes import attribute_flips
from .classifier import confidence, load_classifier
from .codes import code_usage
from .disentanglement import (
    active_units,
    beta_vae_score,
    dci,
    discretise,
    factor_vae_score,
    mig,
    modularity,
    sap,
    total_correlation,
)
from .likelihood import importance_nll
from .memorisation import nearest_images
from .reconstruction import Terms, average_terms, multiscale_distance, psnr, sharpness
from .report import Report, report
from .style import style_consistency

__all__ = [
    "FALSE_POSITIVE_RATES",
    "Report",
    "Scores",
    "Terms",
    "active_units",
    "attribute_flips",
    "average_terms",
    "beta_vae_score",
    "code_usage",
    "confidence",
    "dci",
    "discretise",
    "factor_vae_score",
    "outlier_scores",
    "importance_nll",
    "load_classifier",
    "mig",
    "modularity",
    "multiscale_distance",
    "nearest_images",
    "psnr",
    "report",
    "roc",
    "sap",
    "sharpness",
    "style_consistency",
    "total_correlation",
]
