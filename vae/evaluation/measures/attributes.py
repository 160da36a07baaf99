"""Attribute directions: the share of images whose attribute changes when their code moves along its direction."""

from __future__ import annotations

import numpy as np
import torch

from ... import metrics
from ...data import DatasetInfo
from ...metrics.attributes import PROTOCOL
from ...models import LatentModel
from ...training.loop import mean_codes
from ..figures import Figure
from .base import MEASURES, Context, Measure

FLIPS = Figure(
    "attribute_flips",
    "images whose attribute flips along its direction",
    digits=".1%",
    better="higher",
    baseline="attribute_unmoved",
    baseline_label="reconstruction alone",
    tolerance=1e-2,
    # lengths of the move, in multiples of the direction; the best is chosen on validation images
    protocol={"lengths": (1.5, 1.75, 2.0), "fit": None, "moved": None, "steps": None, "tried": None},
    sentence=PROTOCOL + "; of {tried} times, this length has the highest share of flips on validation images",
)


@MEASURES.register("attributes")
class Attributes(Measure):
    figures = (
        Figure(
            "attribute_flips_least",
            "images whose attribute flips, lowest of all attributes",
            digits=".1%",
            better="higher",
            of="attribute_flips",
        ),
        FLIPS,
        Figure(
            "attribute_unmoved",
            "images whose reconstruction alone flips the attribute",
            digits=".1%",
            of="attribute_flips",
            shown=False,
            tolerance=1e-2,
        ),
        Figure("attribute_steps", "length of the move, in directions", digits="g", of="attribute_flips", shown=False),
        Figure(
            "attribute_others_kept",
            "other attributes kept",
            digits=".1%",
            better="higher",
            of="attribute_flips",
            shown=False,
            tolerance=1e-2,
        ),
    )
    position = 75

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return bool(info.attributes)

    @torch.no_grad()
    def measure(self, context: Context) -> dict:
        model, info = context.model, context.info
        assert info.grid is not None  # attributes are values of its factors
        classifier = metrics.load_classifier(info.name, model.image_shape, info.grid.sizes)
        attributes, lengths = info.attribute_values(), context.parameters_of(FLIPS)["lengths"]

        def judge(x: torch.Tensor) -> torch.Tensor:
            return torch.stack([logits.argmax(1) for logits in classifier(x)], 1)

        def flipped(codes: torch.Tensor, factors: np.ndarray, steps: float) -> metrics.attributes.Flips:
            return metrics.attribute_flips(model, codes, factors, attributes, judge, fit=len(codes) // 2, steps=steps)

        chosen_on = info.load("validation").first(context.n)
        known, factors = torch.from_numpy(mean_codes(model, chosen_on)), chosen_on.factors
        assert factors is not None
        steps = max(lengths, key=lambda steps: min(flipped(known, factors, steps).rates.values()))
        flips = flipped(torch.from_numpy(context.codes), context.factors, steps)
        context.describe(
            FLIPS,
            fit=context.n // 2,
            moved=context.n - context.n // 2,
            steps=steps,
            tried=", ".join(map(str, lengths)),
        )
        return {
            "attribute_flips_least": min(flips.rates.values()),
            "attribute_flips": flips.rates,
            "attribute_unmoved": flips.unmoved,
            "attribute_steps": steps,
            "attribute_others_kept": flips.others_kept,
        }
