"""Measures of a trained model. Codes are (N, D) float, factors (N, K) int, results named tuples of floats."""

from .anomaly import FALSE_POSITIVE_RATES, Scores, outlier_scores, roc
from .attributes import attribute_flips, lost_by_group
from .checking import discretise
from .classifier import confidence, load_classifier
from .codes import code_usage
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
from .factors import held, kept, owners
from .generation import PrecisionRecall, frechet_distance, precision_recall
from .infomec import InfoMEC, infomec
from .likelihood import importance_nll
from .memorisation import nearest_images
from .reconstruction import Terms, average_terms, multiscale_distance, overlap, psnr, sharpness
from .report import Report, report
from .style import style_consistency

__all__ = [
    "FALSE_POSITIVE_RATES",
    "InfoMEC",
    "PrecisionRecall",
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
    "frechet_distance",
    "held",
    "importance_nll",
    "infomec",
    "kept",
    "load_classifier",
    "lost_by_group",
    "mig",
    "modularity",
    "multiscale_distance",
    "nearest_images",
    "outlier_scores",
    "overlap",
    "owners",
    "precision_recall",
    "psnr",
    "report",
    "roc",
    "sap",
    "sharpness",
    "style_consistency",
    "total_correlation",
]
