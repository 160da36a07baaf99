"""Rooms: one solid in a coloured room, 64x64 RGB, in the style of 3D Shapes (Burgess & Kim 2018).

Six factors give 480,000 images, each rendered on demand:
floor hue 10, wall hue 10, object hue 10, scale 8 (0.75 to 1.25), shape 4 (cube, cylinder, sphere,
capsule), yaw 15 (-30 to 30 degrees).

Only scale, shape and yaw change the geometry. `build` ray-marches their 480 views once, in a minute, and
stores in rooms.npz how much of the floor's, the wall's and the object's colour, and of white, each pixel
shows. An image is one of these views times its colours.
"""

from __future__ import annotations

import colorsys
import functools
from pathlib import Path

import numpy as np

from .base import DATASETS, Cycle, DatasetInfo, FactorGrid, Split

FACTOR_SIZES = (10, 10, 10, 8, 4, 15)
SHAPES = ("cube", "cylinder", "sphere", "capsule")
TEST_SIZE = 10_000
GEOMETRY = Path(__file__).with_name("rooms.npz")

SCALE = np.linspace(0.75, 1.25, 8)
YAW = np.radians(np.linspace(-30, 30, 15))
COLOURS = np.array([colorsys.hsv_to_rgb(hue / 10, 0.8, 0.95) for hue in range(10)], np.float32)


def render(factors: np.ndarray) -> np.ndarray:
    """Render factor values (B, 6) int as images (B, 3, 64, 64) uint8.

    Raises ValueError for a value outside its factor's range.
    """
    factors = np.asarray(factors)
    if factors.ndim != 2 or factors.shape[1] != 6:
        raise ValueError(f"factors must have shape (B, 6), not {factors.shape}")
    if (factors < 0).any() or (factors >= FACTOR_SIZES).any():
        raise ValueError(f"factor values must lie in 0..size-1 for sizes {FACTOR_SIZES}")
    floor, wall, thing, scale, shape, yaw = factors.T
    white = np.ones((len(factors), 3), np.float32)
    colours = np.stack([COLOURS[floor], COLOURS[wall], COLOURS[thing], white], 2)  # (B, RGB, 4)
    amounts = _amounts()[scale, shape, yaw].reshape(-1, 4, 64 * 64)
    # adding 0.5 before truncation rounds; 255 is the maximum
    pixels = np.minimum(colours @ amounts + 0.5, 255)  # (B, RGB, 4096)
    return pixels.astype(np.uint8).reshape(-1, 3, 64, 64)


@functools.cache
def _amounts() -> np.ndarray:
    """Return the light in each pixel, 0 to 255: (8, 4, 15, 4, 64, 64) float32.

    The first axes are scale, shape, yaw and the source: floor, wall, object, white highlight.
    """
    with np.load(GEOMETRY, allow_pickle=False) as file:
        return file["amounts"].astype(np.float32)


# The ray marcher. The unit of length is the object's radius at scale 1; y points up.

ROOM = 4.0  # the walls stand at x = -4, x = 4 and z = -4; the camera looks from positive z
CAMERA_DISTANCE, CAMERA_HEIGHT, LOOK_AT_HEIGHT = 6.0, 3.4, 0.75
FIELD_OF_VIEW = np.radians(42)
LIGHT = np.array([-0.45, 0.8, 0.4], np.float32) / np.float32(np.linalg.norm([-0.45, 0.8, 0.4]))
SAMPLES = 4  # per pixel and axis
FLOOR, WALL, OBJECT, HIGHLIGHT = range(4)


def distance(points: np.ndarray, shape: int, scale: float) -> np.ndarray:
    """Return the signed distance (N,) from points (N, 3) to the solid, which stands on the floor."""
    p = points / scale - np.array([0, 1, 0], np.float32)
    radius = np.hypot(p[:, 0], p[:, 2])
    if shape == 0:  # cube of half-side 0.85, edges rounded; it rests on the floor
        q = np.abs(p - [0, -0.15, 0]) - 0.79
        d = np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0) - 0.06
    elif shape == 1:  # cylinder, rounded
        q = np.stack([radius - 0.74, np.abs(p[:, 1]) - 0.94], 1)
        d = np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0) - 0.06
    elif shape == 2:  # sphere
        d = np.linalg.norm(p, axis=1) - 1
    else:  # capsule lying along x
        along = np.clip(p[:, 0], -0.7, 0.7)
        d = np.linalg.norm(p - np.stack([along, 0 * along - 0.4, 0 * along], 1), axis=1) - 0.6
    return d * scale


def march(
    origins: np.ndarray, directions: np.ndarray, shape: int, scale: float, reach: float = 12.0
) -> tuple[np.ndarray, np.ndarray]:
    """Trace rays (N, 3) by sphere tracing (Hart 1996).

    Returns (distance along each ray to the solid, inf for a miss; sine of the smallest angle between the ray
    and the solid), both (N,).
    """
    t = np.full(len(origins), 0.02, np.float32)
    clearance = np.full(len(origins), np.inf, np.float32)
    alive = np.arange(len(origins))
    for _ in range(80):
        d = distance(origins[alive] + t[alive, None] * directions[alive], shape, scale)
        clearance[alive] = np.minimum(clearance[alive], d / t[alive])
        t[alive] += d
        alive = alive[(d > 1e-3) & (t[alive] < reach)]
        if not len(alive):
            break
    hit = clearance * t < 1e-2
    return np.where(hit & (t < reach), t, np.inf), np.maximum(clearance, 0)


