"""Outlier detection by a model's scores."""

from __future__ import annotations

from ...data import DATASETS, DatasetInfo
from ...models import LatentModel
from .. import downstream
from ..figures import Figure
from .base import MEASURES, Context, Measure
from .bound import NEGATIVE_ELBO

SCORES = {"squared_error": "squared error", "negative_elbo": NEGATIVE_ELBO.label, "excess": "excess"}
CORRUPTED = {
    "noisy": "noisy",
    "blurred": "blurred",
    "cut": "with a hole",
    "off_centre": "off centre",
    "inverted": "inverted",
    downstream.EMPTY: "an empty image",
}
AUROC = Figure(
    "auroc",
    "AUROC",
    shown=False,
    protocol={"seed": 0, "images": None},
    sentence="area under the ROC curve of {images:,} test images against as many outliers; outliers: another data "
    "set's test images, the same images corrupted, or an empty image; scores: squared error at the posterior mean, "
    "negative ELBO with one posterior sample (seed {seed}), or excess; excess: the negative ELBO minus the entropy of "
    "the image's grey pixels; a higher score marks an outlier",
)


def other_data_sets() -> dict[str, str]:
    """Return {name: noun} of the data sets whose images are outliers for a model of another registered data set."""
    named = (name for info in DATASETS.values() for name in info.out_of_distribution)
    return {name: DATASETS[name].noun for name in named if name in DATASETS}


def kind_labels() -> dict[str, str]:
    """Return {kind: label} of all kinds of outliers: other data sets, corruptions, an empty image."""
    return other_data_sets() | CORRUPTED


def figures_of(score: str, kind: str, label: str) -> tuple[Figure, Figure]:
    """Describe the AUROC and the ROC curve of a score for a kind of outlier."""
    name = f"{label}, by {SCORES[score]}"
    return (
        Figure(
            f"auroc_{score}_{kind}",
            f"AUROC, {name}",
            better="higher",
            baseline=0.5,
            baseline_label="chance",
            # tables show other data sets only, to stay short; the page Uses shows all kinds
            shown=kind not in CORRUPTED,
            of="auroc",
        ),
        Figure(f"roc_{score}_{kind}", f"ROC curve, {name}", of="auroc", shown=False),
    )


@MEASURES.register("anomalies")
class Anomalies(Measure):
    figures = (AUROC,)
    position = 80
    task = "anomalies"

    def derived_figures(self) -> tuple[Figure, ...]:
        kinds = kind_labels().items()
        return tuple(figure for kind, label in kinds for score in SCORES for figure in figures_of(score, kind, label))

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return bool(info.out_of_distribution)

    def measure(self, context: Context) -> dict:
        return downstream.anomalies(context.model, context.info, context.n, context.parameters_of(AUROC)["seed"])
