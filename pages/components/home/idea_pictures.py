"""Writes the pictures of Home's ideas: `python -m pages.components.home.idea_pictures`.

Each is 6 x 3 images of the idea's own model.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageColor
from torch import Tensor

import vae
from vae import latent, store
from vae.browser.colours import class_colours
from vae.data import DATASETS, pictures
from vae.models import LatentModel

from .ideas import IDEAS, PICTURES

COLUMNS, ROWS = 6, 3
WIDTH = 504  # px
SHIRTS_AND_BOOTS = ((7, 0), (1, 9), (3, 18))  # test images: shirt to boot, pullover to sneaker, trouser to bag
MAP_CELLS = (36, 18)  # of the map; each shows one image at most


def _samples(model: LatentModel) -> Tensor:
    y = int(IDEAS["typeface"].parameters["y"])
    z = model.sample(COLUMNS * ROWS, generator=torch.Generator().manual_seed(0))
    return model.decode(z, torch.full((len(z),), y) if model.num_classes else None)


def _traversals(model: LatentModel) -> Tensor:
    encoded = store.shipped().read_map(store.card_of(model).name)
    low, high = np.percentile(encoded.codes, [2, 98], axis=0)
    order = store.dimension_order(store.card_of(model), model.levels, encoded, np.ones(model.latent_dim))[:ROWS]
    z = torch.from_numpy(encoded.codes[0])
    ends = [torch.linspace(float(low[d]), float(high[d]), COLUMNS) for d in order]
    return torch.cat([model.decode(latent.traversal(z, d, values)) for d, values in zip(order, ends, strict=True)])


def _glasses(model: LatentModel) -> Tensor:
    card = store.card_of(model)
    encoded, info = store.shipped().read_map(card.name), DATASETS[card.data]
    k, values = info.attribute_values()["glasses"]
    has = np.isin(info.load("test").factors[encoded.rows, k], values)
    codes = torch.from_numpy(encoded.codes)
    direction = latent.attribute_direction(codes, torch.from_numpy(has)).vector
    steps = torch.linspace(0, 1.5, COLUMNS)[:, None]
    return torch.cat([model.decode(codes[row] + steps * direction) for row in np.flatnonzero(~has)[:ROWS]])


def _interpolations(model: LatentModel) -> Tensor:
    x, _ = DATASETS[store.card_of(model).data].load("test").batch(np.ravel(SHIRTS_AND_BOOTS))
    ends, t = model.encode(x).mean.reshape(ROWS, 2, -1), torch.linspace(0, 1, COLUMNS)
    return torch.cat([model.decode(latent.lerp(a, b, t)) for a, b in ends])


def _map(model: LatentModel) -> np.ndarray:
    """Return the map as a picture (H, W, 3) uint8: a grid with a test image per cell, in the colour of its class."""
    card = store.card_of(model)
    encoded, split = store.shipped().read_map(card.name), DATASETS[card.data].load("test")
    position = (encoded.umap - encoded.umap.min(0)) / np.ptp(encoded.umap, axis=0)  # (N, 2) in [0, 1]
    cells = np.minimum(np.floor(position * MAP_CELLS).astype(int), np.array(MAP_CELLS) - 1)
    _, first = np.unique(cells, axis=0, return_index=True)
    rows, size = encoded.rows[first], card.image_shape[1]
    colours = np.array([ImageColor.getrgb(colour) for colour in class_colours(len(DATASETS[card.data].classes))]) / 255
    canvas = np.zeros((MAP_CELLS[1], MAP_CELLS[0], size, size, 3))
    for (column, row), image, label in zip(cells[first], split.render(rows), split.labels[rows], strict=True):
        canvas[-1 - row, column] = image[0, :, :, None] * colours[label]
    return pictures.tile(canvas.reshape(-1, size, size, 3).astype(np.uint8), MAP_CELLS[0])


MAKE: dict[str, Callable[[LatentModel], Tensor | np.ndarray]] = {
    "sample": _samples, "disentangle": _traversals, "glasses": _glasses, "typeface": _samples, "boot": _interpolations,
    "map": _map,
}  # fmt: skip


@torch.no_grad()
def picture(key: str) -> Image.Image:
    """Return the picture of an idea, WIDTH px wide."""
    made = MAKE[key](vae.load(IDEAS[key].model))
    pixels = made if isinstance(made, np.ndarray) else pictures.sheet(made, COLUMNS)
    image = pictures.to_image(pixels)
    resampling = Image.Resampling.NEAREST if image.width < WIDTH else Image.Resampling.BOX
    return image.resize((WIDTH, round(image.height * WIDTH / image.width)), resampling)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for key in IDEAS:
        picture(key).save(PICTURES / f"{key}.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
