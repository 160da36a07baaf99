"""What a data set is: a description, and splits that render images by index."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Callable, Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..registry import Registry
from . import images
from .modality import IMAGES, Modality


@dataclass(frozen=True)
class FactorGrid:
    """Images that are drawn from K known factors: every combination of their values is one image.

    render: factor values (B, K) int -> uint8 (B, C, H, W); ValueError for a value out of range.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]  # of each factor, in words
    render: Callable[[np.ndarray], np.ndarray]
    label: int = 0  # the factor whose values are the classes

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each factor has."""
        return tuple(len(values) for values in self.values)

    def __len__(self) -> int:
        return int(np.prod(self.sizes))

    def factors_of(self, numbers: np.ndarray) -> np.ndarray:
        """Image numbers (B,), the last factor fastest -> factor values (B, K)."""
        return np.stack(np.unravel_index(numbers, self.sizes), axis=-1)

    def numbers(self, factors: np.ndarray) -> np.ndarray:
        """Factor values (B, K) -> image numbers (B,)."""
        return np.ravel_multi_index(np.asarray(factors).T, self.sizes)

    def sample(
        self, n: int, rng: np.random.Generator, fixed: dict[str, int] | None = None
    ) -> np.ndarray:
        """n independent uniform draws of all factors, (n, K), with those in `fixed` held.

        Raises ValueError for a factor or a value that does not exist.
        """
        factors = rng.integers(0, self.sizes, size=(n, len(self.sizes)))
        for name, value in (fixed or {}).items():
            if name not in self.names:
                raise ValueError(f"there is no factor {name!r}: expected {', '.join(self.names)}")
            k = self.names.index(name)
            if not 0 <= value < self.sizes[k]:
                raise ValueError(f"{name} has values 0 to {self.sizes[k] - 1}, not {value}")
            factors[:, k] = value
        return factors

    def partners(self, factors: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
        """Factor values (B, K) -> others (B, K) that differ from them in exactly k factors, which
        are drawn for each row, as their new values are. Raises ValueError unless 0 <= k <= K."""
        factors = np.asarray(factors)
        if not 0 <= k <= len(self.sizes):
            raise ValueError(f"pairs can differ in 0 to {len(self.sizes)} factors, not {k}")
        # a step of 1..size-1 around the factor's circle of values reaches every other value
        steps = rng.integers(1, self.sizes, size=factors.shape)
        changed = rng.random(factors.shape).argsort(1) < k
        return np.where(changed, (factors + steps) % self.sizes, factors)

    def sweep(self, factors: np.ndarray, k: int) -> np.ndarray:
        """One image's factor values (K,) -> (V, K): factor k takes each of its values in turn."""
        all_values = np.repeat(np.asarray(factors)[None], self.sizes[k], axis=0)
        all_values[:, k] = np.arange(self.sizes[k])
        return all_values

    def split(self, name: str, test_size: int) -> Split:
        """Return one of SPLITS. A fixed hash of each image's number decides where it belongs:
        test_size images to "test", the next ones to "validation", all others to "train".

        Test and validation images come in the order of their hash, so that the first n are a
        random sample; training images in that of their number.
        """
        check_split(name)
        order = hash_order(len(self))
        end = test_size + validation_size(len(self) - test_size)
        numbers = {
            "test": lambda: order[:test_size],
            "validation": lambda: order[test_size:end],
            "train": lambda: np.sort(order[end:]),
            "train+validation": lambda: np.sort(order[test_size:]),
        }[name]()
        factors = self.factors_of(numbers)
        return Split(lambda rows: self.render(factors[rows]), factors[:, self.label], factors, self, name)


