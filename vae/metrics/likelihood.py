"""The marginal likelihood log p(x), estimated by importance sampling."""

from __future__ import annotations

from collections.abc import Iterable
from math import log
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..models import LatentModel
from ..models.base import reparametrise

FLOATS = 2**19  # decoded pixels at a time; a chunk that fits into the processor's cache is faster


class NLL(NamedTuple):
    """-log p(x) in nats, summed over pixels: an upper bound that tightens with the number of samples."""

    nll: float  # mean over images
    standard_error: float  # of that mean, over images; it does not include the gap of the bound
    per_image: np.ndarray  # (N,)
    protocol: str


@torch.no_grad()
def importance_nll(
    model: LatentModel,
    batches: Iterable[tuple[Tensor, Tensor]],
    samples: int = 5000,
    seed: int = 0,
) -> NLL:
    """Estimate -log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x), with z_k sampled from the posterior (Burda et al. 2016).

    batches: (x (B, C, H, W), y (B,)). samples: K for each image, decoded in chunks, so that memory does not grow with
    K. With a Bernoulli likelihood the result is a log-probability for binary pixels only.
    Raises ValueError for a point posterior, which has no density, for samples below 1 and for no images.
    """
    if samples < 1:
        raise ValueError(f"importance sampling needs one sample or more, not {samples}")
    if model.deterministic:
        raise ValueError("a deterministic code has no density to sample from")
    found, prior, generator = [], model.prior, torch.Generator().manual_seed(seed)
    for x, y in batches:
        labels = y if model.num_classes else None
        posterior, b = model.encode(x, labels), len(x)
        chunk = max(1, FLOATS // max(1, x.numel()))
        total = torch.full((b,), -torch.inf, dtype=torch.float64)
        for first in range(0, samples, chunk):
            n = min(chunk, samples - first)
            z = reparametrise(posterior, torch.randn(n, b, model.latent_dim, generator=generator))  # (n, B, D)
            repeated = None if labels is None else labels.repeat(n)
            likelihood = model.likelihood(z.flatten(0, 1), repeated)
            log_p_x = likelihood.log_prob(x.repeat(n, 1, 1, 1)).view(n, b)
            log_weight = log_p_x + prior.log_prob(z) - posterior.log_prob(z)
            total = torch.logaddexp(total, log_weight.double().logsumexp(0))
        found.append(log(samples) - total)
    if not sum(map(len, found)):
        raise ValueError("there are no images to measure")
    per_image = torch.cat(found).numpy()
    error = float(per_image.std(ddof=1) / len(per_image) ** 0.5) if len(per_image) > 1 else 0.0
    protocol = f"importance sampling, {samples:,} posterior samples per image (seed {seed}), {len(per_image):,} images"
    return NLL(float(per_image.mean()), error, per_image, protocol)
