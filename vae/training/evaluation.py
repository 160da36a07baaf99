"""The figures of a card, measured on the test split, each with its protocol."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from ..data import DATASETS
from ..metrics import Terms, active_units, average_terms, mig
from ..models import LatentModel

BATCH = 500


def evaluate(
    model: LatentModel, data: str, limit: int | None = None, progress: bool = False
) -> tuple[dict, dict]:
    """(figures, protocol) of a model on the test split of a data set, or on its first `limit`.

    Nats, sums over pixels and dimensions, means over images.
    """
    split = DATASETS[data].load("test")
    n = min(limit or len(split), len(split))
    starts = tqdm(range(0, n, BATCH), desc="evaluate", unit="batch", disable=not progress)
    terms = average_terms(model, (split.batch(range(i, min(i + BATCH, n))) for i in starts))
    figures = {"test_images": n, "recon": terms.recon}
    protocol = {
        "recon": f"-log p(x|z) in nats, {n} test images, one posterior draw each (seed 0)",
    }
    if model.latent_kind == "gaussian":
        figures |= {
            "kl": terms.kl,
            "negative_elbo": terms.recon + terms.kl,
            "kl_per_dim": terms.kl_per_dim.tolist(),
        }
        protocol["kl"] = f"KL(q(z|x) || p(z)) in nats, analytic, {n} test images"
    active = active_units(terms.means)
    figures["active_units"] = active.active_units
    protocol["active_units"] = f"variance of the posterior mean above 0.01, {n} test images"
    if split.factors is not None:
        figures |= _disentanglement(terms, split.factors[:n])
        protocol["mig"] = (
            f"mean codes of {n} test images, 20 equal-width bins, nats (disentanglement_lib); "
            "mig_random: the same for standard normal codes (seed 0)"
        )
    return figures, protocol


def _disentanglement(terms: Terms, factors: np.ndarray) -> dict:
    random_codes = np.random.RandomState(0).standard_normal(terms.means.shape)
    return {
        "mig": mig(terms.means, factors).mig,
        "mig_random": mig(random_codes, factors).mig,
    }
