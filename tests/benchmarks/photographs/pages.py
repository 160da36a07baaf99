"""Photographs of a sheet, a blackboard or a slide with one figure on it, drawn from a seed.

CONDITIONS lists what can be the matter with a photograph; each changes a Scene, and several can be combined.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from scipy import ndimage

from .figures import Figure

Colour = tuple[float, float, float]


@dataclass
class Scene:
    """Everything about a photograph except the figure. Lengths without a unit are fractions of the shorter side."""

    rng: np.random.Generator
    width: int = 640  # pixels
    height: int = 640
    size: float = 0.55  # of the figure's longer side
    middle: tuple[float, float] = (0.5, 0.5)  # of the figure, as fractions of width and height
    angle: float = 0.0  # degrees, of the sheet and what is on it
    paper: Colour = (255, 255, 255)
    ink: Colour = (35, 35, 40)
    pen: float = 2.5  # pixels of the data set
    cover: float = 1.0  # share of the ink that a stroke leaves
    grain: float = 0.0  # how unevenly it does
    mottle: float = 0.0  # grey levels of unevenness of the paper
    lines: str = ""  # "ruled" or "squared"
    shadow: str = ""  # "soft", "hard" or "hand"
    desk: bool = False
    blur: float = 0.7  # pixels
    noise: float = 1.0  # grey levels
    jpeg: int = 92  # quality
    conditions: tuple[str, ...] = field(default=())


Condition = Callable[[Scene], None]
CONDITIONS: dict[str, Condition] = {}
KINDS: dict[str, str] = {}  # condition -> what it is about; two of a kind exclude each other


def condition(kind: str) -> Callable[[Condition], Condition]:
    def register(change: Condition) -> Condition:
        name = change.__name__.strip("_").replace("_", " ")
        CONDITIONS[name], KINDS[name] = change, kind
        return change

    return register


@condition("none")
def plain(scene: Scene) -> None:
    pass


@condition("ground")
def grey_paper(scene: Scene) -> None:
    tone = scene.rng.uniform(205, 250)
    warmth = scene.rng.uniform(-5, 5)
    scene.paper = (tone + warmth, tone, tone - warmth)


@condition("light")
def soft_shadow(scene: Scene) -> None:
    scene.shadow = "soft"


@condition("light")
def hard_shadow(scene: Scene) -> None:
    scene.shadow = "hard"


@condition("light")
def hand_shadow(scene: Scene) -> None:
    scene.shadow = "hand"


@condition("angle")
def tilted(scene: Scene) -> None:
    scene.angle = float(scene.rng.choice([-1, 1]) * scene.rng.uniform(8, 20))


@condition("lines")
def ruled(scene: Scene) -> None:
    scene.lines = "ruled"


@condition("lines")
def squared(scene: Scene) -> None:
    scene.lines = "squared"


@condition("pen")
def thin_pen(scene: Scene) -> None:
    scene.pen = scene.rng.uniform(1.0, 1.4)


@condition("pen")
def thick_pen(scene: Scene) -> None:
    scene.pen = scene.rng.uniform(3.4, 4.0)


@condition("ink")
def blue_ink(scene: Scene) -> None:
    scene.ink = (scene.rng.uniform(30, 80), scene.rng.uniform(50, 100), scene.rng.uniform(150, 210))


@condition("ink")
def pencil(scene: Scene) -> None:
    tone = scene.rng.uniform(100, 135)
    scene.ink, scene.cover, scene.grain = (tone, tone, tone + 3), 0.9, 0.5
    scene.pen = min(scene.pen, 1.9)


@condition("desk")
def desk(scene: Scene) -> None:
    scene.desk = True
    scene.size = min(scene.size, 0.38)


@condition("camera")
def noise(scene: Scene) -> None:
    scene.noise, scene.jpeg, scene.blur = scene.rng.uniform(8, 14), int(scene.rng.integers(35, 60)), 1.2


@condition("place")
def off_centre(scene: Scene) -> None:
    scene.size = 0.35
    scene.middle = tuple(scene.rng.choice([0.27, 0.73], 2) + scene.rng.uniform(-0.03, 0.03, 2))


@condition("place")
def small(scene: Scene) -> None:
    scene.size = scene.rng.uniform(0.1, 0.16)
    scene.middle = tuple(scene.rng.uniform(0.3, 0.7, 2))
    scene.width, scene.height = scene.width * 3 // 2, scene.height * 3 // 2


@condition("ground")
def blackboard(scene: Scene) -> None:
    tone = scene.rng.uniform(35, 70)
    scene.paper, scene.mottle = (tone * 0.85, tone, tone * 0.9), 6
    tone = scene.rng.uniform(200, 240)
    scene.ink, scene.cover, scene.grain = (tone, tone, tone), 0.95, 0.35


@condition("ground")
def slide(scene: Scene) -> None:
    scene.paper, scene.ink, scene.noise, scene.blur = (0x12, 0x12, 0x12), (235, 235, 235), 0, 0.4


# what cannot be together: a sheet on a desk is paper, a board has no ruled lines and no ink
NEVER = [{"blackboard", other} for other in ("blue ink", "pencil", "desk", "ruled", "squared")]
NEVER += [{"slide", other} for other in ("blue ink", "pencil", "desk", "ruled", "squared", "soft shadow",
    "hard shadow", "hand shadow", "noise")]  # fmt: skip
NEVER += [{"desk", "small"}, {"thick pen", "pencil"}]
PAIRS = tuple(
    (one, other) for one, other in itertools.combinations(CONDITIONS, 2)
    if "plain" not in (one, other) and KINDS[one] != KINDS[other] and {one, other} not in NEVER
)  # fmt: skip


def scene(conditions: tuple[str, ...], seed: int) -> Scene:
    """Return the scene of a seed, under these conditions."""
    rng = np.random.default_rng([seed, *(ord(letter) for name in conditions for letter in name)])
    width, height = (int(rng.integers(420, 1000)) for _ in range(2))
    width, height = max(width, height * 3 // 5), max(height, width * 3 // 5)
    middle = tuple(rng.uniform(0.45, 0.55, 2))
    tone = rng.uniform(15, 60)
    found = Scene(rng, width, height, rng.uniform(0.45, 0.65), middle, rng.uniform(-3, 3), ink=(tone, tone, tone + 4),
                  pen=rng.uniform(1.8, 3.2), conditions=conditions)  # fmt: skip
    for name in conditions:
        CONDITIONS[name](found)
    return found


def photograph(page: Scene, write: Callable[[float], Figure]) -> Image.Image:
    """Return the photograph (RGB) of a scene. write: the width of the pen, in pixels of the data set -> figure."""
    figure, rng = write(page.pen), page.rng
    x, y, scale = _figure_coordinates(page, figure)
    ink = np.clip(figure.at(x, y) * scale + 0.5, 0, 1)
    ink *= page.cover * (1 - page.grain * np.clip(_texture(rng, ink.shape, 2.0) * 0.5 + 0.5, 0, 1))
    sheet = np.ones((*ink.shape, 3)) * page.paper
    sheet += page.mottle * _texture(rng, ink.shape, 30)[..., None]
    if page.lines:
        sheet = _mix(sheet, *_lines(page, x, y, figure, scale))
    sheet = _mix(sheet, page.ink, ink)
    if page.desk:
        sheet = _on_desk(page, sheet, x * scale, y * scale, figure, scale)
    sheet = sheet * _light(page)[..., None]
    return camera(page, sheet)


def camera(page: Scene, pixels: np.ndarray) -> Image.Image:
    """Return what a camera makes of a scene (H, W, 3): blur, noise, and JPEG."""
    pixels = ndimage.gaussian_filter(pixels, (page.blur, page.blur, 0))
    if page.noise:
        pixels = pixels + page.rng.normal(0, page.noise, pixels.shape)
    file = io.BytesIO()
    picture = Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8))
    picture.save(file, "JPEG", quality=page.jpeg)
    return Image.open(file).convert("RGB")


def _figure_coordinates(page: Scene, figure: Figure) -> tuple[np.ndarray, np.ndarray, float]:
    """Return where each pixel lies in the figure's field, x and y (H, W), and the photograph's pixels per unit."""
    left, top, right, bottom = figure.box
    scale = page.size * min(page.width, page.height) / max(right - left, bottom - top)
    x = (np.arange(page.width) + 0.5 - page.middle[0] * page.width) / scale
    y = (np.arange(page.height) + 0.5 - page.middle[1] * page.height)[:, None] / scale
    turn = np.deg2rad(page.angle)
    return (
        x * np.cos(turn) + y * np.sin(turn) + (left + right) / 2,
        y * np.cos(turn) - x * np.sin(turn) + (top + bottom) / 2,
        scale,
    )


def _texture(rng: np.random.Generator, shape: tuple[int, ...], grain: float) -> np.ndarray:
    """Return smooth noise (H, W) of mean 0 and variance about 1, `grain` pixels from hill to hill."""
    h, w = (int(np.ceil(side / grain)) + 3 for side in shape[:2])
    coarse = rng.normal(size=(h, w))
    y, x = np.mgrid[: shape[0], : shape[1]] / grain + 1
    return ndimage.map_coordinates(coarse, [y, x], order=1) * 1.5


def _mix(below: np.ndarray, colour, share: np.ndarray) -> np.ndarray:
    return below + share[..., None] * (np.asarray(colour, float) - below)


def _lines(page: Scene, x: np.ndarray, y: np.ndarray, figure: Figure, scale: float) -> tuple[Colour, np.ndarray]:
    """Return the colour of printed lines and how much each pixel has of it (H, W)."""
    rng = page.rng
    tall = max(figure.box[3] - figure.box[1], figure.box[2] - figure.box[0])
    pitch = tall * (rng.uniform(0.45, 1.3) if page.lines == "ruled" else rng.uniform(0.3, 0.8))
    half = max(rng.uniform(0.12, 0.3), 0.5 / scale)  # of their width, in units of the figure
    shift = rng.uniform(0, pitch, 2)
    tone = rng.uniform(140, 200) * page.paper[1] / 255
    colour = (tone * 0.9, tone, min(255.0, tone * 1.15)) if rng.random() < 0.6 else (tone, tone, tone)

    def stripes(at: np.ndarray, offset: float) -> np.ndarray:
        away = np.abs((at - offset + pitch / 2) % pitch - pitch / 2)
        return np.clip((half - away) * scale + 0.5, 0, 1)

    share = stripes(y, shift[1])
    if page.lines == "squared":
        share = np.maximum(share, stripes(x, shift[0]))
    return colour, share


def wood(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return boards with a grain (H, W, 3)."""
    tone = np.array([rng.uniform(90, 150), rng.uniform(60, 100), rng.uniform(35, 70)])
    y, x = np.mgrid[: shape[0], : shape[1]]
    bend = y + 12 * _texture(rng, shape, 150)
    rings = np.sin(bend / rng.uniform(4, 9)) * 0.06 + np.sin(bend / rng.uniform(20, 40)) * 0.08
    return tone * (1 + rings + 0.03 * _texture(rng, shape, 3))[..., None]


