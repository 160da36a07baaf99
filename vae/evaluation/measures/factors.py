"""Whether reconstructions keep each known factor, and whether codes hold it."""

from __future__ import annotations

from ... import metrics
from ...data import DatasetInfo
from ...metrics.factors import HELD_PROTOCOL, chance, train_rows
from ...models import LatentModel
from ..figures import Figure
from ..judge import has_judge
from .base import MEASURES, Context, Measure

KEPT = Figure(
    "factors_kept",
    "kept by reconstructions",
    group="factors",
    better="higher",
    baseline="factors_kept_originals",
    baseline_label="on originals",
    protocol={"images": None, "split": None, "accuracy": None},
    sentence="a classifier trained on originals (mean test accuracy {accuracy:.3f}) reads the reconstructions of "
    "{images:,} {split} images. The score is the accuracy for classes and R2 of its expected value for ordered "
    "factors. For angles and hues it is the mean R2 of cosine and sine",
)
HELD = Figure(
    "factors_held",
    "held by codes",
    group="factors",
    better="higher",
    baseline="factors_chance",
    baseline_label="chance",
    tolerance=0.01,  # the order of sums in the trees depends on the number of processors
    protocol={"train": None, "test": None},
    sentence=HELD_PROTOCOL,
)


@MEASURES.register("factors_kept")
class FactorsKept(Measure):
    figures = (
        KEPT,
        Figure("factors_kept_originals", "kept by originals", group="factors", of="factors_kept", shown=False),
    )
    position = 86

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.factors is not None and has_judge(info)

    def measure(self, context: Context) -> dict:
        factors, values, readings = context.info.factors, context.factors, context.readings
        assert factors is not None  # see applies
        context.describe(KEPT, accuracy=readings.accuracy)
        return {
            "factors_kept": metrics.kept(readings.reconstructions, factors, values),
            "factors_kept_originals": metrics.kept(readings.originals, factors, values),
        }


@MEASURES.register("factors_held")
class FactorsHeld(Measure):
    figures = (HELD, Figure("factors_chance", "chance", group="factors", of="factors_held", shown=False))
    position = 87

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.factors is not None and not model.discrete

    def measure(self, context: Context) -> dict:
        factors, values = context.info.factors, context.factors
        assert factors is not None  # see applies
        context.report("fitting trees to codes", 0.0)
        found = metrics.held(context.codes, factors, values)
        if not found:
            return {}  # a user's own images may have too few of a value
        cut = train_rows(context.n)
        context.describe(HELD, train=cut, test=context.n - cut)
        by_chance = chance(factors, values)
        return {"factors_held": found, "factors_chance": {name: by_chance[name] for name in found}}
