"""Disentanglement of codes with respect to known factors; <key>_random is the score of standard normal codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import metrics
from ...data import DatasetInfo
from ...metrics import disentanglement as definitions
from ...models import LatentModel
from ..figures import FIGURES, Figure
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
    errors=("mig_error",),
    rank=2,
    brief="MIG {value} (mean codes in {bins} bins; random codes {baseline})",
)
SAP = score("sap", "SAP", definitions.SAP_PROTOCOL, {"C": definitions.SVM_C, "train": None, "test": None})
MODULARITY = score("modularity", "modularity", definitions.BINS_PROTOCOL, BINNED)
FACTOR, BETA = "factor_vae_score", "beta_vae_score"
FACTOR_VAE = score(FACTOR, "FactorVAE score", definitions.VOTES_PROTOCOL, POINTS)
BETA_VAE = score(BETA, "beta-VAE score", definitions.PAIRS_PROTOCOL, POINTS)

ERROR = Figure(
    "mig_error",
    "standard error of MIG",
    group="disentanglement",
    shown=False,
    protocol={"resamples": definitions.RESAMPLES, "images": None},
    sentence=definitions.ERROR_PROTOCOL,
)
ONCE = Figure(
    "mig_once",
    "MIG, each dimension once",
    group="disentanglement",
    better="higher",
    errors=("mig_once_error",),
    protocol={"bins": definitions.BINS},
    sentence=definitions.ONCE_PROTOCOL,
)


@MEASURES.register("disentanglement")
class Disentanglement(Measure):
    figures = (
        *MIG,
        *SAP,
        *MODULARITY,
        *FACTOR_VAE,
        *BETA_VAE,
        ERROR,
        ONCE,
        Figure("mig_once_error", "its standard error", group="disentanglement", of="mig_error", shown=False),
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
        return info.factors is not None and not model.discrete and model.latent_dim > 1

    def measure(self, context: Context) -> dict:
        codes, factors = context.codes, context.factors

        def parameter(key: str, name: str) -> Any:
            return context.parameters_of(FIGURES[key])[name]

        scores: dict[str, Callable[[], Any]] = {
            "mig": lambda: metrics.mig(codes, factors, parameter("mig", "bins")),
            "sap": lambda: metrics.sap(codes, factors),
            "modularity": lambda: metrics.modularity(codes, factors, parameter("modularity", "bins")),
            FACTOR: lambda: metrics.factor_vae_score(codes, factors, parameter(FACTOR, "seed")),
            BETA: lambda: metrics.beta_vae_score(codes, factors, parameter(BETA, "seed")),
        }
        figures: dict[str, Any] = {}
        for key, score in scores.items():
            try:
                result = score()
            except ValueError:
                if context.info.factor_table is None:
                    raise
                continue  # a user's own images may have a single factor, or too few images of a value
            figures[key] = result[0]
            if result.random is not None:  # of codes that have a score
                figures[f"{key}_random"] = result.random
            context.protocol[key] = result.protocol
            if key == "mig":
                context.protocol["mig_once"] = definitions.ONCE_PROTOCOL.format(bins=parameter("mig", "bins"))
                figures |= {
                    "mig_error": result.error,
                    "mig_once": result.once,
                    "mig_once_error": result.once_error,
                    "mig_gaps": list(result.gaps),
                    "mutual_information": result.mutual_information.tolist(),  # (D, K) nats
                    "factor_entropy": result.entropy.tolist(),  # (K,) nats
                }
        return figures
