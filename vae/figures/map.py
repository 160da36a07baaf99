"""A map: encoded test images on UMAP, on PCA, or in two latent dimensions, coloured by class."""

from __future__ import annotations

import numpy as np

from ..browser.colours import class_colours
from .base import KINDS, SMALL, Options, PaperFigure, Sheet, Subject

LAYOUTS = {"umap": "UMAP", "umap_again": "UMAP", "pca": "PC", "codes": "z"}
POINT = 2.0  # area in points², before there are so many that they hide each other
MAX_SIDE = 4.5  # inches of the map
FOOT = 0.3  # inches below the map, for labels
ROW, LETTER = 0.14, 0.055  # inches of the legend: a row, a letter at most
MAX_CLASSES = 40  # in a legend


@KINDS.register("map")
def scatter(subject: Subject, options: Options) -> PaperFigure:
    """Draw a point for each encoded test image. Layout "codes" shows two latent dimensions, by default the first."""
    card, info = subject.card, subject.info
    encoded = subject.store.read_map(card.name)
    if options.layout not in LAYOUTS:
        raise ValueError(f"the layout of a map is one of {', '.join(LAYOUTS)}, not {options.layout!r}")
    dims = options.dims or (0, 1)
    if options.layout == "codes" and (len(dims) != 2 or not all(0 <= d < card.latent_dim for d in dims)):
        raise ValueError(f"a map of codes shows two of the dimensions 0 to {card.latent_dim - 1}")
    xy = encoded.codes[:, list(dims)] if options.layout == "codes" else encoded.layouts[options.layout]
    labels = subject.test.labels[encoded.rows]
    side = min(options.inches, MAX_SIDE) - 0.4
    columns, rows = _legend_shape(info.classes, options.inches)
    height = side + FOOT + rows * ROW
    sheet = Sheet(options.inches, height)
    left = (options.inches - side) / 2 + 0.12
    axes = sheet.part(left, 0.05, side, side)
    colours = np.array(class_colours(len(info.classes)))
    # in random order, so that no class covers the others
    order = np.random.default_rng(0).permutation(len(xy))
    area = POINT * min(1.0, (2000 / len(xy)) ** 0.5)
    x, y = xy[order].T
    axes.scatter(x, y, s=area, c=colours[labels[order]], linewidths=0, rasterized=True)
    axes.set_aspect("equal", "datalim")
    prefix = LAYOUTS[options.layout]
    names = [f"$z_{{{d}}}$" for d in dims] if prefix == "z" else [f"{prefix} {i}" for i in (1, 2)]
    axes.set_xlabel(names[0], labelpad=2)
    axes.set_ylabel(names[1], labelpad=2)
    if options.layout != "codes":  # the units of UMAP and PCA mean nothing
        axes.set_xticks([])
        axes.set_yticks([])
    _legend(sheet, info.classes, colours, options.inches, height, columns, rows)
    return PaperFigure(sheet.figure, _caption(subject, options, len(encoded)), card.credit)


def _legend_shape(classes: tuple[str, ...], inches: float) -> tuple[int, int]:
    """Return (columns, rows) of a legend below a map; (0, 0) for too many classes."""
    if not 1 < len(classes) <= MAX_CLASSES:
        return 0, 0
    columns = max(1, min(len(classes), int(inches / (0.22 + LETTER * max(map(len, classes))))))
    return columns, -(-len(classes) // columns)


def _legend(
    sheet: Sheet, classes: tuple[str, ...], colours: np.ndarray, inches: float, height: float, columns: int, rows: int
) -> None:
    if not columns:
        return
    cell = min(inches / columns, 0.22 + LETTER * max(map(len, classes)))
    left = (inches - cell * columns) / 2
    for i, name in enumerate(classes):
        x, y = left + i % columns * cell, height - (rows - i // columns - 0.5) * ROW
        sheet.axes.plot(x + 0.07, y, "o", color=colours[i], markersize=4, markeredgewidth=0)
        sheet.text(x + 0.14, y, name, size=SMALL, parse_math=False)


def _caption(subject: Subject, options: Options, points: int) -> str:
    card = subject.card
    what = {
        "umap": "UMAP of the codes", "umap_again": "UMAP of the codes, another seed", "pca": "PCA of the codes",
        "codes": "Two dimensions of the codes",
    }[options.layout]  # fmt: skip
    found = {k: v for k, v in card.map.items() if isinstance(v, (int, float, str))} if options.layout == "umap" else {}
    how = f" Parameters: {', '.join(f'{k} {v}' for k, v in found.items())}." if found else ""
    return f"{what} (posterior means) of {points:,} test images by {card.name} ({card.title}), coloured by class.{how}"
