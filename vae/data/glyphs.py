"""Glyphs: 62 characters (A-Z, a-z, 0-9) in 668 font styles, 32x32 grey, white on black.

All characters of a style have the same scale, and each is centred in its image: p is no lower than d.

The source has 725 styles; ODD and TWINS are left out. The test and validation splits consist of whole
styles, none within NEAR of a style in another split. Another weight of the same typeface may be in train:
the source does not say which styles belong together.
"""

from __future__ import annotations

import hashlib
import string
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np

from .. import folders
from . import idx
from .base import DATASETS, DatasetInfo, Split, _hash, check_split
from .preparing import Preparation

if TYPE_CHECKING:
    from torch import Tensor

FILE = "ofl_glyphs_725styles_62x32x32.npz"
CONTENT_MD5 = "6d955e70204b0049a3abdea4b8e9cd58"  # of the images, sorted by style and character

CHARACTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
SOURCE_STYLES = 725

# Distances between styles are mean squared differences of their pixels in [0, 1]. The distance of two
# random styles is 0.047; 0.005 is about one step of weight.
TWIN = 0.001
NEAR = 0.005
TEST_STYLES, VALIDATION_STYLES = 80, 58
MAX_GROUP_SIZE = 8

# 45 shows tiny letters on keyboard keys, 663 has runes instead of letters
ODD = (45, 663)
# styles within TWIN of an earlier one, almost indistinguishable by eye
TWINS = (
    98, 99, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 200, 203, 204, 205, 206,
    207, 208, 209, 210, 211, 212, 213, 214, 216, 218, 222, 254, 255, 270, 280, 398, 404, 406,
    407, 408, 425, 426, 446, 448, 501, 504, 509, 514, 518, 592, 616, 625, 651, 654, 690, 723,
)  # fmt: skip
# chosen by choose_styles
TEST = (
    3, 10, 21, 33, 41, 48, 49, 66, 68, 69, 82, 83, 92, 94, 95, 97, 100, 106, 107, 120, 122, 133,
    162, 173, 179, 184, 186, 201, 220, 233, 236, 258, 259, 260, 261, 263, 290, 292, 310, 340,
    356, 368, 382, 386, 441, 445, 447, 500, 502, 508, 515, 525, 530, 532, 535, 542, 544, 546,
    558, 565, 574, 577, 579, 581, 588, 589, 603, 609, 619, 620, 624, 629, 656, 658, 662, 666,
    669, 688, 689, 692,
)  # fmt: skip
# a tenth of the others, also chosen by choose_styles
VALIDATION = (
    20, 40, 57, 61, 62, 63, 64, 65, 88, 131, 158, 183, 185, 199, 202, 229, 243, 244, 245, 247, 253,
    300, 303, 304, 305, 311, 312, 315, 334, 370, 385, 391, 432, 440, 443, 491, 493, 498, 526, 529,
    531, 543, 559, 599, 601, 604, 608, 622, 636, 640, 641, 643, 646, 659, 660, 661, 672, 674,
)  # fmt: skip
_OTHERS = tuple(s for s in range(SOURCE_STYLES) if s not in ODD + TWINS + TEST)
TRAIN = tuple(s for s in _OTHERS if s not in VALIDATION)
STYLES = {"test": TEST, "validation": VALIDATION, "train": TRAIN, "train+validation": _OTHERS}


def load(split: str, download: bool = True) -> Split:
    """Return one of SPLITS, with all 62 characters of its styles.

    The test split ships with the project as pretrained/galleries/glyphs.npz. The others are read from
    folders.data()/fonts and cannot be downloaded. Raises OSError for missing or damaged files.
    """
    numbers = _numbers(split)
    labels = numbers % len(CHARACTERS)
    gallery = idx.GALLERIES / "glyphs.npz"
    if split == "test" and gallery.exists():
        images = _read_gallery(labels)
    elif split == "test" and not download:
        raise OSError(f"{gallery.name} is missing")
    else:
        images = read_source().reshape(-1, 32, 32)[numbers]
    images = images[:, None]  # (N, 32, 32) -> (N, 1, 32, 32)
    return Split(images.__getitem__, labels, name=split)


def styles(split: str) -> np.ndarray:
    """Return the style number (N,) int64 of each image of one of SPLITS, in the split's order."""
    return _numbers(split) // len(CHARACTERS)


def by_style(split: str) -> tuple[np.ndarray, Tensor]:
    """Return the style numbers (S,) of a split, ascending, and their glyphs (S, 62, 1, 32, 32) float in [0, 1].

    Raises OSError as load does.
    """
    numbers = _numbers(split)
    x, _ = load(split).batch(np.argsort(numbers))
    return np.unique(styles(split)), x.unflatten(0, (-1, len(CHARACTERS)))


