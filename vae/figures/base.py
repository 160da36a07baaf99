"""What all figures for a paper share: sizes, fonts, files, and a sheet of pictures and labels placed in inches."""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import extras
from ..cards import ModelCard, ModelUnavailable
from ..data import DatasetInfo, Split
from ..encoded import EncodedImages
from ..models import LatentModel
from ..registry import Registry
from ..store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTHS = {"column": 3.25, "page": 6.75}  # inches
FORMATS = {"pdf": "application/pdf", "svg": "image/svg+xml"}
LABEL, SMALL = 8.0, 7.0  # points
MARGIN = 0.02  # inches, around all that is drawn
PIXELS_PER_INCH = 600  # at least, of enlarged pictures: viewers smooth smaller ones
MAX_ENLARGED = 8
STYLE: dict[Any, Any] = {
    # STIX comes with matplotlib and fits the Times of most papers; an SVG names the others for readers without it
    "font.family": "serif", "font.serif": ["STIXGeneral", "Times New Roman", "Times"], "mathtext.fontset": "stix",
    "font.size": LABEL, "axes.labelsize": LABEL, "xtick.labelsize": SMALL, "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL, "axes.linewidth": 0.5, "xtick.major.width": 0.5, "ytick.major.width": 0.5,
    "pdf.fonttype": 42,  # TrueType: submission systems refuse Type 3
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "vae",  # the same figure gives the same file
    "image.composite_image": False,  # each picture is embedded as it is
}  # fmt: skip
LOCK = threading.Lock()  # of STYLE, which matplotlib keeps for the whole process


@dataclass(frozen=True)
class Options:
    """What a figure shows, where it can choose. None and () stand for the figure's default."""

    width: str = "column"  # a key of WIDTHS
    steps: int | None = None  # pictures in a row
    dims: tuple[int, ...] = ()  # latent dimensions
    rows: tuple[int, ...] = ()  # indices of test images
    layout: str = "umap"  # of a map

    def __post_init__(self) -> None:
        if self.width not in WIDTHS:
            raise ValueError(f"the width must be one of {', '.join(WIDTHS)}, not {self.width!r}")
        if self.steps is not None and not 2 <= self.steps <= 50:
            raise ValueError(f"a row has 2 to 50 pictures, not {self.steps}")

    @property
    def inches(self) -> float:
        return WIDTHS[self.width]


class Subject(NamedTuple):
    """The model of a figure, with its data."""

    store: Store
    model: LatentModel
    card: ModelCard
    info: DatasetInfo
    test: Split

    def encoded(self) -> EncodedImages | None:
        """Return the encoded test images; None where the model has no map."""
        try:
            return self.store.read_map(self.card.name)
        except ModelUnavailable:
            return None


class PaperFigure(NamedTuple):
    """A figure, and a caption that says what it shows and how it was made."""

    figure: Figure
    caption: str
    credit: str  # the model and its licence, for the file's metadata

    def file(self, suffix: str) -> bytes:
        """Return the file of one of FORMATS. The same figure gives the same bytes. Raises ValueError for others."""
        import matplotlib

        if suffix not in FORMATS:
            raise ValueError(f"a figure is a file .{' or .'.join(FORMATS)}, not .{suffix}")
        date = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}[suffix]
        buffer = io.BytesIO()
        with LOCK, matplotlib.rc_context(STYLE):
            metadata = {"Title": self.caption, "Creator": self.credit, **date}
            self.figure.savefig(buffer, format=suffix, metadata=metadata, dpi=PIXELS_PER_INCH)
        return buffer.getvalue()


KINDS: Registry[Callable[[Subject, Options], PaperFigure]] = Registry("kind of figure")


def draw(kind: str, name: str, options: Options | None = None, store: Store | None = None) -> PaperFigure:
    """Draw a figure of a model, by its name. kind: a key of KINDS.

    Raises ValueError where matplotlib is missing, for an unknown kind, and for a model or options that the figure
    cannot show; ModelUnavailable and OSError where the model or its test images cannot be read.
    """
    extras.require("figures for a paper", "matplotlib")
    import matplotlib

    if kind not in KINDS:
        raise ValueError(f"there is no figure {kind!r}: expected one of {', '.join(KINDS)}")
    store = store or Store()
    model = store.load(name)
    info = store.dataset(model.card)
    subject = Subject(store, model, model.card, info, info.load("test"))
    with LOCK, matplotlib.rc_context(STYLE):
        return KINDS[kind](subject, options or Options())


def test_images(subject: Subject, rows: tuple[int, ...], count: int, default: tuple[int, ...]) -> tuple[int, ...]:
    """Return the indices of `count` test images. Raises ValueError for another number and for an index too high."""
    rows = rows or default
    if len(rows) != count:
        raise ValueError(f"this figure shows {count} test image{'s' * (count > 1)}, not {len(rows)}")
    for row in rows:
        if not 0 <= row < len(subject.test):
            raise ValueError(f"{subject.info.title} has test images 0 to {len(subject.test) - 1}, not {row}")
    return rows


class Sheet:
    """An empty figure on which pictures and labels are placed in inches from its top left corner."""

    def __init__(self, width: float, height: float):
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height))
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        self.axes.set_axis_off()
        self.axes.autoscale(False)

    def part(self, x: float, y: float, width: float, height: float) -> Axes:
        """Return axes for a chart, with their top left corner at (x, y)."""
        w, h = self.width, self.height
        return self.figure.add_axes((x / w, 1 - (y + height) / h, width / w, height / h))

    def picture(self, pixels: np.ndarray, x: float, y: float, width: float) -> None:
        """Place a picture (H, W, 1 or 3) uint8 with its top left corner at (x, y)."""
        height = width * pixels.shape[0] / pixels.shape[1]
        scale = min(MAX_ENLARGED, math.ceil(PIXELS_PER_INCH * width / pixels.shape[1]))
        enlarged = np.broadcast_to(pixels.repeat(scale, 0).repeat(scale, 1),
                                   (pixels.shape[0] * scale, pixels.shape[1] * scale, 3))  # fmt: skip
        extent = (x, x + width, y + height, y)
        self.axes.imshow(enlarged, extent=extent, aspect="auto", interpolation="none")

    def text(self, x: float, y: float, text: str, align: str = "left", size: float = LABEL, **options: Any) -> None:
        """Place a text whose middle line is at y, and whose left end, centre or right end is at x."""
        options = {"va": "center_baseline", "ha": align, "fontsize": size, **options}
        self.axes.text(x, y, text, **options)
