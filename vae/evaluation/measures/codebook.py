"""The use of a codebook, and a classifier's confidence in samples from the prior over codes."""

from __future__ import annotations

from typing import cast

import torch

from ... import metrics
from ...data import DatasetInfo
from ...metrics.classifier import CONFIDENCE_PROTOCOL
from ...metrics.codes import PROTOCOL
from ...models import LatentModel
from ..figures import Figure
from ..judge import head_sizes
from .base import BATCH, MEASURES, Context, Measure

PERPLEXITY = Figure(
    "perplexity",
    "perplexity of the codes",
    digits=".1f",
    better="higher",
    protocol={"images": None, "positions": None, "vectors": None},
    sentence=PROTOCOL,
    brief="perplexity {value}",
)
CONFIDENCE = Figure(
    "sample_confidence",
    "classifier confidence in samples",
    better="higher",
    baseline="test_confidence",
    baseline_label="in test images",
    protocol={"samples": 2000, "seed": 0, "accuracy": None, "images": None},
    sentence=CONFIDENCE_PROTOCOL,
)


@MEASURES.register("codebook")
class Codebook(Measure):
    figures = (
        Figure(
            "codes_used",
            "codes used",
            digits="d",
            better="higher",
            of="perplexity",
            out_of="codebook",
            brief="{value} codes used",
        ),
        PERPLEXITY,
        CONFIDENCE,
        Figure("test_confidence", "classifier confidence in test images", of="sample_confidence", shown=False),
    )
    position = 25

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return model.discrete

    @torch.no_grad()
    def measure(self, context: Context) -> dict:
        model = context.model
        usage = metrics.code_usage(context.codes, cast(int, model.codebook_size))
        judge = metrics.load_classifier(context.info.name, model.image_shape, head_sizes(context.info))
        parameters = context.parameters_of(CONFIDENCE)
        samples = min(parameters["samples"], context.n)
        z = model.sample(samples, generator=torch.Generator().manual_seed(parameters["seed"]))
        x = torch.cat([model.decode(part) for part in z.split(BATCH)])
        sure = metrics.confidence(judge, x, context.split.batch(range(samples))[0])
        context.protocol |= {"perplexity": usage.protocol, "sample_confidence": sure.protocol}
        return {
            "codes_used": usage.used,
            "perplexity": usage.perplexity,
            "sample_confidence": sure.of_samples,
            "test_confidence": sure.of_test_images,
        }
