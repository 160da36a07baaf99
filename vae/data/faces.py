"""Faces: cartoon heads and shoulders, 64x64 RGB, composed of parts of "Personas by Draftbit" (Draftbit,
CC BY 4.0, personas.draftbit.com), with changes that `definition` describes.

Nine factors give 414,720 images, each rendered on demand: hair style 10, hair colour 6, skin colour 6,
eyes 4, glasses 2, beard 2, smile 2, shirt colour 6, background 6. Beard and hair have the same colour.

Hair style, eyes and glasses make 80 heads; smile and beard make 4 mouths. `build` renders these once and
stores in faces.npz how much of each ink (skin, hair, ...) every pixel shows. Overlaid, they give 320
drawings; an image is one of them times the colours of its inks.
"""

from __future__ import annotations

import copy
import functools
import io
import json
from pathlib import Path

import numpy as np

from .base import DATASETS, SKEWED, DatasetInfo, FactorGrid, Split, skewed

FACTOR_SIZES = (10, 6, 6, 4, 2, 2, 2, 6, 6)
TEST_SIZE = 10_000
PARTS = Path(__file__).with_name("faces.npz")

# {name of the value: name of the part in the drawings}
HAIR = {
    "balding": "balding", "short": "shortCombover", "high top": "curlyHighTop", "curly": "curly",
    "top knot": "mohawk", "bun": "straightBun", "pigtails": "pigtails", "bob": "bobCut",
    "long": "extraLong", "side-swept": "sideShave",
}  # fmt: skip
EYES = {"open": "open", "happy": "happy", "closed": "sleep", "winking": "wink"}

HAIR_COLOURS = {
    "black": "#2b2430", "brown": "#7d4426", "red": "#cf4f24", "blond": "#f2c14e",
    "grey": "#8f98aa", "blue": "#3f6fd8",
}  # fmt: skip
SKIN_COLOURS = {
    "pale": "#efc3ad", "light": "#e3a07c", "tan": "#c98455", "brown": "#a4683f",
    "dark brown": "#784630", "deep brown": "#512c1d",
}  # fmt: skip
SHIRT_COLOURS = {
    "red": "#e24553", "yellow": "#f3b63a", "green": "#5fae57", "teal": "#3fc4b8",
    "indigo": "#4550c8", "white": "#f4f4f6",
}  # fmt: skip
BACKGROUNDS = {
    "sky": "#c3dcf2", "mint": "#c6ecd2", "cream": "#fbeec4", "rose": "#f9ccd6",
    "lilac": "#d0b4f0", "stone": "#b4bac2",
}  # fmt: skip

# {attribute: (factor, its values that have the attribute)}
ATTRIBUTES = {
    "glasses": ("glasses", ("yes",)), "beard": ("beard", ("yes",)), "smile": ("smile", ("yes",)),
    "dark skin": ("skin colour", ("brown", "dark brown", "deep brown")),
    "long hair": ("hair style", ("pigtails", "bob", "long", "side-swept")),
}  # fmt: skip

# Colour layers of the drawings: "face" is lit skin, "shine" the light on a bald head, "hairLight" lit
# hair, "line" eyes, frames and mouth, "white" the glare on lenses, "band" a hairband.
INKS = (
    "background", "skin", "face", "nose", "shine", "hair", "hairLight", "shirt",
    "line", "white", "band",
)  # fmt: skip


def _rgb(colours: dict[str, str]) -> np.ndarray:
    """Return colours {name: "#rrggbb"} as (N, 3) float32, 0 to 1."""
    return np.array([list(bytes.fromhex(c[1:])) for c in colours.values()], np.float32) / 255


def _overlay(below: np.ndarray, light: int, opacity: float) -> np.ndarray:
    """Blend colours (..., 3) with white (light 1) or black (light 0) in the blend mode "overlay"."""
    blended = np.clip(2 * below - 1 + light, 0, 1)
    return (1 - opacity) * below + opacity * blended


# colours of the inks for each value of the factor that sets them
_skin, _hair = _rgb(SKIN_COLOURS), _rgb(HAIR_COLOURS)
_face = _overlay(_skin, 1, 0.36)
SKIN_INKS = np.stack([_skin, _face, _overlay(_face, 0, 0.36), _overlay(_face, 1, 0.2)], 1)
HAIR_INKS = np.stack([_hair, _overlay(_hair, 1, 0.26)], 1)
SHIRT_INKS, BACKGROUND_INKS = _rgb(SHIRT_COLOURS)[:, None], _rgb(BACKGROUNDS)[:, None]
FIXED_COLOURS = {"line": "#1b0640", "white": "#ffffff", "band": "#f55d81"}