def _numbers(split: str) -> np.ndarray:
    """Return the image numbers (N,) int64 of a split in its order; a number is 62 * style + character.

    Test and validation images are in the order of a hash, so that the first n are a random sample.
    """
    check_split(split)
    chosen = np.array(STYLES[split], np.int64)
    numbers = (chosen[:, None] * len(CHARACTERS) + np.arange(len(CHARACTERS))).ravel()
    if split in ("test", "validation"):
        numbers = numbers[np.argsort(_hash(numbers.astype(np.uint64)), kind="stable")]
    return numbers


def _read_gallery(labels: np.ndarray) -> np.ndarray:
    """Return the images (N, 32, 32) of the test split. Raises OSError unless they have these labels (N,)."""
    gallery = idx.GALLERIES / "glyphs.npz"
    images, stored_labels = idx.read_gallery(gallery)
    if images.shape != (len(labels), 32, 32) or not np.array_equal(stored_labels, labels):
        raise OSError(f"{gallery.name} holds other glyphs than the test split of this version")
    return images


def read_source() -> np.ndarray:
    """Read all styles, uint8 (725, 62, 32, 32). Raises OSError where the file is missing or damaged."""
    path = folders.data() / "fonts" / FILE
    if not path.exists():
        raise OSError(
            f"{FILE} cannot be downloaded: put it into {path.parent}, or set VAE_DATA to a folder "
            f"that holds fonts/{FILE}"
        )
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            x, y, f = file["x"], file["y"], file["f"]
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise OSError(f"{path.name} is damaged: {error}") from error
    x = x[np.lexsort((y, f))]
    md5 = hashlib.md5(x.tobytes()).hexdigest()
    if md5 != CONTENT_MD5:
        raise OSError(f"{path.name} has other images than expected (md5 {md5}, not {CONTENT_MD5})")
    return x.reshape(SOURCE_STYLES, len(CHARACTERS), 32, 32)


def distances(images: np.ndarray) -> np.ndarray:
    """Return the mean squared pixel differences (S, S) between styles (S, 62, 32, 32) uint8."""
    import torch

    x = torch.from_numpy(images.reshape(len(images), -1)).float() / 255
    squares = x.square().sum(1)
    return ((squares[:, None] + squares - 2 * x @ x.T) / x.shape[1]).clamp(min=0).numpy()


def choose_styles(distance: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return (TWINS, TEST, VALIDATION), given the distances between all styles (S, S); styles in ODD are left out.

    Groups are the connected components of styles within NEAR of each other; a group goes into one split as a
    whole. Groups of up to MAX_GROUP_SIZE styles fill first the test split, then the validation split, in the order
    of a hash of their first style; a group that would make the split too large is skipped. The larger groups, four
    chains of common text faces, would fill a third of the test split.
    """
    from scipy.sparse.csgraph import connected_components

    apart: list[int] = []  # styles that are not twins
    twins: list[int] = []
    for style in range(len(distance)):
        if style not in ODD:
            is_twin = (distance[style][apart] < TWIN).any()
            (twins if is_twin else apart).append(style)
    kept = np.array(apart)
    count, group_of = connected_components(distance[np.ix_(kept, kept)] < NEAR)
    groups = [kept[group_of == k] for k in range(count)]
    hashes = _hash(np.array([group[0] for group in groups], np.uint64))
    candidates = [groups[k] for k in np.argsort(hashes, kind="stable") if len(groups[k]) <= MAX_GROUP_SIZE]
    test, candidates = _fill(candidates, TEST_STYLES)
    validation, _ = _fill(candidates, VALIDATION_STYLES)
    return tuple(twins), test, validation


def _fill(groups: list[np.ndarray], size: int) -> tuple[tuple[int, ...], list[np.ndarray]]:
    """Return the styles of the groups that fit into a split of `size`, taken in order, and the groups left over."""
    split: list[int] = []
    skipped: list[np.ndarray] = []
    for group in groups:
        if len(split) + len(group) <= size:
            split += group.tolist()
        else:
            skipped.append(group)
    return tuple(sorted(split)), skipped


def style_numbers(split: str) -> dict[str, np.ndarray]:
    """Return the array that a gallery holds besides images and labels."""
    return {"styles": styles(split).astype(np.uint16)}


INFO = DATASETS.register("glyphs")(DatasetInfo(
    name="glyphs",
    title="Glyphs",
    image_shape=(1, 32, 32),
    classes=tuple(CHARACTERS),
    licence="SIL Open Font Licence (the fonts)",
    source="rendered from Debian's packaged OFL fonts; the data set does not carry family names",
    load=load,
    noun="glyphs",
    preparation=Preparation("glyph", light_on_dark=True, longer_side=17),
    by_style=by_style,
    shipped=("test",),
    offline=(),
    extra=style_numbers,
    raw_files=(f"fonts/{FILE}",),
))  # fmt: skip
