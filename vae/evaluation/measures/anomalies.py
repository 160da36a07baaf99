"""Outlier detection by a model's scores."""

from __future__ import annotations

from ...data import DATASETS, DatasetInfo
from ...models import LatentModel
from .. import downstream
from ..figures import Figure
from .base import MEASURES, Context, Measure
from .bound import NEGATIVE_ELBO

SCORES = {"squared_error": "squared error", "negative_elbo": NEGATIVE_ELBO.label, "excess": "excess"}
OTHERS = {name: DATASETS[name].noun for info in DATASETS.values() for name in info.out_of_distribution}
KINDS = OTHERS | {  # of outliers: another data set's images, corrupted images, or an empty picture
    "noisy": "noisy",
    "blurred": "blurred",
    "cut": "with a hole",
    "off_centre": "off centre",
    "inverted": "inverted",
    downstream.EMPTY: "an empty picture",
}
AUROC = Figure(
    "auroc",
    "AUROC",
    shown=False,
    protocol={"seed": 0, "images": None},
    sentence="area under the ROC curve of {images:,} test images against as many outliers (another data set's test "
    "images, the same images corrupted, or an empty picture) by squared error at the posterior mean, by negative ELBO "
    "with one posterior sample (seed {seed}), or by excess, the negative ELBO minus the entropy of the image's grey "
    "pixels; a higher score marks an outlier",
)


def figures_of(score: str, kind: str) -> tuple[Figure, Figure]:
    name = f"{KINDS[kind]}, by {SCORES[score]}"
    return (
        Figure(
            f"auroc_{score}_{kind}",
            f"AUROC, {name}",
            better="higher",
            baseline=0.5,
            baseline_label="chance",
            # tables are long enough with the other data set alone; the page Uses shows all
            shown=kind in OTHERS,
            of="auroc",
        ),
        Figure(f"roc_{score}_{kind}", f"ROC curve, {name}", of="auroc", shown=False),
    )


@MEASURES.register("anomalies")
class Anomalies(Measure):
    figures = (AUROC, *(figure for kind in KINDS for score in SCORES for figure in figures_of(score, kind)))
    position = 80
    task = "anomalies"

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return bool(info.out_of_distribution)

    def measure(self, context: Context) -> dict:
        return downstream.anomalies(context.model, context.info, context.n, context.parameters_of(AUROC)["seed"])
