"""Fairness: the share of images that lose an attribute when they are reconstructed, by group."""

from __future__ import annotations

import numpy as np
import torch

from ... import metrics
from ...data import DatasetInfo
from ...models import LatentModel
from ..figures import Figure
from ..judge import has_judge, head_sizes
from .base import MEASURES, Context, Measure

LOST = Figure(
    "attribute_lost",
    "reconstructions that lose an attribute, by group",
    digits=".1%",
    better="lower",
    shown=False,
    tolerance=1e-2,
    protocol={"images": None, "group": None, "least": None, "originals": None},
    sentence="share of the {images:,} test images with the attribute in whose reconstruction a classifier does not "
    "find it, by {group}; at least {least:,} images in each group; the classifier misses the attribute in at most "
    "{originals:.1%} of a group's originals",
)


@MEASURES.register("fairness")
class Fairness(Measure):
    figures = (
        Figure(
            "attribute_lost_gap",
            "lost attributes, largest difference between two groups",
            digits=".1%",
            better="lower",
            of="attribute_lost",
            tolerance=1e-2,
        ),
        LOST,
    )
    position = 76

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return bool(info.group and groups_attributes(info)) and has_judge(info)

    @torch.no_grad()
    def measure(self, context: Context) -> dict:
        info, factors = context.info, context.factors
        assert info.factors is not None  # of which the group is one
        judge = metrics.load_classifier(info.name, context.model.image_shape, head_sizes(info))
        read: list[torch.Tensor] = []
        originals: list[torch.Tensor] = []
        for x, _ in context.batches("reading reconstructions"):
            for images, found in ((context.model.reconstruct(x), read), (x, originals)):
                found.append(torch.stack([logits.argmax(1) for logits in judge(images)], 1))
        attributes, group = groups_attributes(info), info.factors.names.index(info.group)
        lost, missed = (
            metrics.lost_by_group(torch.cat(found).numpy(), factors, attributes, group) for found in (read, originals)
        )
        counts = [
            np.bincount(factors[np.isin(factors[:, k], values), group], minlength=info.factors.sizes[group])
            for k, values in attributes.values()
        ]
        names = info.factors.values[group]
        context.describe(
            LOST, group=info.group, least=int(np.min(counts)),
            originals=max(share for shares in missed.values() for share in shares.values()),
        )  # fmt: skip
        return {
            "attribute_lost_gap": max(max(shares.values()) - min(shares.values()) for shares in lost.values()),
            "attribute_lost": {
                name: {names[value]: share for value, share in shares.items()} for name, shares in lost.items()
            },
        }


def groups_attributes(info: DatasetInfo) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Return the attributes as indices, see DatasetInfo.attribute_values, without those that say which group it is."""
    return {
        name: indices for name, indices in info.attribute_values().items() if info.attributes[name][0] != info.group
    }
