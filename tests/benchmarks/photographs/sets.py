"""The sets of photographs: (conditions, class, original image, photograph) each, the same on every run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from vae.data import DATASETS

from . import figures, pages

DIGITS, SHAPES, CHARACTERS, GARMENTS = 20, 20, 60, 40
PER_PAIR = 3


class Photograph(NamedTuple):
    conditions: tuple[str, ...]
    label: int
    original: np.ndarray  # (C, H, W) uint8
    picture: Image.Image


def _originals(data: str, split: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    found = DATASETS[data].load(split).first(n)
    return found.render(np.arange(n)), found.labels


def digits(split: str = "test", per_condition: int = DIGITS, per_pair: int = PER_PAIR) -> Iterator[Photograph]:
    """Yield the first 20 digits in each condition, then three of them in each pair of conditions.

    split: "test" to report, "validation" to choose settings.
    """
    images, labels = _originals("mnist", split, DIGITS)
    cases = [((name,), i) for name in pages.CONDITIONS for i in range(DIGITS)][:: DIGITS // per_condition]
    cases += [(pair, (k * PER_PAIR + i) % DIGITS) for k, pair in enumerate(pages.PAIRS) for i in range(per_pair)]
    for conditions, i in cases:
        page = pages.scene(conditions, i + 100 * (split == "validation"))
        picture = pages.photograph(page, partial(figures.stroke, images[i, 0]))
        yield Photograph(conditions, int(labels[i]), images[i], picture)


def _on_paper(data: str, split: str, n: int, pen: float) -> Iterator[Photograph]:
    images, labels = _originals(data, split, n)
    names = [(name,) for name in pages.CONDITIONS] + list(pages.PAIRS[:: max(1, len(pages.PAIRS) // 20)])
    for i in range(n):
        conditions = names[i % len(names)]
        page = pages.scene(conditions, i + 1_000 * (split == "validation"))
        picture = pages.photograph(page, lambda width, i=i: figures.area(images[i, 0], (width - 2.5) * pen))
        yield Photograph(conditions, int(labels[i]), images[i], picture)


def characters(split: str = "test", n: int = CHARACTERS) -> Iterator[Photograph]:
    """Yield characters, printed on paper or a board, in the conditions of the digits."""
    return _on_paper("glyphs", split, n, pen=0.3)


def shapes(split: str = "test", n: int = SHAPES) -> Iterator[Photograph]:
    """Yield filled shapes in the conditions of the digits."""
    return _on_paper("sprites", split, n, pen=0.0)


def garments(split: str = "test", n: int = GARMENTS) -> Iterator[Photograph]:
    """Yield garments on wood, cloth and walls, by turns in the tones of the data and in their negative."""
    images, labels = _originals("fashion-mnist", split, n)
    for i in range(n):
        texture = tuple(pages.TEXTURES)[i % len(pages.TEXTURES)]
        page = pages.scene((), i + 1_000 * (split == "validation"))
        picture = garment(page, images[i, 0], texture, negative=bool(i // len(pages.TEXTURES) % 2))
        yield Photograph((texture,), int(labels[i]), images[i], picture)


def garment(page: pages.Scene, image: np.ndarray, texture: str, negative: bool) -> Image.Image:
    """Lay a garment (28, 28) uint8, enlarged smoothly, on a texture, with a soft shadow below it.

    texture: of pages.TEXTURES; "paper" is the page's own.
    """
    rng, shape = page.rng, (page.height, page.width)
    ground = np.ones((*shape, 3)) * page.paper if texture == "paper" else pages.TEXTURES[texture](rng, shape)
    side = int(rng.uniform(0.65, 0.85) * min(page.height, page.width))
    inside = ndimage.binary_fill_holes(image > 10)
    # tones go on outside the garment, so that its edge is not black
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    tones = Image.fromarray(image[tuple(nearest)]).resize((side, side), Image.Resampling.BICUBIC)
    edge = Image.fromarray((255 * inside).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    left, top = (int(at * length - side / 2) for at, length in zip(page.middle, ground.shape[1::-1], strict=True))
    tone, share = (np.zeros(ground.shape[:2]) for _ in range(2))
    here = np.s_[top : top + side, left : left + side]
    tone[here], share[here] = np.asarray(tones), np.clip((np.asarray(edge) / 255 - 0.5) * 6 + 0.5, 0, 1)
    shadow = ndimage.gaussian_filter(np.roll(share, (side // 60, side // 60), (0, 1)), side / 50)
    ground = ground * (1 - 0.35 * shadow)[..., None]
    tint = rng.uniform(0.85, 1.0, 3)
    colour = (255 - tone if negative else tone)[..., None] * tint
    return pages.camera(page, ground + share[..., None] * (colour - ground))


SETS = {"mnist": digits, "glyphs": characters, "sprites": shapes, "fashion-mnist": garments}