@dataclass(frozen=True)
class Split:
    """N images with their labels, in a fixed order.

    render: indices (B,) -> uint8 (B, C, H, W); images may be kept or drawn on demand.
    """

    render: Callable[[np.ndarray], np.ndarray]
    labels: np.ndarray  # (N,) int64, indices into DatasetInfo.classes
    factors: np.ndarray | None = None  # (N, K) int64, where the truth is known
    grid: FactorGrid | None = None  # and what the factors are
    name: str = ""  # one of SPLITS; "" for images that are no data set's

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray, name: str) -> Split:
        """Return the images at rows (M,), in that order, as a split of their own."""
        factors = None if self.factors is None else self.factors[rows]
        return replace(
            self, render=lambda indices: self.render(rows[indices]), labels=self.labels[rows],
            factors=factors, name=name,
        )  # fmt: skip

    def first(self, n: int) -> Split:
        """Its first n images."""
        return replace(self, labels=self.labels[:n], factors=None if self.factors is None else self.factors[:n])

    def batch(self, indices) -> tuple[Tensor, Tensor]:
        """indices (B,) -> x (B, C, H, W) float in [0, 1], y (B,) int64."""
        indices = np.asarray(indices)
        x = torch.from_numpy(self.render(indices)).float() / 255
        return x, torch.from_numpy(self.labels[indices])

    def batches(self, size: int = 500, rows: Sequence[int] | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield `batch` of consecutive rows, `size` at a time: of all images, or of `rows` alone."""
        rows = range(len(self)) if rows is None else rows
        for first in range(0, len(rows), size):
            yield self.batch(rows[first : first + size])


@dataclass(frozen=True)
class DatasetInfo:
    """A data set's description: all that pages and evaluation need to know of it.

    load(one of SPLITS, download=True) returns a Split, or raises OSError where its files are missing,
    damaged or not to be downloaded.
    """

    name: str
    title: str
    image_shape: tuple[int, int, int]  # (C, H, W)
    classes: tuple[str, ...]
    licence: str
    source: str
    load: Callable[..., Split]
    noun: str = "images"  # what its images are called in a sentence: "digits"
    modality: Modality = IMAGES  # how x becomes a picture
    # how a stranger's picture becomes one of this data set's, see prepare
    white_on_black: bool = False  # dark-on-light drawings are inverted
    centred: bool = False  # what is shown has its centre of mass in the middle, its longer side at 20/28 of the picture
    binary: bool = False  # test pixels are 0 or 1, so that a Bernoulli likelihood is a probability
    # what can be asked of its models
    grid: FactorGrid | None = None  # the factors, where the truth is known
    # {attribute: (factor, the values that have it)}, what people would ask a direction for
    attributes: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    # split -> style numbers (S,) and x (S, classes, C, H, W): each style in every class; where a style is known
    by_style: Callable[[str], tuple[np.ndarray, Tensor]] | None = None
    denoising: bool = False  # models are measured on noisy test images
    out_of_distribution: tuple[str, ...] = ()  # data sets whose test images its models should find to be outliers
    start: int = 0  # the test image that a session begins with
    # files
    shipped: tuple[str, ...] = ()  # splits that come with the project as galleries; "labelled" may be one
    extra: Callable[[str], dict[str, np.ndarray]] | None = None  # split -> further arrays of its gallery
    raw_files: tuple[str, ...] = ()  # below the data folder: what splits that are not shipped are read from

    @property
    def crisp(self) -> bool:
        """Whether its pictures are so small that each pixel is to be seen: enlarged without smoothing."""
        return self.image_shape[1] < CRISP_BELOW

    @property
    def labelled(self) -> bool:
        """Whether some training images ship with their labels, as split "labelled"."""
        return "labelled" in self.shipped

    def prepare(self, image: Image.Image, invert: bool | None = None, centre: bool | None = None) -> images.Prepared:
        """A picture of any size and mode -> x (1, C, H, W) in [0, 1] as this data set's models see it.

        invert, centre: None for the usual guess: light and dark are swapped where the data is light on
        dark and the picture's border is not; what the picture shows is centred where the data is, unless
        the picture has the data's own size.
        """
        if centre is None:
            centre = self.centred and image.size != self.image_shape[:0:-1]
        return images.prepare(image, self.image_shape, self.white_on_black, invert, centre, self.binary)

    def quantise(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [0, 1] with pixels as this data set has them: black or white where it is binary."""
        return (x > 0.5).float() if self.binary else x

    def gallery(self, split: str) -> dict[str, np.ndarray]:
        """Return the arrays of a shipped split's file: images (N, H, W), (N, C, H, W) in colour, and labels (N,)."""
        found = self.load(split)
        x = found.render(np.arange(len(found)))
        labels = found.labels.astype(np.min_scalar_type(len(self.classes) - 1))
        return {"images": x[:, 0] if x.shape[1] == 1 else x, "labels": labels, **(self.extra(split) if self.extra else {})}

    def attribute_values(self) -> dict[str, tuple[int, tuple[int, ...]]]:
        """The attributes in numbers: {name: (k, values of factor k)}."""
        found = {}
        for name, (factor, values) in self.attributes.items():
            k = self.grid.names.index(factor)
            found[name] = k, tuple(self.grid.values[k].index(value) for value in values)
        return found


DATASETS: Registry[DatasetInfo] = Registry("data set")  # each registers itself in its own file
CRISP_BELOW = 64  # pixels of height

# "train+validation" is what "train" was before there was a validation split
SPLITS = ("train", "validation", "test", "train+validation")
MAX_VALIDATION = 5000


def check_split(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: expected one of {', '.join(SPLITS)}")


def refuse_test(split: Split | str, what: str) -> None:
    """Raise ValueError for the test split: `what` chooses, and test images are read to report."""
    if (split if isinstance(split, str) else split.name) == "test":
        raise ValueError(f"{what} must not read the test split: it chooses, and test images are only read to report")


def validation_size(n: int) -> int:
    """Return how many of n images that are not test images make the validation split."""
    return min(n // 10, MAX_VALIDATION)


def hash_order(n: int) -> np.ndarray:
    """Return the numbers 0..n-1 in the order of a fixed hash, a random order that never changes."""
    return np.argsort(_hash(np.arange(n, dtype=np.uint64)), kind="stable")


def _hash(x: np.ndarray) -> np.ndarray:
    """splitmix64 (Steele et al. 2014): the same split on every platform and numpy version."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