def view(shape: int, scale: float, yaw: float) -> np.ndarray:
    """Render one view of the room: (4, 64, 64) uint8, the light of floor, wall, object and highlight."""
    n = 64 * SAMPLES
    camera = np.array(
        [CAMERA_DISTANCE * np.sin(yaw), CAMERA_HEIGHT, CAMERA_DISTANCE * np.cos(yaw)], np.float32
    )
    forward = np.array([0, LOOK_AT_HEIGHT, 0]) - camera
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    offsets = ((np.arange(n) + 0.5) / n * 2 - 1) * np.tan(FIELD_OF_VIEW / 2)
    rays = forward + offsets[None, :, None] * right - offsets[:, None, None] * up
    rays = (rays / np.linalg.norm(rays, axis=2, keepdims=True)).reshape(-1, 3).astype(np.float32)
    eyes = np.broadcast_to(camera, rays.shape)

    # the nearest of four planes: the floor and three walls
    with np.errstate(divide="ignore", invalid="ignore"):
        to_planes = np.stack([
            -camera[1] / rays[:, 1],
            (-ROOM - camera[0]) / rays[:, 0],
            (ROOM - camera[0]) / rays[:, 0],
            (-ROOM - camera[2]) / rays[:, 2],
        ])  # fmt: skip
    to_planes[~(to_planes > 0)] = np.inf
    plane = to_planes.argmin(0)
    to_plane = to_planes.min(0)
    to_object, _ = march(eyes, rays, shape, scale)
    material = np.where(to_object < to_plane, OBJECT, np.where(plane == 0, FLOOR, WALL))

    planes = np.array([[0, 1, 0], [1, 0, 0], [-1, 0, 0], [0, 0, 1]], np.float32)
    points = eyes + np.minimum(to_object, to_plane)[:, None] * rays
    normals = planes[plane]
    on_object = material == OBJECT
    normals[on_object] = _normals(points[on_object], shape, scale)

    diffuse = np.clip(normals @ LIGHT, 0, 1)
    start = points + 0.02 * normals
    blocked, clearance = march(start, np.broadcast_to(LIGHT, start.shape), shape, scale)
    shadow = np.where(np.isfinite(blocked), 0, np.clip(6 * clearance, 0, 1))
    # ambient occlusion: less sky light arrives near the solid
    openness = np.clip(distance(points + 0.4 * normals, shape, scale) / 0.4, 0, 1)
    openness = np.where(on_object, 0.75 + 0.25 * normals[:, 1], 0.35 + 0.65 * openness)
    light = 0.58 * openness + 0.42 * diffuse * shadow
    light = np.where(material == WALL, 0.62 + 0.3 * diffuse, light)

    halfway = LIGHT - rays
    halfway /= np.linalg.norm(halfway, axis=1, keepdims=True)
    shine = np.clip((normals * halfway).sum(1), 0, 1) ** 40 * 0.45 * on_object * shadow

    amounts = np.zeros((4, n, n), np.float32)
    for m in (FLOOR, WALL, OBJECT):
        amounts[m] = (light * (1 - shine) * (material == m)).reshape(n, n)
    amounts[HIGHLIGHT] = shine.reshape(n, n)
    amounts = amounts.reshape(4, 64, SAMPLES, 64, SAMPLES).mean((2, 4))
    return np.round(255 * np.clip(amounts, 0, 1)).astype(np.uint8)


def _normals(points: np.ndarray, shape: int, scale: float) -> np.ndarray:
    """Return the unit normals (N, 3) of the solid, by central differences of its distance."""
    step = 1e-2 * np.eye(3, dtype=np.float32)
    slopes = [distance(points + s, shape, scale) - distance(points - s, shape, scale) for s in step]
    normals = np.stack(slopes, 1)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def build() -> None:
    """Render all 480 views and write rooms.npz."""
    views = [[[view(shape, scale, yaw) for yaw in YAW] for shape in range(4)] for scale in SCALE]
    np.savez_compressed(GEOMETRY, amounts=np.array(views))


HUES = ("red", "orange", "lime", "green", "mint", "cyan", "azure", "blue", "purple", "pink")
GRID = FactorGrid(
    ("floor hue", "wall hue", "object hue", "scale", "shape", "yaw"),
    (
        HUES, HUES, HUES,
        tuple(f"{scale:.2f}" for scale in SCALE),
        SHAPES,
        tuple(f"{np.degrees(angle):.0f}°" for angle in YAW),
    ),
    render,
    label=4,
    ordered=frozenset({"scale", "yaw"}),
    cycles={f"{of} hue": Cycle(tuple(np.arange(10) / 10)) for of in ("floor", "wall", "object")},
)  # fmt: skip


def load(split: str, download: bool = True) -> Split:
    """Return one of SPLITS. Images are rendered on demand; nothing is downloaded."""
    return GRID.split(split, TEST_SIZE)


INFO = DATASETS.register("rooms")(DatasetInfo(
    name="rooms",
    title="Rooms",
    image_shape=(3, 64, 64),
    classes=SHAPES,
    licence="MIT (drawn by this project)",
    source="own ray marcher, in the manner of 3D Shapes (C. Burgess and H. Kim, 2018)",
    load=load,
    noun="rooms",
    grid=GRID,
))  # fmt: skip
