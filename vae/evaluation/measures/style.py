"""Style consistency: how well one z keeps its style over all characters."""

from __future__ import annotations

from ... import metrics
from ...data import DatasetInfo
from ...metrics.style import PROTOCOL, SOURCES
from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, Context, Measure

DISTANCE = Figure(
    "style_distance",
    "style distance (0 best, 1 no style kept)",
    better="lower",
    baseline="style_distance_permuted",
    baseline_label="another style's z",
    protocol={"sources": SOURCES, "seed": 0, "characters": None, "styles": None, "others": None},
    sentence=PROTOCOL,
)


@MEASURES.register("style")
class Style(Measure):
    figures = (
        DISTANCE,
        Figure(
            "style_retrieval",
            "style retrieval accuracy",
            digits=".1%",
            better="higher",
            of="style_distance",
            baseline="style_retrieval_permuted",
            baseline_label="another style's z",
        ),
        Figure("style_distance_permuted", "style distance of another style's z", of="style_distance", shown=False),
        Figure(
            "style_retrieval_permuted",
            "style retrieval accuracy of another style's z",
            digits=".1%",
            of="style_distance",
            shown=False,
        ),
        Figure(
            "style_retrieval_chance",
            "style retrieval accuracy by chance",
            digits=".1%",
            of="style_distance",
            shown=False,
        ),
    )
    position = 60

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.by_style is not None

    def measure(self, context: Context) -> dict:
        if not context.whole:  # part of the images contains no style in all its characters
            return {}
        assert context.info.by_style is not None  # see applies
        parameters = context.parameters_of(DISTANCE)
        images = context.info.by_style(context.on)[1]
        found = metrics.style_consistency(context.model, images, parameters["sources"], parameters["seed"])
        context.protocol["style_distance"] = found.protocol
        figures = {k: v for k, v in found._asdict().items() if k not in ("protocol", "chance")}
        return figures | {"style_retrieval_chance": found.chance}
