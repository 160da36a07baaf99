"""Style consistency of a conditional model of glyphs: how well one z keeps its style over all characters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..models import LatentModel

SOURCES = (39, 17, 32, 55)  # n, R, g and 3 in A-Za-z0-9
STYLES_AT_ONCE = 8  # styles whose characters are decoded together
PROTOCOL = (
    "posterior mean of one glyph, of classes {sources} in turn; {characters} characters decoded, {styles} test "
    "styles; distance: mean squared pixel difference, own style over others; retrieval: nearest style by the {others} "
    "other characters; permuted: z of another style (seed {seed})"
)


class StyleConsistency(NamedTuple):
    """How well one glyph's z encodes the style of all characters.

    The _permuted figures are baselines: the same with the z of another, random style, which has no information about
    this one.
    """

    style_distance: float  # distance to the own style over that to the others: 0 is best, 1 means no style is kept
    style_retrieval: float  # share of z whose characters are nearest to those of their own style
    style_distance_permuted: float  # about 1
    style_retrieval_permuted: float  # about chance
    chance: float  # 1 / number of styles
    protocol: str


@torch.no_grad()
def style_consistency(
    model: LatentModel, images: Tensor, sources: tuple[int, ...] = SOURCES, seed: int = 0
) -> StyleConsistency:
    """Encode one glyph of each style, decode all characters with its z and compare them with the true ones.

    model: encode(x, y).mean (B, D) and decode(z, y) (B, 1, H, W), with num_classes C.
    images (S, C, 1, H, W) in [0, 1]: all characters of S test styles.
    sources: the characters that are encoded, one at a time; the figures are means over them.
    seed: selects the other style of the _permuted figures.

    style_distance: the mean squared pixel distance of the C decoded characters to those of z's own style, divided by
    the mean of their distances to the other styles.
    style_retrieval: whether z's own style is the nearest by the sum of distances over all characters but the source.

    Raises ValueError for fewer than three styles, for images that do not fit the model's classes, for no sources or
    unknown ones, where all styles are equal, and where the model decodes images that are not finite. Memory: about
    three times the images.
    """
    if images.ndim != 5 or len(images) < 3:
        raise ValueError(f"images must be (S, C, 1, H, W), S 3 or more, not {tuple(images.shape)}")
    n, classes = images.shape[:2]
    if classes != model.num_classes:
        raise ValueError(f"the model has {model.num_classes} classes, the images {classes}")
    if not sources or not all(0 <= source < classes for source in sources):
        raise ValueError(f"sources must be class numbers from 0 to {classes - 1}, not {sources}")
    if (images == images[:1]).all():
        raise ValueError("all styles are alike: there is no style to keep")

    truth = images.flatten(2).transpose(0, 1).contiguous()  # (C, S, P)
    # a random cycle through all styles, so that no style gets its own z
    order = np.random.default_rng(seed).permutation(n)
    own, another = np.arange(n), np.empty(n, np.int64)
    another[order] = np.roll(order, 1)

    found: dict[str, list[np.ndarray]] = {"own": [], "permuted": []}  # (S, 3) for each source
    for source in sources:
        distance = _distances(model, images[:, source], source, truth)  # (C, S, S)
        overall = distance.mean(0)
        ranked = np.delete(distance, source, axis=0).sum(0)
        for name, target in (("own", own), ("permuted", another)):
            to_target = overall[own, target]
            to_others = (overall.sum(1) - to_target) / (n - 1)
            found[name].append(np.stack([to_target, to_others, ranked.argmin(1) == target], 1))
    own_distance, own_retrieval = _figures(found["own"])
    other_distance, other_retrieval = _figures(found["permuted"])
    protocol = PROTOCOL.format(
        sources=", ".join(map(str, sources)), characters=classes, styles=n, others=classes - 1, seed=seed
    )
    return StyleConsistency(own_distance, own_retrieval, other_distance, other_retrieval, 1 / n, protocol)


def _figures(found: list[np.ndarray]) -> tuple[float, float]:
    """Return style_distance and style_retrieval of found, (S, 3) for each source."""
    to_target, to_others, retrieved = np.concatenate(found).mean(0)
    return float(to_target / to_others), float(retrieved)


def _distances(model: LatentModel, x: Tensor, source: int, truth: Tensor) -> np.ndarray:
    """Return (C, S, S) float64: for each character, the mean squared pixel distance of the row's decoded glyph to the
    column's true one, for source glyphs x (S, 1, H, W) and true glyphs truth (C, S, P)."""
    classes, _, pixels = truth.shape
    squares = truth.square().sum(2)  # (C, S)
    found = []
    for part in x.split(STYLES_AT_ONCE):
        b = len(part)
        z = model.encode(part, torch.full((b,), source, device=x.device)).mean
        y = torch.arange(classes, device=x.device).repeat(b)
        decoded = model.decode(z.repeat_interleave(classes, 0), y)
        decoded = decoded.reshape(b, classes, pixels).transpose(0, 1)  # (C, B, P)
        d = decoded.square().sum(2)[:, :, None] + squares[:, None] - 2 * decoded @ truth.mT
        found.append(d.double().clamp(min=0) / pixels)  # (C, B, S)
    distance = torch.cat(found, 1).cpu().numpy()
    if not np.isfinite(distance).all():
        raise ValueError("the model decodes images that are not finite")
    return distance