def render(factors: np.ndarray) -> np.ndarray:
    """Render factor values (B, 9) int as images (B, 3, 64, 64) uint8.

    Raises ValueError for a value outside its factor's range.
    """
    factors = np.asarray(factors)
    if factors.ndim != 2 or factors.shape[1] != 9:
        raise ValueError(f"factors must have shape (B, 9), not {factors.shape}")
    if (factors < 0).any() or (factors >= FACTOR_SIZES).any():
        raise ValueError(f"factor values must lie in 0..size-1 for sizes {FACTOR_SIZES}")
    hair, hair_colour, skin, eyes, glasses, beard, smile, shirt, background = factors.T
    fixed = np.broadcast_to(_rgb(FIXED_COLOURS), (len(factors), 3, 3))
    colours = np.concatenate([  # (B, inks, RGB), in the order of INKS
        BACKGROUND_INKS[background], SKIN_INKS[skin], HAIR_INKS[hair_colour], SHIRT_INKS[shirt],
        fixed,
    ], 1)  # fmt: skip
    amounts = _amounts()[eyes, glasses, hair, smile, beard].astype(np.float32)
    amounts = amounts.reshape(len(factors), len(INKS), 64 * 64)
    # adding 0.5 before truncation rounds; 255 is the maximum
    pixels = np.minimum(colours.swapaxes(1, 2) @ amounts + 0.5, 255)  # (B, RGB, 4096)
    return pixels.astype(np.uint8).reshape(len(factors), 3, 64, 64)


@functools.cache
def _amounts() -> np.ndarray:
    """Return how much of each ink every pixel shows: (4, 2, 10, 2, 2, inks, 64, 64) uint8.

    The first axes are eyes, glasses, hair, smile and beard; the inks of a pixel sum to 255.
    """
    with np.load(PARTS, allow_pickle=False) as file:
        heads, mouths = file["heads"].astype(np.float32), file["mouths"].astype(np.float32)
    # the background fills the rest; rounded inks may sum to 256
    heads[:, 0] = np.maximum(255 - heads.sum(1), 0)
    shows_below = 1 - mouths.sum(1, keepdims=True) / 255
    drawings = heads[:, None] * shows_below + mouths  # (80, 4, inks, 64, 64)
    return np.round(drawings).astype(np.uint8).reshape(4, 2, 10, 2, 2, len(INKS), 64, 64)


# How faces.npz is made, with dicebear-core 10.7, dicebear-styles 10.6 and resvg-py 0.5.


def definition() -> dict:
    """Return DiceBear's definition of the Personas style, with two changes.

    Light on a masked shape blends with the colour below it (in the original the mask keeps it plain white),
    and every kind of eyes has a variant "<eyes>Glasses" (in the original only open eyes).
    """
    from importlib.resources import files

    style = json.loads((files("dicebear_styles") / "personas.json").read_text(encoding="utf-8"))
    for element in _elements(style):
        if "mask" in element["attributes"]:
            for child in element["children"]:
                for key in ("style", "opacity"):  # the blend mode and its strength
                    if key in child["attributes"]:
                        element["attributes"][key] = child["attributes"].pop(key)
    eyes = style["components"]["eyes"]["variants"]
    worn = eyes["glasses"]["elements"]
    for name in EYES.values():
        # the first element of the original glasses is the open eyes behind them
        behind = worn[:1] if name == "open" else eyes[name]["elements"]
        eyes[f"{name}Glasses"] = {"elements": copy.deepcopy(behind + worn[1:])}
    return style


def _elements(node: object) -> list[dict]:
    """Return all drawn elements below a node of a style, without those that only mask others."""
    if isinstance(node, list):
        return [element for child in node for element in _elements(child)]
    if not isinstance(node, dict) or node.get("name") in ("mask", "defs"):
        return []
    below = [element for child in node.values() for element in _elements(child)]
    return [node] * (node.get("type") == "element") + below


def _in_inks(style: dict) -> dict:
    """Return a copy of a style with inks for colours, each at full strength where the style blends or lightens."""
    style = copy.deepcopy(style)
    style["colors"] = {ink: {"values": ["#000000"]} for ink in INKS}
    parts = style["components"]
    blends = [
        (style["canvas"], "face"), (parts["nose"], "nose"),
        (parts["hair"]["variants"]["balding"], "shine"), (parts["hair"], "hairLight"),
    ]  # fmt: skip
    for part, ink in blends:
        for element in _elements(part):
            if "mix-blend-mode" in element["attributes"].get("style", ""):
                del element["attributes"]["style"], element["attributes"]["opacity"]
                for piece in [element, *element.get("children", [])]:
                    piece["attributes"]["fill"] = {"type": "color", "name": ink}
    inks = {"facialHair": "hair", "clothing": "shirt", "#1B0640": "line", "#F55D81": "band"}
    for element in _elements(style):
        fill = element["attributes"].get("fill")
        name = fill["name"] if isinstance(fill, dict) else fill
        if inks.get(name, name) in INKS:
            element["attributes"]["fill"] = {"type": "color", "name": inks.get(name, name)}
    return style


