"""The figures of a card, measured on the test split, each with its protocol."""

from __future__ import annotations

import functools

import numpy as np
from tqdm import tqdm

from .. import metrics
from ..data import DATASETS
from ..models import LatentModel

BATCH = 500


def evaluate(
    model: LatentModel,
    data: str,
    limit: int | None = None,
    with_dci: bool = True,
    progress: bool = False,
) -> tuple[dict, dict]:
    """(figures, protocol) of a model on the test split of a data set, or on its first `limit`.

    Nats, sums over pixels and dimensions, means over images. with_dci: DCI takes minutes where
    the data's factors are known.
    """
    split = DATASETS[data].load("test")
    n = min(limit or len(split), len(split))
    starts = tqdm(range(0, n, BATCH), desc="evaluate", unit="batch", disable=not progress)
    terms = metrics.average_terms(model, (split.batch(range(i, min(i + BATCH, n))) for i in starts))
    figures = {"test_images": n, "recon": terms.recon, "recon_floor": terms.recon_floor}
    protocol = {
        "recon": f"-log p(x|z) in nats, {n} test images, one posterior draw each (seed 0)",
        "recon_floor": "what recon would be if x_hat were x: more than 0 for pixels between 0 and 1",
    }
    if model.latent_kind == "gaussian":
        figures |= {
            "kl": terms.kl,
            "negative_elbo": terms.recon + terms.kl,
            "kl_per_dim": terms.kl_per_dim.tolist(),
        }
        protocol["kl"] = f"KL(q(z|x) || p(z)) in nats, analytic, {n} test images"
    active = metrics.active_units(terms.means)
    figures["active_units"] = active.active_units
    protocol["active_units"] = f"variance of the posterior mean above 0.01, {n} test images"
    if split.factors is not None:
        measured, told = disentanglement(terms.means, split.factors[:n], with_dci, progress)
        figures |= measured
        protocol |= told
    return figures, protocol


def disentanglement(
    codes: np.ndarray, factors: np.ndarray, with_dci: bool = True, progress: bool = False
) -> tuple[dict, dict]:
    """(figures, protocol) of mean codes (N, D) against factors (N, K); <name>_random is what
    standard normal codes get."""
    found = {
        "mig": metrics.mig(codes, factors),
        "sap": metrics.sap(codes, factors),
        "modularity": metrics.modularity(codes, factors),
        "factor_vae_score": metrics.factor_vae_score(codes, factors),
        "beta_vae_score": metrics.beta_vae_score(codes, factors),
    }
    figures = {}
    for name, result in found.items():
        figures |= {name: result[0], f"{name}_random": result.random}
    figures |= {
        "mig_gaps": list(found["mig"].gaps),
        "mutual_information": found["mig"].mutual_information.tolist(),  # (D, K) nats
        "factor_entropy": found["mig"].entropy.tolist(),  # (K,) nats
    }
    correlation = metrics.total_correlation(codes)
    figures["total_correlation"] = correlation.total_correlation
    protocol = {name: result.protocol for name, result in found.items()}
    protocol["total_correlation"] = correlation.protocol
    if with_dci:
        trees = metrics.dci(codes, factors, baseline=False, progress=progress, jobs=-1)
        figures |= {
            "dci": trees.disentanglement,
            "dci_completeness": trees.completeness,
            "dci_informativeness": trees.informativeness,
            "dci_random": _dci_of_random_codes(codes.shape, factors.tobytes(), factors.shape),
        }
        protocol["dci"] = trees.protocol
    return figures, protocol


@functools.cache  # minutes, and the same for every model of a data set
def _dci_of_random_codes(shape: tuple, factors: bytes, factors_shape: tuple) -> float:
    codes = np.random.RandomState(0).standard_normal(shape)
    values = np.frombuffer(factors, np.int64).reshape(factors_shape)
    return metrics.dci(codes, values, baseline=False, jobs=-1).disentanglement
