"""Active units: dimensions whose posterior mean varies over the data."""

from __future__ import annotations

from ... import metrics
from ...data import DatasetInfo
from ...metrics.disentanglement import ACTIVE
from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, Context, Measure

ACTIVE_UNITS = Figure(
    "active_units",
    "active dimensions",
    digits="d",
    group="code",
    out_of="latent_dim",
    protocol={"threshold": ACTIVE, "centre": None, "images": None, "split": None},
    sentence="dimensions whose {centre} has a variance above {threshold} over {images:,} {split} images",
    brief="{value} dimensions active",
)


@MEASURES.register("active_units")
class ActiveUnits(Measure):
    figures = (ACTIVE_UNITS,)
    position = 20

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return not model.discrete

    def measure(self, context: Context) -> dict:
        threshold = context.parameters_of(ACTIVE_UNITS)["threshold"]
        context.describe(ACTIVE_UNITS, centre=context.model.centre_name)
        return {"active_units": metrics.active_units(context.codes, threshold).active_units}
