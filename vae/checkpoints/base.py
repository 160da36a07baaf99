"""A folder with weights, and what every reader of one needs: JSON, tensors, and a model that takes them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..models import FAMILIES, LatentModel, NetworkConfig
from ..registry import Registry
from ..store import MAX_WEIGHT_BYTES

PICKLES = (".pt", ".pth", ".bin", ".ckpt")
SUFFIXES = (".safetensors", *PICKLES)
MAX_JSON = 2**20  # bytes
MAX_COUNT = 65_536  # of anything in a config, as in a project file
MAX_NETWORK_BYTES = 2 * MAX_WEIGHT_BYTES  # of float32; a file may have half of it
MAX_LISTED = 3  # tensors that a message names


class CheckpointError(ValueError):
    """An error for a checkpoint that cannot be read; its message is one sentence that says why."""


@dataclass
class Checkpoint:
    """A checkpoint that was read: the model, and what its card says of it."""

    project: str  # whose checkpoint it is
    image_shape: tuple[int, int, int]  # (C, H, W) that the model takes
    network: LatentModel | None  # None where only `model` can build it
    notes: list[str] = field(default_factory=list)  # one sentence each
    dimensions: dict[str, str] = field(default_factory=dict)  # {dimension: name}

    def model(self, images: Tensor | None) -> LatentModel:
        """Return the model in eval mode. images (N, C, H, W) in [0, 1]: a prior is fitted to their codes where the
        model has none of its own; None leaves it at N(0, I)."""
        assert self.network is not None
        if self.network.ex_post_prior and images is not None:
            with torch.no_grad():
                self.network.fit_prior(self.network.encode(images).mean)  # type: ignore[operator]
        return self.network


@dataclass(frozen=True)
class Source:
    """A folder that may be a checkpoint. weights: one of its files, None to look for it."""

    folder: Path
    weights: Path | None
    image_shape: tuple[int, int, int] | None  # of the images that are given, for networks that take any size

    def json(self, name: str) -> dict[str, Any] | None:
        """Return the object in a JSON file of the folder, None where there is no such file."""
        path = self.folder / name
        if not path.is_file():
            return None
        if path.stat().st_size > MAX_JSON:
            raise CheckpointError(f"{name} is larger than {MAX_JSON // 2**20} MB")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{name} is no JSON ({error})") from error
        if not isinstance(found, dict):
            raise CheckpointError(f"{name} does not hold a JSON object")
        return found

    def tensors(self, *stems: str) -> dict[str, Tensor]:
        """Return the tensors of the weights: of the file that was named, else of the first file in the folder with one
        of these stems. safetensors come before pickles."""
        paths = [self.folder / f"{stem}{suffix}" for suffix in SUFFIXES for stem in stems]
        path = self.weights or next((path for path in paths if path.is_file()), None)
        if path is None:
            raise CheckpointError(
                f"{self.folder} has no weights: expected {stems[0]}.safetensors or {stems[0]}.pt in it"
            )
        return read_tensors(path)


Reader = Callable[[Source], Checkpoint | None]  # None for a folder of another project
READERS: Registry[Reader] = Registry("project")


def is_checkpoint(path: Path) -> bool:
    """Return whether a path is a folder, or a file of weights."""
    return path.is_dir() or path.suffix in SUFFIXES


def read(path: Path, image_shape: tuple[int, int, int] | None = None) -> Checkpoint:
    """Read a checkpoint: a folder, or one file of weights in it.

    image_shape: (C, H, W) of the images it is for, which a network that takes any size then takes. Raises
    CheckpointError, in one sentence, and MissingPackage for a project whose package is not installed.
    """
    if not path.is_dir() and not path.is_file():  # a pipe or a device would be read without end
        raise CheckpointError(f"there is no folder or file {path}")
    source = Source(path, None, image_shape) if path.is_dir() else Source(path.parent, path, image_shape)
    for reader in READERS.values():
        if (found := reader(source)) is not None:
            return found
    raise CheckpointError(
        f"{source.folder} is no checkpoint that can be read: it needs specs.json (disentangling-vae), "
        "model_config.json (pythae), or config.json (an AutoencoderKL, or a family and config here)"
    )


# ---- tensors


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file: safetensors, or a pickle of a state dict, which may lie in another dictionary.

    A pickle is never executed: torch's weights_only builds tensors and plain containers, and refuses everything else.
    """
    if path.stat().st_size > MAX_WEIGHT_BYTES:
        raise CheckpointError(f"{path.name} is larger than {MAX_WEIGHT_BYTES // 2**20} MB")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise CheckpointError(f"{path.name} is damaged or no safetensors file ({error})") from error
    damaged = CheckpointError(f"{path.name} is damaged or no file of torch.save")
    with path.open("rb") as file:
        if not file.read(2).startswith((b"PK", b"\x80")):  # a zip, or a pickle as torch wrote before 1.6
            raise damaged
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path.name} is a pickle with more than tensors in it, which could run any code, so it is not read: save "
            "its state_dict() with safetensors.torch.save_file"
        ) from error
    except Exception as error:  # torch raises RuntimeError, EOFError, KeyError, ... for damaged files
        raise damaged from error
    for key in ("model_state_dict", "state_dict"):
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found or not all(
        isinstance(key, str) and isinstance(t, Tensor) for key, t in found.items()
    ):  # fmt: skip
        raise CheckpointError(f"{path.name} holds no state dict, which is a dictionary of tensors by name")
    return dict(found)


