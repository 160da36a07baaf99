"""Telling foreign images from familiar ones by what a model makes of them: out-of-distribution detection."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor

from ..models import LatentModel
from ..objectives import elbo
from .reconstruction import pixel_entropy

FALSE_ALARMS = np.linspace(0, 1, 41)  # false positive rates at which a stored curve has its points


class Scores(NamedTuple):
    """How foreign each of N images is to a model, by three measures; more is more foreign."""

    squared_error: np.ndarray  # (N,) of x_hat at the posterior mean, summed over pixels
    negative_elbo: np.ndarray | None  # (N,) nats, one posterior draw each; None for a point code
    # (N,) nats: the same, less the entropy of the image's own pixels, the least that any model could pay for
    # grey ones. With it, a light grey garment is foreign for being grey.
    excess: np.ndarray | None


@torch.no_grad()
def foreignness(model: LatentModel, x: Tensor, generator: torch.Generator | None = None) -> Scores:
    """x (N, C, H, W) in [0, 1]; a conditional model takes the class that it finds likeliest.

    A score that is NaN or infinite counts as the highest there is.
    """
    y = model.most_likely_class(x) if model.num_classes else None
    out = model(x, y, generator=generator)
    error = ((x - model.decode(out.posterior.mean, y)) ** 2).sum((1, 2, 3))
    if not model.has_elbo:
        return Scores(_finite(error), None, None)
    bound = -elbo(out, x).elbo
    return Scores(_finite(error), _finite(bound), _finite(bound - pixel_entropy(x)))


def _finite(scores: Tensor) -> np.ndarray:
    most = torch.finfo(torch.float32).max
    return scores.float().nan_to_num(most, most).numpy()


class ROC(NamedTuple):
    """How well a score tells M foreign images from N familiar ones."""

    auroc: float  # the chance that a foreign image scores higher than a familiar one; ties count half
    hits: np.ndarray  # (41,) true positive rate, at each of FALSE_ALARMS


def roc(familiar: np.ndarray, foreign: np.ndarray) -> ROC:
    """familiar (N,), foreign (M,): scores, more for what seems more foreign (Fawcett 2006).

    Raises ValueError unless both are finite numbers, one or more.
    """
    for scores in (familiar, foreign):
        if np.ndim(scores) != 1 or not len(scores) or not np.isfinite(scores).all():
            raise ValueError(f"scores must be finite, of shape (N,), N 1 or more, not of shape {np.shape(scores)}")
    truth = np.concatenate([np.zeros(len(familiar)), np.ones(len(foreign))])
    scores = np.concatenate([familiar, foreign])
    false_alarms, hits, _ = roc_curve(truth, scores)
    return ROC(float(roc_auc_score(truth, scores)), np.interp(FALSE_ALARMS, false_alarms, hits))
