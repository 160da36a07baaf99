"""Interpolation: the path between two test images in latent space, and a cross-fade of their pixels."""

from __future__ import annotations

import torch

from .. import latent
from .base import KINDS, MARGIN, SMALL, Options, PaperFigure, Sheet, Subject, test_images

LABELS = 0.42  # inches, left of the pictures
GAP = 0.02  # inches between pictures
SPACE = 0.06  # inches between the two images and the path
HEAD = 0.16  # inches, above the pictures
STEPS = {"column": 7, "page": 11}


@KINDS.register("interpolation")
@torch.no_grad()
def interpolation(subject: Subject, options: Options) -> PaperFigure:
    """Decode equal steps between the posterior means of two test images; below them, a cross-fade of the pixels."""
    model, card = subject.model, subject.card
    a, b = test_images(subject, options.rows, 2, (subject.info.start, (subject.info.start + 2) % len(subject.test)))
    x, labels = subject.test.batch([a, b])
    y = labels if model.num_classes else None
    codes = model.encode(x, y).mean
    steps = options.steps or STEPS[options.width]
    t = torch.linspace(0, 1, steps)
    line = latent.swap if model.discrete else latent.lerp
    path = model.decode(line(codes[0], codes[1], t), y if y is None else y[:1].expand(steps))
    fade = latent.lerp(x[0].flatten(), x[1].flatten(), t).view_as(path)
    picture = subject.info.modality.picture
    ends = picture(x)
    side = (options.inches - 2 * MARGIN - LABELS - 2 * SPACE + GAP) / (steps + 2) - GAP
    height = side * card.image_shape[1] / card.image_shape[2]
    sheet = Sheet(options.inches, 2 * MARGIN + HEAD + 2 * height + GAP)
    start = MARGIN + LABELS
    places = [start, *(start + SPACE + (s + 1) * (side + GAP) for s in range(steps)),
              start + 2 * SPACE + (steps + 1) * (side + GAP)]  # fmt: skip
    sheet.text(MARGIN, MARGIN + HEAD / 2, "$t$", size=SMALL)
    heads = ["A", *(f"{float(value):.2f}".rstrip("0").rstrip(".") for value in t), "B"]
    for x_place, head in zip(places, heads, strict=True):
        sheet.text(x_place + side / 2, MARGIN + HEAD / 2, head, "center", SMALL)
    for i, (name, images) in enumerate((("latent", picture(path)), ("pixels", picture(fade)))):
        top = MARGIN + HEAD + i * (height + GAP)
        for x_place, pixels in zip(places, [ends[0], *images, ends[1]], strict=True):
            sheet.picture(pixels, x_place, top, side)
        sheet.text(MARGIN, top + height / 2, name)
    return PaperFigure(sheet.figure, _caption(subject, a, b), card.credit)


def _caption(subject: Subject, a: int, b: int) -> str:
    card = subject.card
    path = "codebook indices replaced position by position" if subject.model.discrete else "posterior means"
    given = f", all given class {subject.info.classes[subject.test.labels[a]]}" if subject.model.num_classes else ""
    return (
        f"Interpolation between test images A ({a}) and B ({b}) by {card.name} ({card.title}). Top: decoded from "
        f"{path} at t = 0 to 1{given}. Bottom: a cross-fade of the pixels of A and B."
    )
