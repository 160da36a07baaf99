"""Models in folders: weights, card, maps and memory of each, read from the project and from the user's own folder.

A model is a folder <name>/ (model.safetensors, card.json, network.json, map.npz, ...); the images of data sets are in
galleries/. All files are checked before a model is built. A damaged folder does not hide the others.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import cards
from .cards import NAME, ModelCard, ModelUnavailable
from .encoded import EncodedImages
from .extras import MissingPackage
from .folders import data as data_folder
from .folders import home

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from .data import DatasetInfo
    from .models import LatentModel

PRETRAINED = Path(__file__).parents[1] / "pretrained"
FILES = ("card.json", "model.safetensors", "map.npz", "memory.npz", "network.json", "cover.webp")
MAX_WEIGHT_BYTES = 400 * 2**20  # of a model in one of the roots; Stable Diffusion's AutoencoderKL has 320 MB
MAX_BROWSER_BYTES = 64 * 2**20  # of weights that a browser loads
MAX_NETWORK_BYTES = 16 * 2**20
NETWORK_FORMAT = 2  # of network.json, as models.portable writes it


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


class Store:
    """The models in one or more folders. Where two folders hold a model of the same name, the first one counts.

    roots: the folders; by default the project's pretrained/ and the user's own folder, see `folders.home`.
    """

    def __init__(self, roots: Sequence[Path | str] | None = None):
        self.roots = [PRETRAINED, home()] if roots is None else [Path(root) for root in roots]

    def folder(self, name: str) -> Path:
        """Return the folder of a model: the first that holds a card of this name, else one below the first root.

        Raises ModelUnavailable for a name that no model can have.
        """
        # the name may come from a link, so it must not be a path
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ModelUnavailable(f"there is no model named {str(name)[:60]!r}")
        found = (root / name for root in self.roots if (root / name / "card.json").is_file())
        return next(found, self.roots[0] / name)

    # ---- reading

    def available(self) -> list[ModelCard]:
        """Return the cards of all models that can be loaded, sorted by name."""
        return self.scan()[0]

    def scan(self, check: Callable[[ModelCard], str] | None = None) -> tuple[list[ModelCard], dict[str, str]]:
        """Return (cards of usable models, sorted by name; {name: reason} of those that cannot be used).

        check: a further reason why a card cannot be used, "" for none.
        """
        found, problems = [], self.unreadable_roots()
        for folder in self._folders():
            name = folder.name
            try:
                if not NAME.fullmatch(name):
                    raise ModelUnavailable("a model's folder is named with a-z, 0-9 and hyphens only")
                if not (folder / "card.json").exists():
                    raise ModelUnavailable("its card.json is missing")
                if self.folder(name) != folder:
                    raise ModelUnavailable(f"{folder} has the name of another model, which is used instead")
                card = cards.read(folder)
                # The project's own models were checked when this was written, so torch need not be imported.
                if folder.parent == PRETRAINED and self.first_view(card):
                    self.read_weight_bytes(card)
                else:
                    card = cards.check(card)
                    self.read_weights(card)
                    self.dataset(card)
                    if reason := check(card) if check else "":
                        raise ModelUnavailable(reason)
                found.append(card)
            except ModelUnavailable as error:
                problems[name if name not in problems else str(folder)] = str(error)
        return sorted(found, key=lambda card: card.name), problems

    def _folders(self) -> Iterator[Path]:
        """Yield the folders of models: those with a card or weights, also under names that no model can have."""
        for root in self.roots:
            try:
                entries = sorted(root.iterdir())
            except OSError:
                continue  # see unreadable_roots
            for folder in entries:
                if any(os.path.isfile(folder / file) for file in ("card.json", "model.safetensors")):
                    yield folder

    def unreadable_roots(self) -> dict[str, str]:
        """Return {folder: reason} of the roots that cannot be read. The user's folder may be missing, unless
        VAE_HOME names it."""
        problems = {}
        for root in self.roots:
            try:
                next(root.iterdir(), None)
            except FileNotFoundError:
                if root == home() and os.environ.get("VAE_HOME"):
                    problems[str(root)] = "VAE_HOME names this folder, but it does not exist"
            except OSError as error:
                problems[str(root)] = f"this folder of models cannot be read ({error.strerror})"
        return problems

    def fingerprint(self) -> tuple:
        """Return a value that changes when a model is added, removed or replaced: names, sizes and times of files."""
        found = []
        files = [folder / file for folder in self._folders() for file in FILES]
        for path in [*files, *(path for root in self.roots for path in sorted(root.glob("galleries/*.npz")))]:
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((str(path), status.st_mtime_ns, status.st_size))
        return tuple(found)

    def load(self, name: str) -> LatentModel:
        """Return a model in eval mode, on the CPU, with its card on model.card.

        Raises ModelUnavailable for an unknown name and for a missing or damaged file.
        """
        from .models import FAMILIES

        card = self.read_card(name)
        weights = self.read_weights(card)
        model = FAMILIES[card.family](card.model_config())
        model.load_state_dict(weights)
        model.card = card
        return model.eval().requires_grad_(False)

    def read_card(self, name: str) -> ModelCard:
        """Read and validate a model's card.json. Raises ModelUnavailable."""
        return cards.check(cards.read(self.folder(name)))

    def dataset(self, card: ModelCard) -> DatasetInfo:
        """Return the data set of a model: the registered one, else as the card describes it with the gallery beside
        the models, else the user's own one of this name.

        Raises ModelUnavailable where there is none of these.
        """
        from .data import DATASETS
        from .data.described import described

        if card.data in DATASETS:
            return DATASETS[card.data]
        galleries = [root / "galleries" for root in self.roots]
        if not any((folder / f"{card.data}.npz").is_file() for folder in galleries):
            found = self.scan_datasets(card.data)[0]
            if card.data in found:
                return found[card.data]
        try:
            return described(card.data, card.image_shape, card.dataset, galleries)
        except ValueError as error:
            raise ModelUnavailable(str(error)) from error

    def datasets(self) -> dict[str, DatasetInfo]:
        """Return {name: data set} of all that a model can be trained on: the registered ones, then the user's own."""
        from .data import DATASETS

        return {**DATASETS, **self.scan_datasets()[0]}

    def scan_datasets(
        self, name: str = "*", read: Callable[[Path], DatasetInfo] | None = None
    ) -> tuple[dict[str, DatasetInfo], dict[str, str]]:
        """Return ({name: data set} of the user's own ones, {name: reason} of those that cannot be used).

        name: of one data set; all by default. The first folder of a name counts. read: what reads a folder, and raises
        ValueError where it is damaged; own.read by default.
        """
        from .data import DATASETS, own

        found: dict[str, DatasetInfo] = {}
        problems: dict[str, str] = {}
        for path in [path for folder in self._data_folders() for path in sorted(folder.glob(f"{name}/data.json"))]:
            key = path.parent.name
            try:
                if key in DATASETS or key in found:
                    raise ValueError(f"{path.parent} has the name of another data set, which is used instead")
                found[key] = (read or own.read)(path.parent)
            except ValueError as error:
                problems[key if key not in problems else str(path.parent)] = str(error)
        return found, problems

    def _data_folders(self) -> list[Path]:
        """Return the folders of the user's own data sets. VAE_DATA may name another one beside home()."""
        beside = [root / "data" for root in self.roots]
        return list(dict.fromkeys(beside + [data_folder()] * (home() in self.roots)))

    def read_network(self, name: str) -> dict[str, Any]:
        """Read and validate a model's network.json, see models.portable.network_file. Raises ModelUnavailable.

        What the graphs compute is validated by the browser's runtime, when it builds them.
        """
        card, path = cards.read(self.folder(name)), self.folder(name) / "network.json"
        try:
            if path.stat().st_size > MAX_NETWORK_BYTES:
                raise ValueError(f"it is larger than {MAX_NETWORK_BYTES // 2**20} MB")
            network = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        except (OSError, ValueError, RecursionError) as error:
            raise ModelUnavailable(f"its network.json is missing or damaged ({error})") from error
        if not isinstance(network, dict) or network.get("format") != NETWORK_FORMAT:
            raise ModelUnavailable(f"its network.json does not have format {NETWORK_FORMAT}")
        objects = ("networks", "constants", "capabilities", "not_portable")
        if not all(isinstance(network.get(key), dict) for key in objects):
            raise ModelUnavailable("its network.json lacks an object")
        graphs = network["networks"].values()
        if not all(isinstance(graph, dict) and {"inputs", "nodes", "outputs"} <= graph.keys() for graph in graphs):
            raise ModelUnavailable("its network.json holds a damaged graph")
        if network.get("weights_sha256") != card.weights_sha256:
            again = f"run `python -m vae portable {name}` again"
            raise ModelUnavailable(f"its network.json was exported with other weights: {again}")
        try:
            traits = cards.Traits.from_network_file(network)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelUnavailable(f"its network.json does not describe the model ({error})") from error
        described = traits.latent_dim, traits.num_classes, traits.image_shape
        if described != (card.latent_dim, card.num_classes, card.image_shape):
            raise ModelUnavailable("its network.json describes another model than its card.json")
        return network

    def first_view(self, card: ModelCard) -> dict[str, Any]:
        """Return what a page shows of a model before torch is loaded: "summary", its figures in one line, "place", its
        place among the recipes, and "start", the code and class of its first image; {} where the card has changed
        since that was written."""
        try:
            found = self.read_network(card.name)["first_view"]
            same = found["card_sha256"] == _digest(self.folder(card.name) / "card.json")
        except (ModelUnavailable, OSError, KeyError, TypeError):
            return {}
        return found if same and _is_first_view(found, card) else {}

    def read_weight_bytes(self, card: ModelCard) -> bytes:
        """Read model.safetensors and compare its checksum with the card's. Raises ModelUnavailable."""
        path = self.folder(card.name) / "model.safetensors"
        try:
            if path.stat().st_size > MAX_WEIGHT_BYTES:
                raise ModelUnavailable(f"its weights are larger than {MAX_WEIGHT_BYTES // 2**20} MB")
            content = path.read_bytes()
        except OSError as error:
            raise ModelUnavailable("its weights (model.safetensors) are missing") from error
        if hashlib.sha256(content).hexdigest() != card.weights_sha256:
            raise ModelUnavailable("its weights are damaged: their checksum differs from the card's")
        return content

    def read_weights(self, card: ModelCard) -> dict[str, Tensor]:
        """Read the tensors of model.safetensors and validate them against the card. Raises ModelUnavailable."""
        from safetensors import SafetensorError
        from safetensors.torch import load as load_weights

        content = self.read_weight_bytes(card)
        try:
            weights = load_weights(content)
        except SafetensorError as error:
            raise ModelUnavailable(f"its weights cannot be read ({error})") from error
        # The project's own models were checked when they were written. On the meta device random tensors import
        # torch._dynamo, which takes a second and 100 MB.
        own = self.folder(card.name).parent == PRETRAINED
        tensors = {k: (v.shape, v.dtype) for k, v in weights.items()}
        if not own and tensors != expected_tensors(card, len(weights)):
            raise ModelUnavailable("its weights do not fit its config")
        return weights

    def read_map(self, name: str) -> EncodedImages:
        """Read and validate a model's map.npz. Raises ModelUnavailable."""
        path = self.folder(name) / "map.npz"
        try:
            # opened here, because np.load leaves a damaged zip open
            with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
                encoded = EncodedImages.of(file)
        except Exception as error:  # zip, zlib and numpy raise different errors
            raise ModelUnavailable(f"its map.npz is missing or damaged ({error})") from error
        try:
            encoded.check(cards.read(self.folder(name)).latent_dim)
        except ValueError as error:
            raise ModelUnavailable(f"its map.npz {error}") from error
        return replace(encoded, sigmas=encoded.sigmas.astype(np.float32))

    def read_memory(self, name: str) -> Memory:
        """Read and validate a model's memory.npz.

        Raises ModelUnavailable where it is missing, damaged or was computed with other weights.
        """
        card = cards.read(self.folder(name))
        path = self.folder(name) / "memory.npz"
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

    # ---- writing: into the model's folder, or for a new model into one below the first root

    def save(self, model: LatentModel, card: ModelCard) -> ModelCard:
        """Write weights and card. Returns the card with the checksum of the weights."""
        from safetensors.torch import save as save_weights

        folder = self.folder(card.name)
        folder.mkdir(parents=True, exist_ok=True)
        content = save_weights({k: v.contiguous() for k, v in model.state_dict().items()})
        card = ModelCard(**{**_shallow(card), "weights_sha256": hashlib.sha256(content).hexdigest()})
        write_atomically(folder / "model.safetensors", content)
        self.write_card(card)
        return self.read_card(card.name)

    def write_network(self, name: str, content: dict[str, Any], first_view: dict[str, Any]) -> None:
        """Write network.json of a model whose card is written. first_view: see the method of that name."""
        folder = self.folder(name)
        first_view = {**first_view, "card_sha256": _digest(folder / "card.json")}
        text = json.dumps({**content, "first_view": first_view}, separators=(",", ":"), allow_nan=False) + "\n"
        write_atomically(folder / "network.json", text.encode())

    def write_card(self, card: ModelCard) -> None:
        text = json.dumps(asdict(card), indent=1) + "\n"
        write_atomically(self.folder(card.name) / "card.json", text.encode())

    def remove(self, name: str) -> None:
        """Delete a model's folder, and the test images that no other model of its root needs.

        Raises ModelUnavailable for an unknown name, OSError where its files cannot be deleted.
        """
        folder = self.folder(name)
        data = cards.read(folder).data
        if folder.parent == PRETRAINED:
            raise ModelUnavailable(f"{name} ships with the project")
        shutil.rmtree(folder)
        used = set()
        for other in Store([folder.parent])._folders():
            try:
                used.add(cards.read(other).data)
            except ModelUnavailable:
                return  # it may need them
        if data not in used:
            (folder.parent / "galleries" / f"{data}.npz").unlink(missing_ok=True)

    def write_map(self, name: str, encoded: EncodedImages) -> None:
        # half precision is far finer than any use of a standard deviation, and a quarter of the file is saved
        sigmas = encoded.sigmas.clip(max=np.finfo(np.float16).max).astype(np.float16)
        _write_arrays(self.folder(name) / "map.npz", {**encoded.arrays, "sigmas": sigmas})

    def write_memory(self, name: str, memory: Memory) -> None:
        _write_arrays(self.folder(name) / "memory.npz", _shallow(memory))


