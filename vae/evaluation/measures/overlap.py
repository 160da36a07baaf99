"""How well reconstructions of binary shapes cover them: the intersection over the union."""

from __future__ import annotations

import torch

from ... import metrics
from ...data import DatasetInfo
from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, Context, Measure

IOU = Figure(
    "iou",
    "overlap of reconstructions (median IoU)",
    better="higher",
    group="factors",
    baseline="iou_mean_image",
    baseline_label="the mean image",
    protocol={"images": None, "split": None},
    sentence="median intersection over union of the pixels above 0.5, {images:,} {split} images and reconstructions",
    brief="median IoU {value}",
)


@MEASURES.register("overlap")
class Overlap(Measure):
    figures = (IOU, Figure("iou_mean_image", "IoU of the mean image", group="factors", of="iou", shown=False))
    position = 85

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.preparation.binary and info.grid is not None

    @torch.no_grad()
    def measure(self, context: Context) -> dict:
        mean = sum((x.sum(0, keepdim=True) for x, _ in context.batches()), torch.zeros(1)) / context.n
        found: dict[str, list[torch.Tensor]] = {"iou": [], "iou_mean_image": []}
        for x, _ in context.batches("reconstructing"):
            for values, x_hat in zip(found.values(), (context.model.reconstruct(x), mean.expand_as(x)), strict=True):
                values.append(metrics.overlap(x, x_hat))
        return {key: float(torch.cat(values).quantile(0.5)) for key, values in found.items()}
