"""InfoMEC: modularity, compactness and explicitness of codes, and which dimension owns each factor."""

from __future__ import annotations

import functools

import numpy as np

from ... import metrics
from ...data import DatasetInfo
from ...metrics.factors import OWNS
from ...metrics.infomec import ESTIMATES, INFOMEC_PROTOCOL, scores_of_random_codes
from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, Context, Measure

SCORES = {"infom": "InfoM", "infoc": "InfoC", "infoe": "InfoE"}
PROTOCOL = {"images": None, "estimate": None}
OWNERS = Figure(
    "owners",
    "the dimension that owns each factor",
    group="disentanglement",
    shown=False,
    protocol={"share": OWNS, "estimate": None},
    sentence="the active dimension with the most information about a factor, if it has at least {share:g} times that "
    "of the second. Mutual information is estimated by {estimate}",
)


@MEASURES.register("infomec")
class InfoMECScores(Measure):
    figures = (
        *(
            Figure(
                key,
                label,
                group="disentanglement",
                better="higher",
                baseline=f"{key}_random",
                baseline_label="random codes",
                tolerance=5e-3,  # the logistic regression may stop at other weights on another processor
                brief=label + " {value}",
                **({"protocol": PROTOCOL, "sentence": INFOMEC_PROTOCOL} if key == "infom" else {"of": "infom"}),
            )
            for key, label in SCORES.items()
        ),
        *(
            Figure(f"{key}_random", f"{label} of random codes", group="disentanglement", of="infom", shown=False)
            for key, label in SCORES.items()
        ),
        Figure(
            "nmi",
            "mutual information of dimensions and factors over the factor's entropy",
            group="disentanglement",
            of="infom",
            shown=False,
        ),
        OWNERS,
    )
    position = 89  # before MIG

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.factors is not None and not model.discrete

    def measure(self, context: Context) -> dict:
        try:
            found = metrics.infomec(context.codes, context.factors, baseline=False)
        except ValueError:
            if context.info.factor_table is None:
                raise
            return {}  # a user's own images may have a single factor, or too few images of a value
        context.protocol["infom"] = found.protocol
        context.describe(OWNERS, estimate=ESTIMATES[found.discrete])
        scores = dict(zip(SCORES, found[:3], strict=True))
        random = {f"{key}_random": value for key, value in zip(SCORES, _of_random_codes(context, found), strict=True)}
        return {
            **scores,
            **random,
            "nmi": [[None if value != value else value for value in row] for row in found.nmi.tolist()],  # (D, K)
            "owners": list(metrics.owners(found.nmi, found.active)),
        }


def _of_random_codes(context: Context, found: metrics.InfoMEC) -> tuple[float, float, float]:
    if found.discrete:
        return scores_of_random_codes(context.codes, context.factors, discrete=True)
    return _of_continuous_random_codes(context.codes.shape, context.factors.tobytes(), context.factors.shape)


@functools.cache  # the same for every model with as many dimensions
def _of_continuous_random_codes(shape: tuple, factors: bytes, factors_shape: tuple) -> tuple[float, float, float]:
    values = np.frombuffer(factors, np.int64).reshape(factors_shape)
    return scores_of_random_codes(np.zeros(shape), values, discrete=False)
