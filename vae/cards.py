"""Cards: the description of a model that stands in its folder, and how it is validated.

Nothing here imports torch, so that a page can show a model's name before its network can run.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .models import NetworkConfig

NAME = re.compile("[a-z0-9-]{1,60}")
MAX_CARD_BYTES = 4 * 2**20
MAX_DIMENSION_NAME = 40  # characters
MAX_FIGURE = 10**300  # of an integer, which JSON does not limit


class ModelUnavailable(Exception):
    """An error for a model that cannot be used; its message is one sentence that says why."""


@dataclass(frozen=True)
class ModelCard:
    """The description of a model, with measured figures and the protocol of each."""

    name: str
    title: str
    description: str
    family: str  # a key of models.FAMILIES
    data: str  # a key of data.DATASETS
    image_shape: tuple[int, int, int]
    latent_dim: int
    config: dict  # the fields of the family's Config
    recipe: dict  # the hyperparameters behind the weights
    licence: str
    weights_sha256: str
    figures: dict = field(default_factory=dict)
    protocol: dict = field(default_factory=dict)  # how the figures were measured
    map: dict = field(default_factory=dict)  # parameters and seed of map.npz
    note: str = ""  # how this run was chosen, and which other runs were tried
    published: str = ""  # published figures, with source and protocol
    selection: dict = field(default_factory=dict)  # how the run was chosen: split, rule, seeds and figures
    dataset: dict = field(default_factory=dict)  # its data set in words, see data.described; {} for a registered one
    dimensions: dict = field(default_factory=dict)  # {"0": name} of dimensions of z that have a name of their own

    @property
    def credit(self) -> str:
        """The model and its licence, for files made from it."""
        return f"{self.title} ({self.name}), {self.licence}"

    @property
    def dimension_names(self) -> dict[int, str]:
        """{dimension: name} of those that have a name of their own."""
        return {int(d): name for d, name in self.dimensions.items()}

    def model_config(self) -> NetworkConfig:
        """Return the config of the family.

        Raises KeyError for an unknown family, ValueError or TypeError for a config that does not build a model.
        """
        from .models import FAMILIES

        return FAMILIES[self.family].Config.from_dict(self.config)

    @property
    def weights_hash(self) -> str:
        """Return the beginning of the weights' checksum, 8 hexadecimal digits, for links and caches."""
        return self.weights_sha256[:8]

    @property
    def num_classes(self) -> int:
        return self.config.get("num_classes", 0)


@dataclass(frozen=True)
class Traits:
    """What a model can do, its prior's moments and where it starts, as network.json says without torch.

    The attributes are those of LatentModel of the same names.
    """

    latent_dim: int
    num_classes: int
    image_shape: tuple[int, int, int]
    discrete: bool
    deterministic: bool
    has_elbo: bool
    analytic_kl: bool
    conditional: bool
    classifies: bool
    denoises: bool
    is_cross_entropy: bool  # the likelihood's log-density of grey pixels is minus a cross-entropy
    prior_name: str
    temperature_name: str
    centre_name: str
    levels: dict[str, range]
    codebook_size: int  # of a discrete model, else 0
    values: list[list[float]] | None  # (D, V) that a code takes in each dimension, ascending; None where it takes any
    grid: tuple[int, int]  # rows and columns of a discrete code, else (0, 0)
    prior_is_gaussian: bool  # with independent dimensions, so that a panel can draw its density
    prior_mean: np.ndarray  # (D,); zeros where z holds indices
    prior_stddev: np.ndarray  # (D,)
    networks: tuple[str, ...]  # that a browser can run: "decode", "encode", "classify"

    @classmethod
    def from_network_file(cls, content: dict) -> Traits:
        """Read them from the content of network.json. Raises KeyError or TypeError where a field is missing."""
        found = content["capabilities"]
        dims = content["latent_dim"]
        prior = content["prior"] or {"mean": [0.0] * dims, "stddev": [1.0] * dims}
        names = {f.name for f in fields(cls)} & found.keys() - {"levels", "grid"}
        return cls(
            latent_dim=dims, num_classes=content["num_classes"], image_shape=tuple(content["image_shape"]),
            levels={name: range(*ends) for name, ends in found["levels"].items()},
            grid=tuple(found.get("grid", (0, 0))), prior_mean=np.array(prior["mean"], np.float32),
            prior_stddev=np.array(prior["stddev"], np.float32), networks=tuple(content.get("networks", ())),
            **{"codebook_size": 0, "values": None, **{name: found[name] for name in names}},
        )  # fmt: skip