def cloth(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return woven cloth with soft folds (H, W, 3)."""
    tone = rng.uniform(60, 210, 3) * 0.3 + rng.uniform(80, 200) * 0.7
    y, x = np.mgrid[: shape[0], : shape[1]]
    weave = 0.03 * np.sign(np.sin(x * 1.1) * np.sin(y * 1.1))
    return tone * (1 + weave + 0.06 * _texture(rng, shape, 120))[..., None]


def wall(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return a plastered wall under a light from one side (H, W, 3)."""
    tone = rng.uniform(150, 230) + rng.uniform(-12, 12, 3)
    slope = np.linspace(rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), shape[1])
    return tone * (1 + slope + 0.02 * _texture(rng, shape, 4) + 0.02 * _texture(rng, shape, 40))[..., None]


TEXTURES = {"wood": wood, "cloth": cloth, "wall": wall}


def _on_desk(page: Scene, sheet: np.ndarray, x, y, figure: Figure, scale: float) -> np.ndarray:
    """Lay the sheet on a darker desk, so that two to four of its edges are in the picture."""
    rng = page.rng
    kind = ("wood", "cloth", "plain")[int(rng.integers(3))]
    tone = rng.uniform(40, 120) * np.array([1.1, 1.0, 0.9])
    below = TEXTURES[kind](rng, sheet.shape) if kind != "plain" else np.ones_like(sheet) * tone
    below = np.minimum(below, 0.65 * np.mean(page.paper))
    left, top, right, bottom = (side * scale for side in figure.box)
    tall = max(right - left, bottom - top)
    sides = rng.uniform(0.35, 0.75, 4) * tall  # of paper around the figure
    turn = np.deg2rad(rng.uniform(-8, 8))
    u = (x - left) * np.cos(turn) + (y - top) * np.sin(turn)
    v = (y - top) * np.cos(turn) - (x - left) * np.sin(turn)
    w, h = right - left, bottom - top
    depth = np.minimum.reduce([u + sides[0], v + sides[1], w + sides[2] - u, h + sides[3] - v])
    dark = np.clip(1 + (depth + 4) / 12, 0, 1) * 0.35  # the sheet's own shadow
    below = below * (1 - dark)[..., None]
    return _mix(below, sheet, np.clip(depth + 0.5, 0, 1))


