"""The sharpness of reconstructions."""

from __future__ import annotations

import torch

from ... import metrics
from ...data import DatasetInfo
from ...models import LatentModel
from ..figures import Figure
from .base import BATCH, MEASURES, Context, Measure


@MEASURES.register("sharpness")
class Sharpness(Measure):
    figures = (
        Figure(
            "sharpness",
            "sharpness of reconstructions",
            digits=".4f",
            better="higher",
            baseline="sharpness_of_images",
            baseline_label="the images",
            protocol={"images": None},
            sentence="variance of the Laplacian of x_hat at the posterior mean, mean over {images:,} test images",
        ),
        Figure("sharpness_of_images", "sharpness of the images", digits=".4f", of="sharpness", shown=False),
    )
    position = 70

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return bool(info.attributes) or info.factors is None

    @torch.no_grad()
    def measure(self, context: Context) -> dict:
        model, sharp, true = context.model, [], []
        for z, (x, y) in zip(torch.from_numpy(context.codes).split(BATCH), context.batches(), strict=True):
            sharp.append(metrics.sharpness(model.decode(z, y if model.num_classes else None)))
            true.append(metrics.sharpness(x))
        return {
            "sharpness": float(torch.cat(sharp).double().mean()),
            "sharpness_of_images": float(torch.cat(true).double().mean()),
        }