def read(folder: Path, named: bool = True) -> ModelCard:
    """Read card.json of a model's folder, whose name is the model's if named.

    Raises ModelUnavailable where it is missing, cannot be parsed or has a field of the wrong type. Family, config and
    objective are checked by `check`.
    """
    path = folder / "card.json"
    if not path.exists():
        raise ModelUnavailable(f"there is no model named {folder.name!r}")
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ModelUnavailable(f"its card.json is larger than {MAX_CARD_BYTES // 2**20} MB")
        content = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name for f in fields(ModelCard)}
        card = ModelCard(**{k: v for k, v in content.items() if k in known})
        object.__setattr__(card, "image_shape", tuple(card.image_shape))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelUnavailable(f"its card.json cannot be read ({error})") from error
    if reason := _wrong_field(card, folder.name if named else card.name):
        raise ModelUnavailable(reason)
    return card


def check(card: ModelCard) -> ModelCard:
    """Return a card whose family, config and objective exist, with image_shape as the config has it.

    Raises ModelUnavailable for others.
    """
    from . import objectives
    from .models import FAMILIES

    if card.family not in FAMILIES:
        raise ModelUnavailable(f"its family {card.family!r} is not known here")
    try:
        config = card.model_config()
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelUnavailable(f"its config does not build a model ({error})") from error
    try:
        objectives.read(card.recipe)
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelUnavailable(str(error)) from error
    if config.latent_dim != card.latent_dim:
        raise ModelUnavailable("its card.json gives two different values of latent_dim")
    return replace(card, image_shape=config.image_shape)


def _wrong_field(card: ModelCard, name: str) -> str:
    """Return a sentence about the first field of a card that has the wrong type; "" where there is none."""
    kinds = {"str": (str, "text"), "dict": (dict, "an object"), "int": (int, "a whole number")}
    for f in fields(ModelCard):
        kind, words = kinds.get(str(f.type), (object, ""))
        value = getattr(card, f.name)
        if not isinstance(value, kind) or isinstance(value, bool):
            return f"the field {f.name!r} of its card.json must be {words}"
    if not NAME.fullmatch(card.data):
        return "the name of its data set may have a-z, 0-9 and hyphens only"
    if card.name != name:
        return f"its card.json belongs to the model {card.name[:60]!r}"
    for key, value in card.figures.items():
        if not is_figure(value):
            return f"the figure {key[:60]!r} of its card.json is not a finite number"
    if not all(isinstance(text, str) for text in card.protocol.values()):
        return "the protocols of its card.json must be text"
    if not all(_is_dimension(d, card.latent_dim) and _is_short(text) for d, text in card.dimensions.items()):
        return "the names of dimensions in its card.json must be short texts by number"
    return ""


def _is_dimension(text: str, dims: int) -> bool:
    return text.isdecimal() and len(text) < 10 and text == str(int(text)) and int(text) < dims


def _is_short(text: object) -> bool:
    return isinstance(text, str) and text.isprintable() and len(text) <= MAX_DIMENSION_NAME


def is_figure(value: object) -> bool:
    """Return whether a value is a finite number, or a list or dictionary of such values. A list may hold None."""
    if isinstance(value, dict):
        return all(map(is_figure, value.values()))
    if isinstance(value, list):
        return all(item is None or is_figure(item) for item in value)
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= MAX_FIGURE
    return isinstance(value, float) and math.isfinite(value)