def expected_tensors(card: ModelCard, at_most: int) -> dict[str, tuple[torch.Size, torch.dtype]]:
    """Return the shapes and dtypes of the tensors that a card's config builds, without allocating them.

    Raises ModelUnavailable for a config that does not build a model, or one of far more than at_most parameters.
    """
    import torch
    from torch.nn.modules.module import register_module_parameter_registration_hook

    from .models import FAMILIES

    thread, count = threading.get_ident(), 0

    def stop(*_: object) -> None:
        nonlocal count
        count += threading.get_ident() == thread  # the hook is called for all modules of the process
        if count > 2 * at_most:  # a network may replace layers while it is built
            raise ValueError(f"it has many more tensors than the {at_most} of its weights")

    hook = register_module_parameter_registration_hook(stop)
    try:
        with torch.device("meta"):  # shapes only, no memory
            state = FAMILIES[card.family](card.model_config()).state_dict()
    except MissingPackage as error:
        raise ModelUnavailable(str(error)) from error
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise ModelUnavailable(f"its config does not build a model ({error})") from error
    finally:
        hook.remove()
    return {key: (tensor.shape, tensor.dtype) for key, tensor in state.items()}


def shipped() -> Store:
    """Return the store of the models that ship with the project."""
    return Store([PRETRAINED])


