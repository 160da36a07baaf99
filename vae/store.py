"""The store of shipped models: reads and writes pretrained/<name>/ (model.safetensors, card.json, map.npz,
network.json).

All files are checked before a model is built. A damaged folder does not hide the others.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_weights
from safetensors.torch import save as save_weights

from . import objectives
from .models import FAMILIES, LatentModel, NetworkConfig
from .models.portable import FORMAT, network_file, tensor_names

PRETRAINED = Path(__file__).parents[1] / "pretrained"
NAME = re.compile("[a-z0-9-]{1,60}")
MAX_WEIGHT_BYTES = 64 * 2**20


class ModelUnavailable(Exception):
    """An error for a shipped model that cannot be used; its message is one sentence that says why."""


@dataclass(frozen=True)
class ModelCard:
    """The description of a shipped model, with measured figures and the protocol of each."""

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

    def model_config(self) -> NetworkConfig:
        """Return the config of the family.

        Raises KeyError for an unknown family, ValueError or TypeError for a config that does not build a model.
        """
        return FAMILIES[self.family].Config.from_dict(self.config)

    @property
    def num_classes(self) -> int:
        return self.config.get("num_classes", 0)


@dataclass(frozen=True)
class ModelMap:
    """The map of a model: D-dimensional codes of N test images and their positions on 2-D maps."""

    rows: np.ndarray  # (N,) int64, indices into the data set's test split
    codes: np.ndarray  # (N, D) float32, posterior means
    sigmas: np.ndarray  # (N, D) float32, posterior standard deviations; 0 for point codes
    recon: np.ndarray  # (N,) float32, -log p(x | z = mean) in nats
    umap: np.ndarray  # (N, 2) float32
    umap_again: np.ndarray  # (N, 2) float32, another seed, aligned to umap
    pca: np.ndarray  # (N, 2) float32


@dataclass(frozen=True)
class Memory:
    """A test of memorisation: Euclidean pixel distances of samples and test images to the nearest training image."""

    samples: np.ndarray  # (N,) float32, from each sample to its nearest training image
    held_out: np.ndarray  # (N,) float32, from each test image to its nearest training image
    shown: np.ndarray  # (M,) int64, indices of the samples that `nearest` belongs to, by ascending distance
    nearest: np.ndarray  # (M, C, H, W) uint8, their nearest training images
    train_images: int  # how many images the model was trained on
    seed: int  # of the samples
    weights_sha256: str  # of the model that was sampled


def available(root: Path | None = None) -> list[ModelCard]:
    """Return the cards of all models that can be loaded, sorted by name."""
    return scan(root)[0]


def scan(
    root: Path | None = None, check: Callable[[ModelCard], str] | None = None
) -> tuple[list[ModelCard], dict[str, str]]:
    """Return (cards of usable models, sorted by name; {name: reason} of those that cannot be used).

    check: a further reason why a card cannot be used, "" for none.
    """
    root = Path(root or PRETRAINED)
    cards, problems = [], {}
    for folder in sorted(root.glob("*/card.json")):
        name = folder.parent.name
        try:
            card = read_card(name, root)
            read_weights(card, root)
            if reason := check(card) if check else "":
                raise ModelUnavailable(reason)
            cards.append(card)
        except ModelUnavailable as error:
            problems[name] = str(error)
    for folder in sorted(root.glob("*/model.safetensors")):
        if not (folder.parent / "card.json").exists():
            problems[folder.parent.name] = "its card.json is missing"
    return cards, problems


def no_models() -> str:
    """Return a sentence for a copy of the project without models: where they belong and where they are."""
    return (
        f"There are no models in {PRETRAINED}. They are part of the repository: clone it and run "
        "`pip install -e .` in the clone."
    )


def load(name: str, root: Path | None = None) -> LatentModel:
    """Return a shipped model in eval mode, on the CPU, with its card on model.card.

    Raises ModelUnavailable for an unknown name and for a missing or damaged file.
    """
    root = Path(root or PRETRAINED)
    card = read_card(name, root)
    weights = read_weights(card, root)
    model = FAMILIES[card.family](card.model_config())
    model.load_state_dict(weights)
    model.card = card
    return model.eval().requires_grad_(False)


def card_of(model: LatentModel) -> ModelCard:
    """Return the card of a shipped model. Raises ValueError for a model without one."""
    if model.card is None:
        raise ValueError("this model has no card: load it by its name")
    return model.card


def read_card(name: str, root: Path | None = None) -> ModelCard:
    """Read and validate pretrained/<name>/card.json. Raises ModelUnavailable."""
    root = root or PRETRAINED
    # the name may come from a link, so it must not be a path
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ModelUnavailable(f"there is no model named {str(name)[:60]!r}")
    path = root / name / "card.json"
    if not path.exists():
        raise ModelUnavailable(f"there is no model named {name!r}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name for f in fields(ModelCard)}
        card = ModelCard(**{k: v for k, v in content.items() if k in known})
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelUnavailable(f"its card.json cannot be read ({error})") from error
    if reason := _wrong_field(card, name):
        raise ModelUnavailable(reason)
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
    object.__setattr__(card, "image_shape", config.image_shape)
    if config.latent_dim != card.latent_dim:
        raise ModelUnavailable("its card.json gives two different values of latent_dim")
    return card


def _wrong_field(card: ModelCard, name: str) -> str:
    """Return a sentence about the first field of a card that has the wrong type; "" where there is none."""
    kinds = {"str": (str, "text"), "dict": (dict, "an object"), "int": (int, "a whole number")}
    for f in fields(ModelCard):
        kind, words = kinds.get(str(f.type), (object, ""))
        value = getattr(card, f.name)
        if not isinstance(value, kind) or isinstance(value, bool):
            return f"the field {f.name!r} of its card.json must be {words}"
    if card.name != name:
        return f"its card.json belongs to the model {card.name[:60]!r}"
    for key, value in card.figures.items():
        if not _is_figure(value):
            return f"the figure {key[:60]!r} of its card.json is not a finite number"
    if not all(isinstance(text, str) for text in card.protocol.values()):
        return "the protocols of its card.json must be text"
    return ""


def _is_figure(value: object) -> bool:
    """Return whether a value is a finite number, or a list or dictionary of such values. A list may hold None."""
    if isinstance(value, dict):
        return all(map(_is_figure, value.values()))
    if isinstance(value, list):
        return all(item is None or _is_figure(item) for item in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def read_weights(card: ModelCard, root: Path | None = None) -> dict[str, torch.Tensor]:
    """Read the tensors of model.safetensors and validate them against the card. Raises ModelUnavailable."""
    path = (root or PRETRAINED) / card.name / "model.safetensors"
    try:
        if path.stat().st_size > MAX_WEIGHT_BYTES:
            raise ModelUnavailable(f"its weights are larger than {MAX_WEIGHT_BYTES // 2**20} MB")
        content = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable("its weights (model.safetensors) are missing") from error
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise ModelUnavailable("its weights are damaged: their checksum differs from the card's")
    try:
        weights = load_weights(content)
    except SafetensorError as error:
        raise ModelUnavailable(f"its weights cannot be read ({error})") from error
    try:
        with torch.device("meta"):  # shapes only, no memory
            expected = FAMILIES[card.family](card.model_config()).state_dict()
    except (ValueError, TypeError, RuntimeError) as error:
        raise ModelUnavailable(f"its config does not build a model ({error})") from error
    if {k: (v.shape, v.dtype) for k, v in weights.items()} != {
        k: (v.shape, v.dtype) for k, v in expected.items()
    }:
        raise ModelUnavailable("its weights do not fit its config")
    return weights


def read_map(name: str, root: Path | None = None) -> ModelMap:
    """Read and validate pretrained/<name>/map.npz. Raises ModelUnavailable."""
    path = (root or PRETRAINED) / name / "map.npz"
    try:
        # opened here, because np.load leaves a damaged zip open
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            parts = {f.name: file[f.name] for f in fields(ModelMap)}
    except Exception as error:  # zip, zlib and numpy raise different errors
        raise ModelUnavailable(f"its map.npz is missing or damaged ({error})") from error
    n, d = parts["codes"].shape if parts["codes"].ndim == 2 else (0, 0)
    layouts = dict.fromkeys(("umap", "umap_again", "pca"), (n, 2))
    shapes = {"rows": (n,), "codes": (n, d), "sigmas": (n, d), "recon": (n,), **layouts}
    if n == 0 or d != read_card(name, root).latent_dim:
        raise ModelUnavailable("its map.npz does not belong to this model")
    if any(parts[part].shape != shape for part, shape in shapes.items()):
        raise ModelUnavailable("its map.npz holds arrays that do not fit each other")
    if not all(np.isfinite(part).all() for part in parts.values()) or parts["rows"].min() < 0:
        raise ModelUnavailable("its map.npz holds values that are not finite, or negative rows")
    return ModelMap(**parts)


def read_memory(name: str, root: Path | None = None) -> Memory:
    """Read and validate pretrained/<name>/memory.npz.

    Raises ModelUnavailable where it is missing, damaged or was computed with other weights.
    """
    card = read_card(name, root)
    path = (root or PRETRAINED) / name / "memory.npz"
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            parts = {f.name: file[f.name] for f in fields(Memory)}
        counts = {key: int(parts.pop(key)) for key in ("train_images", "seed")}
        weights = str(parts.pop("weights_sha256"))
        samples, held_out = (parts[key].astype(np.float32, casting="same_kind") for key in ("samples", "held_out"))
        shown = parts["shown"].astype(np.int64, casting="same_kind")
        nearest = parts["nearest"].astype(np.uint8, casting="no")
    except Exception as error:  # zip, zlib and numpy raise different errors
        raise ModelUnavailable(f"its memory.npz is missing or damaged ({error})") from error
    n, m = samples.size, shown.size
    fits = samples.shape == held_out.shape == (n,) and shown.shape == (m,)
    fits = fits and nearest.shape == (m, *card.image_shape)
    if not (n and m and fits and 0 <= shown.min() <= shown.max() < n and min(counts.values()) >= 0):
        raise ModelUnavailable("its memory.npz holds arrays that do not fit each other")
    if not np.isfinite([samples, held_out]).all():
        raise ModelUnavailable("its memory.npz holds values that are not finite")
    if weights != card.weights_sha256:
        raise ModelUnavailable(
            f"its memory.npz was computed with other weights: run `python -m vae memory {name}` again"
        )
    return Memory(samples, held_out, shown, nearest, counts["train_images"], counts["seed"], weights)


def dimension_order(model: LatentModel, model_map: ModelMap | None) -> list[int]:
    """Return all dimensions by descending information, level by level.

    Information is the KL on test data. Where the KL is not known by dimension, it is the variance of the
    encoded means over the mean posterior variance, and without a map the prior's standard deviation.
    """
    figures = card_of(model).figures
    if "kl_per_dim" in figures:
        information = np.asarray(figures["kl_per_dim"])
    elif model_map is not None:
        information = model_map.codes.var(0) / np.maximum((model_map.sigmas**2).mean(0), 1e-12)
    else:
        information = model.prior.stddev.numpy()
    order = [int(d) for d in np.argsort(-information, kind="stable")]
    levels = model.levels.values() or [range(model.latent_dim)]
    return [d for level in levels for d in order if d in level]


def save(model: LatentModel, card: ModelCard, root: Path | None = None) -> ModelCard:
    """Write weights and card. Returns the card with the checksum of the weights."""
    folder = (root or PRETRAINED) / card.name
    folder.mkdir(parents=True, exist_ok=True)
    content = save_weights({k: v.contiguous() for k, v in model.state_dict().items()})
    card = ModelCard(
        **{**_shallow(card), "weights_sha256": hashlib.sha256(content).hexdigest()}
    )
    write_atomically(folder / "model.safetensors", content)
    write_card(card, root)
    return read_card(card.name, root)


def write_card(card: ModelCard, root: Path | None = None) -> None:
    text = json.dumps(asdict(card), indent=1) + "\n"
    write_atomically((root or PRETRAINED) / card.name / "card.json", text.encode())


def write_map(name: str, model_map: ModelMap, root: Path | None = None) -> None:
    _write_arrays((root or PRETRAINED) / name / "map.npz", _shallow(model_map))


def write_memory(name: str, memory: Memory, root: Path | None = None) -> None:
    _write_arrays((root or PRETRAINED) / name / "memory.npz", _shallow(memory))


def _write_arrays(path: Path, arrays: dict) -> None:
    with tempfile.TemporaryFile() as file:
        np.savez_compressed(file, **arrays)
        file.seek(0)
        write_atomically(path, file.read())


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, never a part. Raises OSError, naming the file."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.writing")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(f"{path} could not be written ({error.strerror or error})") from error


def _shallow(instance: ModelCard | ModelMap | Memory) -> dict:
    return {f.name: getattr(instance, f.name) for f in fields(instance)}


def write_network(name: str, root: Path | None = None) -> None:
    """Export the networks of a stored model and write network.json. Raises ModelUnavailable."""
    text = json.dumps(network_file(load(name, root)), allow_nan=False, separators=(",", ":")) + "\n"
    write_atomically((root or PRETRAINED) / name / "network.json", text.encode())


def read_network(name: str, root: Path | None = None) -> dict:
    """Read and validate pretrained/<name>/network.json. Raises ModelUnavailable.

    What the graphs compute is validated by the browser's runtime, when it builds them.
    """
    card = read_card(name, root)
    try:
        network = json.loads(((root or PRETRAINED) / name / "network.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"its network.json is missing or damaged ({error})") from error
    if not isinstance(network, dict) or network.get("format") != FORMAT:
        raise ModelUnavailable(f"its network.json does not have format {FORMAT}")
    objects = ("networks", "constants", "capabilities", "not_portable")
    if not all(isinstance(network.get(key), dict) for key in objects):
        raise ModelUnavailable("its network.json lacks an object")
    try:
        for graph in network["networks"].values():
            tensor_names(graph)
    except (KeyError, TypeError) as error:
        raise ModelUnavailable("its network.json holds a damaged graph") from error
    if network.get("weights_sha256") != card.weights_sha256:
        again = f"run `python -m vae portable {name}` again"
        raise ModelUnavailable(f"its network.json was exported with other weights: {again}")
    return network
