"""Disentanglement of codes with respect to known factors; <key>_random is the score of standard normal codes."""

from __future__ import annotations

from typing import Any

from ... import metrics
from ...data import DatasetInfo
from ...metrics import disentanglement as definitions
from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, Context, Measure

BINNED = {"bins": definitions.BINS, "images": None}
POINTS = {
    "seed": 0,
    "train": definitions.TRAIN_POINTS,
    "test": definitions.TEST_POINTS,
    "batch": definitions.BATCH,
    "images": None,
}


def score(key: str, label: str, sentence: str, protocol: dict, **rest: Any) -> tuple[Figure, Figure]:
    """Describe a score between 0 and 1, and the same score of random codes."""
    return (
        Figure(
            key,
            label,
            group="disentanglement",
            better="higher",
            baseline=f"{key}_random",
            baseline_label="random codes",
            protocol=protocol,
            sentence=sentence,
            **rest,
        ),
        Figure(f"{key}_random", f"{label} of random codes", group="disentanglement", of=key, shown=False),
    )


MIG = score(
    "mig",
    "MIG",
    definitions.BINS_PROTOCOL,
    BINNED,
    rank=2,
    brief="MIG {value} (mean codes in {bins} bins; random codes {baseline})",
)
SAP = score("sap", "SAP", definitions.SAP_PROTOCOL, {"C": definitions.SVM_C, "train": None, "test": None})
MODULARITY = score("modularity", "modularity", definitions.BINS_PROTOCOL, BINNED)
FACTOR_VAE = score("factor_vae_score", "FactorVAE score", definitions.VOTES_PROTOCOL, POINTS)
BETA_VAE = score("beta_vae_score", "beta-VAE score", definitions.PAIRS_PROTOCOL, POINTS)


@MEASURES.register("disentanglement")
class Disentanglement(Measure):
    figures = (
        *MIG,
        *SAP,
        *MODULARITY,
        *FACTOR_VAE,
        *BETA_VAE,
        Figure("mig_gaps", "gap of each factor", group="disentanglement", of="mig", shown=False),
        Figure(
            "mutual_information",
            "mutual information of dimensions and factors",
            "nats",
            group="disentanglement",
            of="mig",
            shown=False,
        ),
        Figure("factor_entropy", "entropy of the factors", "nats", group="disentanglement", of="mig", shown=False),
    )
    position = 90

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.factors is not None and not model.discrete

    def measure(self, context: Context) -> dict:
        codes, factors = context.codes, context.factors
        parameters = {figure.key: context.parameters_of(figure) for figure in self.figures}
        mig = metrics.mig(codes, factors, parameters["mig"]["bins"])
        found: dict[str, Any] = {
            "mig": mig,
            "sap": metrics.sap(codes, factors),
            "modularity": metrics.modularity(codes, factors, parameters["modularity"]["bins"]),
            "factor_vae_score": metrics.factor_vae_score(codes, factors, parameters["factor_vae_score"]["seed"]),
            "beta_vae_score": metrics.beta_vae_score(codes, factors, parameters["beta_vae_score"]["seed"]),
        }
        figures: dict[str, Any] = {}
        for key, result in found.items():
            figures |= {key: result[0], f"{key}_random": result.random}
            context.protocol[key] = result.protocol
        return figures | {
            "mig_gaps": list(mig.gaps),
            "mutual_information": mig.mutual_information.tolist(),  # (D, K) nats
            "factor_entropy": mig.entropy.tolist(),  # (K,) nats
        }