def available(root: Path | str | None = None) -> list[ModelCard]:
    """Return the cards of all models that can be loaded, sorted by name: of one folder, or of the default store."""
    return _at(root).available()


def load(name: str, root: Path | str | None = None) -> LatentModel:
    """Return a model in eval mode, on the CPU, with its card on model.card: of one folder, or of the default store.

    Raises ModelUnavailable for an unknown name and for a missing or damaged file.
    """
    return _at(root).load(name)


def _at(root: Path | str | None) -> Store:
    return Store(None if root is None else [root])


def no_models() -> str:
    """Return a sentence for a copy of the project without models: where they belong and where they are."""
    return (
        f"There are no models in {PRETRAINED}. They are part of the repository: clone it and run "
        "`pip install -e .` in the clone."
    )


def card_of(model: LatentModel) -> ModelCard:
    """Return the card of a model from a store. Raises ValueError for a model without one."""
    if model.card is None:
        raise ValueError("this model has no card: load it by its name")
    return model.card


def dimension_order(
    card: ModelCard, levels: dict[str, range], encoded: EncodedImages | None, prior_stddev: np.ndarray
) -> list[int]:
    """Return all dimensions by descending information, level by level.

    Information is the KL on test data. Where the KL is not known by dimension, it is the variance of the
    encoded means over the mean posterior variance, and without a map the prior's standard deviation (D,).
    """
    if "kl_per_dim" in card.figures:
        information = np.asarray(card.figures["kl_per_dim"])
    elif encoded is not None:
        information = encoded.codes.var(0) / np.maximum((encoded.sigmas**2).mean(0), 1e-12)
    else:
        information = prior_stddev
    order = [int(d) for d in np.argsort(-information, kind="stable")]
    return [d for level in levels.values() or [range(card.latent_dim)] for d in order if d in level]


def _is_first_view(found: dict[str, Any], card: ModelCard) -> bool:
    """Return whether what is said of a model's first view has the right types."""
    start = found.get("start", {"z": [0.0] * card.latent_dim, "y": 0})
    if not isinstance(found.get("summary", ""), str) or type(found.get("place", 0)) is not int:
        return False
    if not isinstance(start, dict) or not isinstance(start.get("z"), list) or type(start.get("y")) is not int:
        return False
    in_range = 0 <= start["y"] < max(card.num_classes, 1)
    return in_range and len(start["z"]) == card.latent_dim and all(type(v) in (int, float) for v in start["z"])


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


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


def _shallow(instance: ModelCard | Memory) -> dict:
    return {f.name: getattr(instance, f.name) for f in fields(instance)}

