"""The interface of a data set: a description, and splits that render images by index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from PIL import Image

from ..registry import Registry
from .modality import IMAGES, Modality
from .preparing import Preparation, Prepared, prepare

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Cycle:
    """A factor whose values lie on a circle, such as an angle or a hue."""

    turns: tuple[float, ...]  # of each value, as a share of a full turn
    by: str = ""  # the factor that decides how often an image looks the same during a turn ...
    repeats: Mapping[str, int] = field(default_factory=dict)  # ... by its values; 1 for those that are absent


@dataclass(frozen=True)
class Factors:
    """The names of K known factors and of their values. Each image has one value of each, as an index.

    ordered: the factors whose values have an order. cycles: those whose values lie on a circle. Others are classes.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]  # names of each factor's values
    ordered: frozenset[str] = field(default=frozenset(), kw_only=True)
    cycles: Mapping[str, Cycle] = field(default_factory=dict, kw_only=True, compare=False)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of values of each factor."""
        return tuple(len(values) for values in self.values)


def parse_factors(content: object) -> Factors:
    """Return factors from {"names": [...], "values": [[...], ...]}, as JSON has them. Raises ValueError for others."""
    fields = content if isinstance(content, dict) else {}
    names, values = fields.get("names"), fields.get("values")
    if not are_labels(names, MAX_FACTORS) or not isinstance(values, list) or len(values) != len(names):
        raise ValueError("its known factors must be given as names and as lists of values")
    if not all(are_labels(of_one, MAX_FACTOR_VALUES) for of_one in values):
        raise ValueError(f"each known factor must have 1 to {MAX_FACTOR_VALUES} different values")
    return Factors(tuple(names), tuple(map(tuple, values)))


def are_labels(values: object, most: int) -> TypeGuard[list[str]]:
    """Return whether values are a list of 1 to `most` different texts of at most MAX_LABEL characters."""
    if not isinstance(values, list) or not 0 < len(values) <= most:
        return False
    return all(isinstance(v, str) and 0 < len(v) <= MAX_LABEL for v in values) and len(set(values)) == len(values)


@dataclass(frozen=True)
class FactorGrid(Factors):
    """A set of images of K known factors, one for every combination of their values.

    render: factor values (B, K) int -> uint8 (B, C, H, W); raises ValueError for a value out of range.
    """

    render: Callable[[np.ndarray], np.ndarray]
    label: int = 0  # the factor whose values are the classes

    def __len__(self) -> int:
        return int(np.prod(self.sizes))

    def factors_of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the factor values (B, K) of image numbers (B,); the last factor varies fastest."""
        return np.stack(np.unravel_index(numbers, self.sizes), axis=-1)

    def numbers(self, factors: np.ndarray) -> np.ndarray:
        """Return the image numbers (B,) of factor values (B, K)."""
        return np.ravel_multi_index(np.asarray(factors).T, self.sizes)

    def sample(
        self, n: int, rng: np.random.Generator, fixed: dict[str, int] | None = None
    ) -> np.ndarray:
        """Sample all factors n times, independently and uniformly, (n, K), with the factors in `fixed` held.

        Raises ValueError for an unknown factor or value.
        """
        factors = rng.integers(0, self.sizes, size=(n, len(self.sizes)))
        for name, value in (fixed or {}).items():
            if name not in self.names:
                raise ValueError(f"there is no factor {name!r}: expected one of {', '.join(self.names)}")
            k = self.names.index(name)
            if not 0 <= value < self.sizes[k]:
                raise ValueError(f"{name} has values 0 to {self.sizes[k] - 1}, not {value}")
            factors[:, k] = value
        return factors

    def partners(self, factors: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
        """Return factor values (B, K) that differ from the given ones (B, K) in exactly k factors.

        The factors and their new values are sampled for each row. Raises ValueError unless 0 <= k <= K.
        """
        factors = np.asarray(factors)
        if not 0 <= k <= len(self.sizes):
            raise ValueError(f"pairs can differ in 0 to {len(self.sizes)} factors, not {k}")
        # adding 1..size-1 modulo the size reaches every other value
        steps = rng.integers(1, self.sizes, size=factors.shape)
        changed = rng.random(factors.shape).argsort(1) < k
        return np.where(changed, (factors + steps) % self.sizes, factors)

    def nearest(self, factors: np.ndarray, k: int) -> np.ndarray:
        """Return the factors (K,) of the image nearest to these (K,), of which factor k was set: themselves."""
        return np.asarray(factors)

    def sweep(self, factors: np.ndarray, k: int) -> np.ndarray:
        """Return factor values (V, K): those of one image (K,), with factor k set to each of its V values."""
        all_values = np.repeat(np.asarray(factors)[None], self.sizes[k], axis=0)
        all_values[:, k] = np.arange(self.sizes[k])
        return all_values

    def split(self, name: str, test_size: int) -> Split:
        """Return one of SPLITS. A fixed hash of the image numbers decides: the first test_size images are "test",
        the next ones "validation", all others "train".

        Test and validation images are in hash order, so that the first n are a random sample; training images
        are in the order of their numbers.
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
        return Split(partial(render_rows, self.render, factors), factors[:, self.label], factors, self, name)


@dataclass(frozen=True)
class Split:
    """A sequence of N images with labels, in a fixed order.

    render: indices (B,) -> uint8 (B, C, H, W); images may be stored or rendered on demand. It must be picklable,
    since a split is sent to the workers of a DataLoader.
    """

    render: Callable[[np.ndarray], np.ndarray]
    labels: np.ndarray  # (N,) int64, indices into DatasetInfo.classes
    factors: np.ndarray | None = None  # (N, K) int64; None without known factors
    grid: FactorGrid | None = None  # the grid of these factors, if they form one
    name: str = ""  # one of SPLITS; "" for images from outside a data set

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray | slice, name: str) -> Split:
        """Return the images at rows, in this order, as a new split.

        rows: indices (M,), a mask (N,) or a slice.
        """
        rows = np.arange(len(self))[rows]
        factors = None if self.factors is None else self.factors[rows]
        render = partial(render_rows, self.render, rows)
        return replace(self, render=render, labels=self.labels[rows], factors=factors, name=name)

    def first(self, n: int) -> Split:
        """Return the first n images as a new split. Raises ValueError for a negative n."""
        if n < 0:
            raise ValueError(f"a split has no first {n} images")
        return self.take(slice(n), self.name)

    def batch(self, indices: Sequence[int] | np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the images at indices (B,), where B may be 0: x (B, C, H, W) float in [0, 1], y (B,) int64."""
        import torch  # here, because a page shows thumbnails before torch is loaded

        indices = np.asarray(indices)
        indices = indices if indices.size else indices.astype(np.int64)  # an empty list is an array of floats
        x = torch.from_numpy(self.render(indices)).float() / 255
        return x, torch.from_numpy(self.labels[indices])

    def batches(
        self, size: int = 500, rows: Sequence[int] | np.ndarray | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield `batch` of consecutive rows, `size` at a time: of all images, or of `rows` only."""
        rows = range(len(self)) if rows is None else rows
        for first in range(0, len(rows), size):
            yield self.batch(rows[first : first + size])


def render_rows(render: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Render the images at indices (B,) of rows: image numbers (N,), or factor values (N, K)."""
    return render(rows[indices])


@dataclass(frozen=True)
class DatasetInfo:
    """The description of a data set: everything that pages and evaluation need.

    load(one of SPLITS, download=True) returns a Split, or raises OSError where its files are missing,
    damaged or cannot be downloaded.
    """

    name: str
    title: str
    image_shape: tuple[int, int, int]  # (C, H, W)
    classes: tuple[str, ...]
    licence: str
    source: str
    load: Callable[..., Split]
    noun: str = "images"  # plural name of its images in a sentence: "digits"
    modality: Modality = IMAGES  # how x is shown as an image
    preparation: Preparation = Preparation()  # how a picture from anywhere becomes an image of this data
    binary: bool = False  # test pixels are 0 or 1, so that a Bernoulli likelihood is a probability
    # what its models are measured on and used for
    grid: FactorGrid | None = None  # None unless every combination of known factors has an image
    factor_table: Factors | None = None  # known factors that are stored for each image, in a grid or not
    # {attribute: (factor, its values that have the attribute)}; each has a direction in latent space
    attributes: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    group: str = ""  # the factor whose values are compared for fairness, "" for none
    # split -> style numbers (S,) and x (S, classes, C, H, W), each style in every class; None without known styles
    by_style: Callable[[str], tuple[np.ndarray, Tensor]] | None = None
    denoising: bool = False  # models are measured on noisy test images
    out_of_distribution: tuple[str, ...] = ()  # data sets whose test images should be detected as outliers
    start: int = 0  # index of the test image that a session begins with
    # files
    shipped: tuple[str, ...] = ()  # splits that ship with the project as galleries, others than SPLITS too
    offline: tuple[str, ...] = ("train", "validation")  # splits for training without a download; () for none
    gallery_of: str = ""  # the data set whose gallery its test images are read from, if not its own
    extra: Callable[[str], dict[str, np.ndarray]] | None = None  # split -> additional arrays of its gallery
    raw_files: tuple[str, ...] = ()  # source files of the other splits, relative to the data folder
    folder: Path | None = None  # of the user's own images

    @property
    def crisp(self) -> bool:
        """Whether its images are so small that they are enlarged without smoothing."""
        return self.image_shape[1] < CRISP_BELOW

    @property
    def factors(self) -> Factors | None:
        """The known factors of its images, in a grid or not."""
        return self.factor_table if self.grid is None else self.grid

    @property
    def labelled(self) -> bool:
        """Whether some training images ship with their labels, as split "labelled"."""
        return "labelled" in self.shipped

    def prepare(
        self, image: Image.Image, invert: bool | None = None, plain: bool = False, candidate: int = 0
    ) -> Prepared:
        """Convert an image of any size and mode into x (1, C, H, W) in [0, 1], as this data set's models see it.

        invert: swap light and dark, None for the default guess. plain: only crop to the middle and reduce.
        candidate: which of the objects found becomes x.
        """
        return prepare(image, self.image_shape, self.preparation, invert, plain, candidate)

    def quantise(self, x: Tensor) -> Tensor:
        """Return x (N, C, H, W) in [0, 1], rounded to black or white if the data set is binary."""
        return (x > 0.5).float() if self.binary else x

    def gallery(self, split: str) -> dict[str, np.ndarray]:
        """Return the arrays of a gallery file: images (N, H, W), or (N, C, H, W) in colour, labels (N,), and factors
        (N, K) where they are stored."""
        found = self.load(split)
        x = found.render(np.arange(len(found)))
        labels = found.labels.astype(np.min_scalar_type(len(self.classes) - 1))
        extra = self.extra(split) if self.extra else {}
        if self.factor_table is not None and found.factors is not None:
            extra = {"factors": found.factors.astype(np.min_scalar_type(max(self.factor_table.sizes))), **extra}
        return {"images": x[:, 0] if x.shape[1] == 1 else x, "labels": labels, **extra}

    def attribute_values(self) -> dict[str, tuple[int, tuple[int, ...]]]:
        """Return the attributes as indices: {name: (factor k, values of factor k)}."""
        found: dict[str, tuple[int, tuple[int, ...]]] = {}
        for name, (factor, values) in self.attributes.items():
            assert self.grid is not None  # attributes are values of its factors
            k = self.grid.names.index(factor)
            found[name] = k, tuple(self.grid.values[k].index(value) for value in values)
        return found


DATASETS: Registry[DatasetInfo] = Registry("data set")  # each registers itself in its own file
CRISP_BELOW = 64  # pixels of height

# "train+validation" is the "train" split from before the validation split was introduced
SPLITS = ("train", "validation", "test", "train+validation")
SUBSETS = ("train-10k", "validation-1k")  # the first images of two splits, which ship with some data sets
SKEWED = ("skewed", "reweighted")  # of data whose images have groups, see `skewed`
MAX_VALIDATION = 5000

# of known factors that a file names
MAX_FACTORS = 64
MAX_FACTOR_VALUES = 1000
MAX_LABEL = 200  # characters


def skewed(train: Split, factor: int, reweighted: bool, name: str) -> Split:
    """Return training images of which each value of a factor has half as many as the value before it.

    reweighted: the images of each value are repeated until it has as many rows as the first one, so that they have
    the weights of balanced data.
    """
    assert train.factors is not None
    values, rng, rows = train.factors[:, factor], np.random.default_rng(0), []
    for value in range(int(values.max()) + 1):
        here = rng.permutation(np.flatnonzero(values == value))
        rows.append(np.tile(here[: len(here) >> value], 2**value if reweighted else 1))
    return train.take(np.sort(np.concatenate(rows)), name)


def check_split(split: str) -> None:
    """Raise ValueError unless split is one of SPLITS."""
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: expected one of {', '.join(SPLITS)}")


def refuse_test(split: Split | str, what: str) -> None:
    """Raise ValueError for the test split. what: the step that would read it, for the message."""
    if (split if isinstance(split, str) else split.name) == "test":
        raise ValueError(f"{what} must not read the test split: test images are for reporting only")


def validation_size(n: int) -> int:
    """Return the size of the validation split, given n images outside the test split."""
    return min(n // 10, MAX_VALIDATION)


def hash_order(n: int) -> np.ndarray:
    """Return the numbers 0..n-1 in the order of a fixed hash, a random order that is always the same."""
    return np.argsort(_hash(np.arange(n, dtype=np.uint64)), kind="stable")


def _hash(x: np.ndarray) -> np.ndarray:
    """Return splitmix64 (Steele et al. 2014) of x, which is the same on every platform and numpy version."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
