"""Out-of-distribution detection: scores of outliers, and their ROC curve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..models import LatentModel
from ..objectives import elbo
from .reconstruction import pixel_entropy

FALSE_POSITIVE_RATES = np.linspace(0, 1, 41)  # of the points of a stored curve


class Scores(NamedTuple):
    """Three outlier scores of N images; a higher score marks an outlier."""

    squared_error: np.ndarray  # (N,) of x_hat at the posterior mean, summed over pixels
    negative_elbo: np.ndarray | None  # (N,) nats, one posterior sample each; None for a point code
    # (N,) nats: negative_elbo minus the entropy of the image's pixels, its lowest possible value. Without the
    # subtraction a light grey garment has a high score because it is grey. None unless the pixels' likelihood is a
    # cross-entropy: a log-density has no such minimum.
    excess: np.ndarray | None


@torch.no_grad()
def outlier_scores(model: LatentModel, x: Tensor, generator: torch.Generator | None = None) -> Scores:
    """Score images x (N, C, H, W) in [0, 1]; a conditional model takes its most likely class.

    A score that is NaN or infinite is replaced by the largest float32.
    """
    y = model.most_likely_class(x) if model.num_classes else None
    out = model(x, y, generator=generator)
    error = ((x - model.decode(out.posterior.mean, y)) ** 2).sum((1, 2, 3))
    if not model.has_elbo:
        return Scores(_finite(error), None, None)
    bound = -elbo(out, x).elbo
    excess = _finite(bound - pixel_entropy(x)) if model.pixels.is_cross_entropy else None
    return Scores(_finite(error), _finite(bound), excess)


def _finite(scores: Tensor) -> np.ndarray:
    most = torch.finfo(torch.float32).max
    return scores.float().nan_to_num(most, most).numpy()


class ROC(NamedTuple):
    """The ROC curve of a score on N inliers and M outliers."""

    auroc: float  # the probability that an outlier scores higher than an inlier; ties count half
    true_positive_rates: np.ndarray  # (41,) at each of FALSE_POSITIVE_RATES


def roc(inliers: np.ndarray, outliers: np.ndarray) -> ROC:
    """Return the ROC curve (Fawcett 2006) of the scores of inliers (N,) and outliers (M,), higher for outliers.

    Raises ValueError unless all scores are finite, and N and M are 1 or more.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    for scores in (inliers, outliers):
        if np.ndim(scores) != 1 or not len(scores) or not np.isfinite(scores).all():
            raise ValueError(f"scores must be finite, of shape (N,), N 1 or more, not of shape {np.shape(scores)}")
    truth = np.concatenate([np.zeros(len(inliers)), np.ones(len(outliers))])
    scores = np.concatenate([inliers, outliers])
    false_positive, true_positive, _ = roc_curve(truth, scores)
    return ROC(float(roc_auc_score(truth, scores)), np.interp(FALSE_POSITIVE_RATES, false_positive, true_positive))
