"""What a training looks like: its scene, its frames and its curves, as files from one process to the other.

The reading side treats a file as data: its size and its arrays' shapes and types are checked, nothing is unpickled.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from .. import jobs

MAX_FRAMES = 120  # kept of one training
MAX_ROWS = 2000  # of its curves
MAX_POINTS = 1000  # validation images in the plane
MAX_DIMS = 4096  # of a KL per dimension
MAX_PICTURE = 400_000  # bytes of an encoded picture
MAX_FILE = 2_000_000  # bytes of a scene's or a frame's arrays
PLANE = 12  # decoded images along each side of the plane
SHOWN = 8  # images that are reconstructed, and samples
FRAMES, SCENE = "frames", "scene.npz"

Part = TypeVar("Part", "Scene", "Frame")
Item = TypeVar("Item")
SIGNATURES = (b"RIFF", b"\x89PNG")  # of WebP and PNG


@dataclass(frozen=True)
class Scene:
    """What stays the same in all frames."""

    labels: np.ndarray  # (P,) int64, classes of the validation images in the plane; P is at most MAX_POINTS
    originals: bytes  # a picture of the SHOWN images in a row
    train_images: int
    steps_per_epoch: int
    plane_class: int  # the class that the plane is decoded with by a conditional model, else 0


@dataclass(frozen=True)
class Frame:
    """A training at one step. Terms are nats per image, summed over pixels and dimensions.

    The validation terms are those of the P images in the plane, with one posterior sample each (seed 0), and with the
    weights that the training would end with: their moving average. The training terms are the mean over the batches
    since the frame before, with the weights themselves; NaN before the first batch.
    """

    step: int  # steps taken
    images_seen: int
    beta: float  # of the next step
    train: np.ndarray  # (3,) float64: recon, kl, loss
    validation: np.ndarray  # (3,) float64: recon, kl, loss
    kl: np.ndarray  # (D,) float32, validation KL per dimension; of a VQ-VAE -log p of each position
    codes: np.ndarray  # (P, 2) float32, positions of the validation images
    extent: np.ndarray  # (4,) float32: x from, x to, y from, y to, of the plane's picture
    plane: bytes  # a picture of PLANE x PLANE decoded images, the first row at the largest y
    reconstructions: bytes  # a picture of the SHOWN images' reconstructions in a row
    samples: bytes  # a picture of SHOWN samples from the prior in a row, of the same noise in all frames
    moves: np.ndarray  # (M, 2) float64: step and beta of each change of beta since the frame before

    @property
    def loss(self) -> float:
        """The validation loss that training minimises."""
        return float(self.validation[2])


@dataclass(frozen=True)
class Curve:
    """The terms of T frames, in nats per image; see Frame."""

    step: np.ndarray  # (T,) int64
    beta: np.ndarray  # (T,)
    train: np.ndarray  # (T, 3): recon, kl, loss
    validation: np.ndarray  # (T, 3): recon, kl, loss
    kl_per_dim: np.ndarray  # (T, D)


SHAPES: dict[str, tuple[type, tuple[int | str, ...]]] = {
    "labels": (np.int64, ("P",)), "train": (np.float64, (3,)), "validation": (np.float64, (3,)),
    "kl": (np.float32, ("D",)), "codes": (np.float32, ("P", 2)), "extent": (np.float32, (4,)),
    "moves": (np.float64, ("M", 2)),
}  # fmt: skip
LIMITS = {"P": MAX_POINTS, "D": MAX_DIMS, "M": 10_000}


def write(part: Scene | Frame, path: Path) -> None:
    """Write a scene or a frame, all of it or nothing. Raises OSError."""
    values = {f.name: getattr(part, f.name) for f in fields(part)}
    arrays = {key: np.frombuffer(v, np.uint8) if isinstance(v, bytes) else np.asarray(v) for key, v in values.items()}
    temporary = path.with_name(f"{path.name}.writing")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def read(kind: type[Part], path: Path) -> Part:
    """Read a scene or a frame. Raises FileNotFoundError, ValueError for content that is none, and what zipfile and
    numpy raise where it is damaged."""
    arrays = jobs.read_arrays(path, MAX_FILE)
    values: dict[str, Any] = {f.name: _parsed(f.name, str(f.type), arrays[f.name]) for f in fields(kind)}
    return kind(**values)


def _parsed(name: str, kind: str, value: np.ndarray) -> int | float | bytes | np.ndarray:
    """Return a field of the type that its class gives. Raises ValueError."""
    if kind == "bytes":
        content = value.tobytes()
        if value.dtype != np.uint8 or len(content) > MAX_PICTURE or not content.startswith(SIGNATURES):
            raise ValueError(f"{name} is no picture")
        return content
    if kind in ("int", "float"):
        number = value.item()  # ValueError where it is no scalar
        if not np.isfinite(number) or number < 0:
            raise ValueError(f"{name} is no number")
        return int(number) if kind == "int" else float(number)
    dtype, shape = SHAPES[name]
    fits = value.ndim == len(shape) and all(
        size <= LIMITS[expected] if isinstance(expected, str) else size == expected
        for size, expected in zip(value.shape, shape, strict=True)
    )
    if value.dtype != dtype or not fits or (name != "train" and not np.isfinite(value).all()):
        raise ValueError(f"{name} does not belong to a frame")
    return value


class Thinned(Generic[Item]):
    """A list of at most `size` of the items that were added: when it is full, every second one is dropped.

    The items kept are every stride-th one and the newest, so that they are spaced evenly.
    """

    def __init__(self, size: int):
        self.size, self.stride, self.count = size, 1, 0
        self.even: list[Item] = []
        self.last: Item | None = None

    def add(self, item: Item) -> None:
        self.last = item
        if self.count % self.stride == 0:
            self.even.append(item)
        self.count += 1
        if len(self.even) >= self.size:
            self.even = self.even[::2]
            self.stride *= 2

    @property
    def kept(self) -> list[Item]:
        """The first, every stride-th and the newest item."""
        even = list(self.even)
        return even if self.last is None or (even and even[-1] is self.last) else [*even, self.last]


class Film:
    """The frames of a training, at most MAX_FRAMES of them at even distances, and its curves.

    The first and the last frame are always kept. Of the curves, at most MAX_ROWS rows are.
    """

    def __init__(self, max_frames: int = MAX_FRAMES, max_rows: int = MAX_ROWS):
        self._frames: Thinned[Frame] = Thinned(max_frames)
        self._rows: Thinned[Frame] = Thinned(max_rows)  # without pictures and codes
        self.moves: list[tuple[int, float]] = []  # (step, beta) from which on beta holds

    def add(self, frame: Frame) -> None:
        """Append a frame. Raises ValueError for one of another number of points or dimensions, or of an older step."""
        if last := self._frames.last:
            if frame.codes.shape != last.codes.shape or frame.kl.shape != last.kl.shape or frame.step < last.step:
                raise ValueError("the frame belongs to another training")
        self.moves += [(int(step), float(beta)) for step, beta in frame.moves]
        self._frames.add(frame)
        empty = np.zeros((0, 2))
        self._rows.add(replace(frame, codes=empty, moves=empty, plane=b"", reconstructions=b"", samples=b""))

    def after(self, step: int) -> list[Frame]:
        """Return the kept frames of more than so many steps; -1 for all."""
        return [frame for frame in self._frames.kept if frame.step > step]

    @property
    def last(self) -> Frame | None:
        return self._frames.last

    def curve(self) -> Curve:
        rows = self._rows.kept
        stacked = {name: np.array([getattr(row, name) for row in rows]) for name in ("step", "beta")}
        train, validation = (
            np.array([getattr(row, name) for row in rows]).reshape(-1, 3) for name in ("train", "validation")
        )
        kl = np.array([row.kl for row in rows]).reshape(len(rows), -1 if rows else 0)
        return Curve(stacked["step"].astype(np.int64), stacked["beta"].astype(float), train, validation, kl)