def number(config: Mapping[str, Any], key: str, file: str, at_most: int = MAX_COUNT) -> int:
    """Return a whole number of 1 or more from a JSON object. Raises CheckpointError, naming the file."""
    value = config.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise CheckpointError(f"{key!r} in {file} must be a whole number of 1 or more, not {value!r:.60}")
    if value > at_most:
        raise CheckpointError(f"{key!r} in {file} is larger than {at_most:,}")
    return value


def image_shape_of(value: Any, key: str, file: str) -> tuple[int, int, int]:
    """Return (C, H, W) from JSON. Raises CheckpointError for anything else, as for vectors."""
    sides = value if isinstance(value, list) else []
    if len(sides) != 3 or not all(type(side) is int and side > 0 for side in sides) or sides[0] not in (1, 3):
        raise CheckpointError(
            f"{key!r} in {file} must be the shape of an image, [1 or 3, height, width], not {value!r:.60}"
        )
    return sides[0], sides[1], sides[2]


def build(family: str, config: NetworkConfig) -> LatentModel:
    """Return an untrained model in eval mode. Raises ValueError for a config that builds an unreasonably large one."""
    try:
        with torch.device("meta"):  # counted before it has memory
            size = sum(t.nelement() for t in FAMILIES[family](config).state_dict().values())
    except RuntimeError as error:  # a tensor of more bytes than a number can count
        raise CheckpointError("its network is too large for any memory") from error
    if 4 * size > MAX_NETWORK_BYTES:
        most = MAX_WEIGHT_BYTES // 2**20
        raise CheckpointError(f"its network has {size:,} weights, more than a file of {most} MB holds")
    return FAMILIES[family](config).eval().requires_grad_(False)


def fill(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load tensors into a module, in its dtypes. Raises CheckpointError where names or shapes differ or values are not
    finite."""
    expected = {key: tuple(t.shape) for key, t in module.state_dict().items()}
    if missing := [key for key in expected if key not in tensors]:
        raise CheckpointError(f"its weights lack the tensors {_listed(missing)}")
    if unknown := [key for key in tensors if key not in expected]:
        raise CheckpointError(f"its weights have tensors that its network does not have: {_listed(unknown)}")
    for key, shape in expected.items():
        if tuple(tensors[key].shape) != shape:
            raise CheckpointError(f"its tensor {key!r} has shape {tuple(tensors[key].shape)}, not {shape}")
        if not _plain(tensors[key], module.state_dict()[key].is_floating_point()):
            raise CheckpointError(f"its tensor {key!r} does not hold plain numbers of 16, 32 or 64 bits")
        if not bool(tensors[key].isfinite().all()):
            raise CheckpointError(f"its tensor {key!r} has values that are NaN or infinite")
    module.load_state_dict(dict(tensors))


def _plain(tensor: Tensor, floats: bool) -> bool:
    """Return whether a tensor is neither sparse nor quantised, has values, and holds floats, or else integers."""
    allowed = (torch.float16, torch.bfloat16, torch.float32, torch.float64) if floats else (torch.int64,)
    return tensor.layout is torch.strided and not tensor.is_meta and tensor.dtype in allowed


def fits(module: nn.Module, tensors: Mapping[str, Tensor]) -> bool:
    """Return whether tensors have exactly the names and shapes of a module's state dict."""
    expected = {key: tuple(t.shape) for key, t in module.state_dict().items()}
    return expected == {key: tuple(t.shape) for key, t in tensors.items()}


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" * (len(names) > MAX_LISTED)
    return ", ".join(repr(name[:60]) for name in names[:MAX_LISTED]) + more