def _light(page: Scene) -> np.ndarray:
    """Return the brightness of each pixel (H, W), down to 0.6 where a shadow falls."""
    rng, shape = page.rng, (page.height, page.width)
    y, x = np.mgrid[: shape[0], : shape[1]] / min(shape)
    if not page.shadow:
        return np.ones(shape)
    turn, deepest = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 0.75)
    along = (x - page.middle[0] * shape[1] / min(shape)) * np.cos(turn) + (
        y - page.middle[1] * shape[0] / min(shape)
    ) * np.sin(turn)
    if page.shadow == "soft":
        shade = np.clip(along / rng.uniform(0.8, 1.6) + 0.5, 0, 1)
    elif page.shadow == "hard":
        shade = np.clip((along + rng.uniform(-0.2, 0.2)) / rng.uniform(0.004, 0.03) + 0.5, 0, 1)
    else:
        shade = _hand(rng, x, y)
    return 1 - (1 - deepest) * shade


def _hand(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the shade of a hand that holds the camera: a palm and fingers from below, with soft edges."""
    at, low = rng.uniform(0.2, 0.9), y.max()
    palm = 0.3 - np.hypot((x - at) * 1.1, (y - low) * 0.8)
    fingers = [
        rng.uniform(0.03, 0.05) - np.abs(x - at - shift * (1 + 0.3 * (low - y))) - 10 * np.clip(low - y - reach, 0, 1)
        for shift, reach in zip((-0.18, -0.06, 0.06, 0.18), rng.uniform(0.45, 0.7, 4), strict=True)
    ]
    return np.clip(np.maximum.reduce([palm, *fingers]) / rng.uniform(0.01, 0.03) + 0.5, 0, 1)
