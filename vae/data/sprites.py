"""Sprites: white shapes on black, 64x64, rendered here on the grid of dSprites (Matthey et al. 2017).

Five factors give 737,280 images, numbered in dSprites' order and rendered on demand:
shape 3 (square, ellipse, heart), scale 6 (0.5 to 1), orientation 40 (0 to 2 pi), x 32, y 32.
"""

from __future__ import annotations

import numpy as np

from .base import DATASETS, Cycle, DatasetInfo, FactorGrid, Split
from .preparing import Preparation

FACTOR_SIZES = (3, 6, 40, 32, 32)
SHAPES = ("square", "ellipse", "heart")
TEST_SIZE = 10_000

SCALE = np.linspace(0.5, 1, 6)
ORIENTATION = np.linspace(0, 2 * np.pi, 40)
POSITION = 15.5 + 32 * np.linspace(0, 1, 32)  # centre in pixels

# Every shape at scale 1 lies within 13.6 pixels of its centre (the square's corner), so only a window of
# this size is computed.
WINDOW = 30


def render(factors: np.ndarray) -> np.ndarray:
    """Render factor values (B, 5) int as images (B, 1, 64, 64) uint8, 0 or 255.

    Raises ValueError for a value outside its factor's range.
    """
    factors = np.asarray(factors)
    if factors.ndim != 2 or factors.shape[1] != 5:
        raise ValueError(f"factors must have shape (B, 5), not {factors.shape}")
    if (factors < 0).any() or (factors >= FACTOR_SIZES).any():
        raise ValueError(f"factor values must lie in 0..size-1 for sizes {FACTOR_SIZES}")
    shape, scale, orientation, x, y = factors.T
    centre_x, centre_y = POSITION[x], POSITION[y]
    corner_x = np.floor(centre_x).astype(int) - WINDOW // 2 + 1  # first column of the window
    corner_y = np.floor(centre_y).astype(int) - WINDOW // 2 + 1
    steps = np.arange(WINDOW)
    dx = (corner_x[:, None] + steps - centre_x[:, None]) / SCALE[scale][:, None]  # (B, W)
    dy = (corner_y[:, None] + steps - centre_y[:, None]) / SCALE[scale][:, None]
    cos, sin = np.cos(ORIENTATION[orientation]), -np.sin(ORIENTATION[orientation])
    u = cos[:, None, None] * dx[:, None, :] + sin[:, None, None] * dy[:, :, None]  # (B, W, W)
    v = -sin[:, None, None] * dx[:, None, :] + cos[:, None, None] * dy[:, :, None]

    inside = np.empty(u.shape, bool)
    for index, is_inside in enumerate((_in_square, _in_ellipse, _in_heart)):
        chosen = shape == index
        inside[chosen] = is_inside(u[chosen], v[chosen])

    images = np.zeros((len(factors), 1, 64, 64), np.uint8)
    rows = (corner_y[:, None] + steps)[:, :, None]  # (B, W, 1); always within 0..63
    columns = (corner_x[:, None] + steps)[:, None, :]  # (B, 1, W)
    images[np.arange(len(factors))[:, None, None], 0, rows, columns] = inside * np.uint8(255)
    return images


def _in_square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (np.abs(u) <= 9.6) & (np.abs(v) <= 9.6)


def _in_ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (u / 12.8) ** 2 + (v / 7.2) ** 2 <= 1


def _in_heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return whether points lie inside x = .61*16 sin^3 t, y = -(.66*(13 cos t - 5 cos 2t - 2 cos 3t - cos 4t) + 1.5).

    Over each half of t, cos t = +-sqrt(1 - sin^2 t) is a function of |x|, so a point is inside where v lies
    between the two branches.
    """
    sin_t = np.cbrt(np.abs(u) / (0.61 * 16))
    cos_t = np.sqrt(np.clip(1 - sin_t**2, 0, None))

    def branch(c: np.ndarray) -> np.ndarray:  # with cos 2t, cos 3t and cos 4t as polynomials in c = cos t
        cosines = 13 * c - 5 * (2 * c**2 - 1) - 2 * (4 * c**3 - 3 * c) - (8 * c**4 - 8 * c**2 + 1)
        return -(0.66 * cosines + 1.5)

    return (sin_t <= 1) & (v >= branch(cos_t)) & (v <= branch(-cos_t))


GRID = FactorGrid(
    ("shape", "scale", "orientation", "x", "y"),
    (
        SHAPES,
        tuple(f"{scale:.1f}" for scale in SCALE),
        tuple(f"{np.degrees(angle):.0f}°" for angle in ORIENTATION),
        tuple(f"{pixel:.0f} px" for pixel in POSITION),
        tuple(f"{pixel:.0f} px" for pixel in POSITION),
    ),
    render,
    ordered=frozenset({"scale", "x", "y"}),
    cycles={"orientation": Cycle(tuple(ORIENTATION / (2 * np.pi)), by="shape", repeats={"square": 4, "ellipse": 2})},
)


def load(split: str, download: bool = True) -> Split:
    """Return one of SPLITS. Images are rendered on demand; nothing is downloaded."""
    return GRID.split(split, TEST_SIZE)


INFO = DATASETS.register("sprites")(DatasetInfo(
    name="sprites",
    title="Sprites",
    image_shape=(1, 64, 64),
    classes=SHAPES,
    licence="MIT (drawn by this project)",
    source="own renderer on the factor grid of dSprites (L. Matthey et al., 2017)",
    load=load,
    noun="sprites",
    preparation=Preparation("shape", light_on_dark=True, binary=True, longer_side=17),
    grid=GRID,
    start=9305,  # a large tilted ellipse near the centre, which most models reconstruct best
))  # fmt: skip