def rasterise(svg: str, samples: int = 16) -> np.ndarray:
    """Rasterise an SVG on black: (3, 64, 64) float64, 0 to 255, each pixel the mean of samples^2 points."""
    import resvg_py
    from PIL import Image

    n = 64 * samples
    png = resvg_py.svg_to_bytes(svg_string=svg, width=n, height=n, skip_system_fonts=True)
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), np.float64)
    pixels = pixels[..., :3] * (pixels[..., 3:] / 255)
    return pixels.reshape(64, samples, 64, samples, 3).mean((1, 3)).transpose(2, 0, 1)


def build() -> None:
    """Render all heads and mouths and write faces.npz. Takes a minute."""
    from dicebear import Avatar, Style

    style = _in_inks(definition())
    canvas = style["canvas"]["elements"]
    components = {element["name"]: element for element in canvas if element["type"] == "component"}
    skull = [element for element in canvas if element["type"] == "element"]
    fixed = {
        "seed": "", "noseVariant": "mediumRound", "clothesVariant": "rounded",
        "facialHairVariant": "goatee", "facialHairProbability": 100,
    }  # fmt: skip

    def draw(shown: list[dict], **options: str) -> np.ndarray:
        """Render these elements alone, without a background: (inks, 64, 64) uint8, how much of each ink."""
        alone = Style({**style, "canvas": {**style["canvas"], "elements": shown}})
        amounts = np.zeros((len(INKS), 64, 64))
        for first in range(1, len(INKS), 3):  # three inks at a time, as red, green and blue
            three = INKS[first : first + 3]
            colours = {f"{ink}Color": "#000000" for ink in INKS[1:]}
            colours |= {f"{ink}Color": f"#{0xFF0000 >> 8 * k:06x}" for k, ink in enumerate(three)}
            svg = str(Avatar(alone, {**fixed, **options, **colours}))
            amounts[first : first + 3] = rasterise(svg)[: len(three)]
        return np.round(amounts).astype(np.uint8)

    # the nose comes first, so that glasses cover it: no ink exists for the shade of a nose on glasses
    head = skull + [components[name] for name in ("nose", "eyes", "hair", "clothes")]
    mouth, beard = components["mouth"], components["facialHair"]
    np.savez_compressed(
        PARTS,
        heads=[
            draw(head, eyesVariant=eyes + worn, hairVariant=hair)
            for eyes in EYES.values() for worn in ("", "Glasses") for hair in HAIR.values()
        ],
        mouths=[
            draw(shown, mouthVariant=name)
            for name in ("frown", "smile") for shown in ([mouth], [mouth, beard])
        ],
    )  # fmt: skip


GROUP = "skin colour"
NO_YES = ("no", "yes")
GRID = FactorGrid(
    (
        "hair style", "hair colour", "skin colour", "eyes", "glasses", "beard", "smile",
        "shirt colour", "background",
    ),
    (
        tuple(HAIR), tuple(HAIR_COLOURS), tuple(SKIN_COLOURS), tuple(EYES), NO_YES, NO_YES, NO_YES,
        tuple(SHIRT_COLOURS), tuple(BACKGROUNDS),
    ),
    render,
    label=0,
)  # fmt: skip


def load(split: str, download: bool = True) -> Split:
    """Return one of SPLITS, or one of SKEWED: fewer different images the darker the skin. Images are rendered on
    demand; nothing is downloaded."""
    if split in SKEWED:
        return skewed(GRID.split("train", TEST_SIZE), GRID.names.index(GROUP), split == "reweighted", split)
    return GRID.split(split, TEST_SIZE)


INFO = DATASETS.register("faces")(DatasetInfo(
    name="faces",
    title="Cartoon faces",
    image_shape=(3, 64, 64),
    classes=tuple(HAIR),
    licence="CC BY 4.0 (drawings by Draftbit, with changes)",
    source="parts of Personas by Draftbit (personas.draftbit.com), by way of DiceBear",
    load=load,
    noun="faces",
    grid=GRID,
    attributes=ATTRIBUTES,
    group=GROUP,
    start=18,  # every attribute's direction is visible on this face, for both models
))  # fmt: skip
