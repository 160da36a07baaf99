"""Fairness: lost attributes and the error of reconstructions, by group."""

from __future__ import annotations

import numpy as np
import torch

from ... import metrics
from ...data import DatasetInfo
from ...metrics.reconstruction import pixel_entropy
from ...models import LatentModel
from ..figures import Figure
from ..judge import has_judge
from .base import MEASURES, Context, Measure

LOST = Figure(
    "attribute_lost",
    "reconstructions that lose an attribute, by group",
    digits=".1%",
    better="lower",
    shown=False,
    tolerance=1e-2,
    protocol={"images": None, "group": None, "least": None, "originals": None},
    sentence="a classifier reads the reconstructions of {images:,} test images. Of the images that have an attribute, "
    "the score is the share whose reconstruction lacks it, by {group}; each share is of at least {least:,} images. "
    "The classifier misses the attribute in at most {originals:.1%} of a group's originals",
)

EXCESS = Figure(
    "group_excess",
    "reconstruction error above the lowest possible, by group",
    "nats",
    ".1f",
    better="lower",
    shown=False,
    protocol={"images": None, "group": None, "least": None},
    sentence="the cross-entropy at the posterior mean minus the entropy of the pixels, in nats, mean over the images "
    "of each {group}; {images:,} test images, at least {least:,} of each {group}",
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
        EXCESS,
    )
    position = 76

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return bool(info.group and compared_attributes(info)) and has_judge(info)

    def measure(self, context: Context) -> dict:
        info, factors = context.info, context.factors
        assert info.factors is not None  # of which the group is one
        readings = context.readings
        attributes, group = compared_attributes(info), info.factors.names.index(info.group)
        lost, missed = (
            metrics.lost_by_group(np.stack([head.argmax(1) for head in heads], 1), factors, attributes, group)
            for heads in (readings.reconstructions, readings.originals)
        )
        names = info.factors.values[group]
        figures = _excess(context, factors[:, group], names)
        lost = {name: shares for name, shares in lost.items() if shares}
        if not lost:
            return figures  # none of a few images may have an attribute
        counts = [
            ((factors[:, group] == value) & np.isin(factors[:, attributes[name][0]], attributes[name][1])).sum()
            for name, shares in lost.items() for value in shares
        ]  # fmt: skip
        context.describe(
            LOST, group=info.group, least=int(min(counts)),
            originals=max(share for shares in missed.values() for share in shares.values()),
        )  # fmt: skip
        return figures | {
            "attribute_lost_gap": max(max(shares.values()) - min(shares.values()) for shares in lost.values()),
            "attribute_lost": {
                name: {names[value]: share for value, share in shares.items()} for name, shares in lost.items()
            },
        }


def _excess(context: Context, groups: np.ndarray, names: tuple[str, ...]) -> dict:
    """Return {"group_excess": {name of the group: mean excess}} for the groups (n,) of images; {} for a model whose
    reconstruction error has no lowest value."""
    if not context.model.pixels.is_cross_entropy:
        return {}
    floors = [pixel_entropy(x) for x, _ in context.batches("measuring the entropy of pixels")]
    excess = context.terms.recon_at_mean - torch.cat(floors).numpy()
    context.describe(EXCESS, group=context.info.group, least=int(np.unique(groups, return_counts=True)[1].min()))
    return {"group_excess": {names[k]: float(excess[groups == k].mean(dtype=np.float64)) for k in np.unique(groups)}}


def compared_attributes(info: DatasetInfo) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Return the attributes that can be compared between groups, as indices (see DatasetInfo.attribute_values): all
    but those that the group's own factor determines."""
    return {
        name: indices for name, indices in info.attribute_values().items() if info.attributes[name][0] != info.group
    }
