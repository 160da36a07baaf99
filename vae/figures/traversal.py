"""Traversals: a row of pictures for each latent dimension."""

from __future__ import annotations

import numpy as np
import torch

from .. import latent
from ..encoded import EncodedImages, data_ranges
from ..metrics.disentanglement import ACTIVE
from ..store import dimension_order
from .base import KINDS, MARGIN, SMALL, Options, PaperFigure, Sheet, Subject, test_images

LABELS = 0.5  # inches, left of the pictures
GAP = 0.02  # inches between pictures
FOOT = 0.16  # inches, below them
TAIL = 0.01  # of the posterior samples, beyond each end of a row
MAX_ROWS = 8  # unless dimensions are named
STEPS = {"column": 9, "page": 15}


@KINDS.register("traversal")
@torch.no_grad()
def traversal(subject: Subject, options: Options) -> PaperFigure:
    """Change one dimension in each row, from the 1st to the 99th percentile of encoded test images.

    All other dimensions keep the posterior mean of a test image. By default the rows are the active dimensions, at
    most 8, by descending information.
    """
    model, card = subject.model, subject.card
    if model.discrete:
        raise ValueError(f"{card.name} has a discrete code, whose values have no order to traverse")
    encoded = subject.encoded()
    dims = _dims(subject, options, encoded)
    steps = options.steps or STEPS[options.width]
    (row,) = test_images(subject, options.rows, 1, (subject.info.start,))
    x, labels = subject.test.batch([row])
    y = labels if model.num_classes else None
    z = model.encode(x, y).mean[0]
    low, high = data_ranges(encoded, model.prior.mean.numpy(), model.prior.stddev.numpy(), TAIL).T
    side = (options.inches - 2 * MARGIN - LABELS + GAP) / steps - GAP
    height = side * card.image_shape[1] / card.image_shape[2]
    sheet = Sheet(options.inches, 2 * MARGIN + len(dims) * (height + GAP) + FOOT)
    for i, d in enumerate(dims):
        values = torch.linspace(float(low[d]), float(high[d]), steps)
        images = model.decode(latent.traversal(z, d, values), y if y is None else y.expand(steps))
        top = MARGIN + i * (height + GAP)
        for s, pixels in enumerate(subject.info.modality.picture(images)):
            sheet.picture(pixels, MARGIN + LABELS + s * (side + GAP), top, side)
        _label(sheet, subject, d, top + height / 2)
    foot = MARGIN + len(dims) * (height + GAP) + FOOT / 2
    sheet.text(MARGIN + LABELS, foot, "1st percentile", size=SMALL)
    sheet.text(options.inches - MARGIN, foot, "99th percentile", "right", SMALL)
    return PaperFigure(sheet.figure, _caption(subject, encoded, dims, row), card.credit)


def _dims(subject: Subject, options: Options, encoded: EncodedImages | None) -> list[int]:
    n = subject.model.latent_dim
    for d in options.dims:
        if not 0 <= d < n:
            raise ValueError(f"{subject.card.name} has dimensions 0 to {n - 1}, not {d}")
    if options.dims:
        return list(options.dims)
    order = dimension_order(subject.card, subject.model.levels, encoded, np.ones(n))
    active = [d for d in order if encoded is None or encoded.codes[:, d].var() > ACTIVE]
    return (active or order)[:MAX_ROWS]


def _label(sheet: Sheet, subject: Subject, d: int, middle: float) -> None:
    """Write a dimension's name beside its row, and its KL where it is known."""
    kl = subject.card.figures.get("kl_per_dim")
    sheet.text(MARGIN, middle - (0.06 if kl else 0), f"$z_{{{d}}}$")
    if kl:
        sheet.text(MARGIN, middle + 0.07, f"{kl[d]:.1f} nats", size=SMALL)


def _caption(subject: Subject, encoded: EncodedImages | None, dims: list[int], row: int) -> str:
    card = subject.card
    source = "the prior" if encoded is None else f"samples from the posteriors of {len(encoded):,} test images"
    kl = " Labels show the KL of each dimension, the mean over test images." if "kl_per_dim" in card.figures else ""
    return (
        f"Traversals of {card.name} ({card.title}). Each of the {len(dims)} rows changes one of {card.latent_dim} "
        f"dimensions from the 1st to the 99th percentile of {source}. The other dimensions keep the posterior mean of "
        f"test image {row}.{kl}"
    )
