"""Project files (.vae.zip): a model with all that shows it, to be opened on another machine.

    model.safetensors  its weights
    card.json          its description, its recipe and its figures
    map.npz            encoded test images and their maps
    gallery.npz        the test images of its data, unless the data set is one of the project's
    memory.npz         its nearest training images, if they were measured
    network.json, cover.webp  what a page shows before torch is loaded; for other readers, ours computes them again

A file may come from anyone. Sizes, names, keys, shapes, dtypes and counts are checked before anything is built, at
most a block of a file is in memory while it is unpacked, and nothing in it is executed.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from .cards import NAME, ModelCard
from .cards import read as read_card_file
from .store import FILES, MAX_BROWSER_BYTES, ModelUnavailable, Store, expected_tensors, write_atomically

if TYPE_CHECKING:
    from .data import DatasetInfo
    from .models import LatentModel

SUFFIX = ".vae.zip"
MAX_FILE_BYTES = 128 * 2**20  # of a project file
MAX_RATIO = 100  # of unpacked to packed bytes, of one member
BLOCK = 2**20  # bytes unpacked at a time
MAX_BYTES = {  # of each member that is read
    "card.json": 2**20, "model.safetensors": MAX_BROWSER_BYTES, "map.npz": 32 * 2**20, "gallery.npz": 64 * 2**20,
    "memory.npz": 32 * 2**20,
}  # fmt: skip
REQUIRED = ("card.json", "model.safetensors")
COMPUTED = ("network.json", "cover.webp")  # members that are computed again, never read
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may need much memory
ENCRYPTED = 0x1  # a flag of a member
MAX_HEADER = 2**20  # bytes of the list of tensors
MAX_ARRAYS = 16  # in an .npz
MAX_CLASSES = 1000
# of a config
MAX_FIELDS, MAX_ITEMS, MAX_COUNT = 40, 16, 65_536
MAX_SIDE = 256  # pixels
MAX_ACTIVATIONS = 2**19  # values of one feature map
MAX_TITLE, MAX_TEXT = 80, 4000  # characters
STRUCTURE = ("name", "family", "data", "config", "weights_sha256", "image_shape")  # no text for readers
END = struct.Struct("<4s4H2LH")  # of a zip: signature, 2 disks, 2 counts, size and offset of the list, comment
MAX_LIST = 2**16  # bytes of the list of members
DATE = (1980, 1, 1, 0, 0, 0)  # of all members, so that the same model gives the same file


class ProjectError(ValueError):
    """An error for a project file that cannot be used; its message is one sentence that says why."""


# ---- writing


def write(store: Store, name: str, suffix: str = "") -> bytes:
    """Return a model of a store as a project file.

    suffix: what is left out of the names of the model and of its data, see `read`.
    Raises ModelUnavailable where the model cannot be used, OSError where its test images cannot be read.
    """
    from .data import DATASETS

    card, folder = store.read_card(name), store.folder(name)
    if refusal := too_large(store, name):
        raise ModelUnavailable(refusal)
    plain = {**asdict(card), "name": name.removesuffix(suffix), "data": card.data.removesuffix(suffix)}
    members = {"card.json": _json(plain), "model.safetensors": store.read_weight_bytes(card)}
    members |= {
        file: (folder / file).read_bytes() for file in FILES if file not in members and (folder / file).is_file()
    }
    if card.data not in DATASETS:
        members["gallery.npz"] = _gallery(store, card)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in members.items():
            archive.writestr(zipfile.ZipInfo(file, DATE), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def too_large(store: Store, name: str) -> str:
    """Return a sentence where a model's weights are too large for a project file and for a browser, else ""."""
    size = (store.folder(name) / "model.safetensors").stat().st_size
    return f"its weights are larger than {MAX_BROWSER_BYTES // 2**20} MB" if size > MAX_BROWSER_BYTES else ""


def _gallery(store: Store, card: ModelCard) -> bytes:
    """Return the first test images of a model's data, as many as a project file may hold, as an .npz file."""
    info = store.dataset(card)
    split = info.load("test", download=False).first((MAX_BYTES["gallery.npz"] - BLOCK) // prod(info.image_shape))
    images = split.render(np.arange(len(split)))
    file = io.BytesIO()
    np.savez_compressed(file, images=images[:, 0] if images.shape[1] == 1 else images, labels=split.labels)
    return file.getvalue()


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


# ---- reading


def read(content: bytes | Path, into: Path, suffix: str = "") -> ModelCard:
    """Check a project file and add its model to a folder of models. Returns its card.

    The model keeps its name unless that is taken. suffix: appended to the names of the model and of a data set that
    only its card describes, where both must differ from all others. Raises ProjectError, and OSError where the folder
    cannot be written.
    """
    with _incoming(into) as root:
        flat = root / "unpacked"
        flat.mkdir()
        _unpack(content, flat)
        return _accept(flat, root, into, suffix)


def take(source: Path, into: Path, suffix: str = "") -> ModelCard:
    """Check the one model in a folder of models, such as a training leaves it, and add a copy to another such folder.

    The same is checked as of a project file, except that its network.json and cover.webp are kept. suffix: see `read`.
    Returns the card of the copy. Raises ProjectError and OSError.
    """
    cards = sorted(source.glob("*/card.json"))
    if len(cards) != 1:
        raise ProjectError(f"this folder holds {len(cards)} models, not one")
    galleries = sorted((source / "galleries").glob("*.npz"))
    if len(galleries) > 1:
        raise ProjectError(f"this folder holds the images of {len(galleries)} data sets, not of one")
    with _incoming(into) as root:
        flat = root / "unpacked"
        flat.mkdir()
        found = {file: cards[0].parent / file for file in (*MAX_BYTES, *COMPUTED)}
        if galleries:
            found["gallery.npz"] = galleries[0]
        for file, path in found.items():
            if path.is_file():
                shutil.copyfile(path, flat / file)
        return _accept(flat, root, into, suffix)


@contextmanager
def _incoming(into: Path) -> Iterator[Path]:
    """Make a folder beside the models, where no store looks for any, and remove it at the end."""
    root = into / f".incoming-{secrets.token_hex(8)}"
    try:
        root.mkdir(parents=True)
    except OSError as error:
        raise OSError(f"{into} cannot be written ({error.strerror or error})") from error
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _unpack(content: bytes | Path, folder: Path) -> None:
    """Write the members of a project file into a folder, a block at a time."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ProjectError(f"a project file has at most {MAX_FILE_BYTES // 2**20} MB, and this one {size / 2**20:.0f}")
    try:
        with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
            with zipfile.ZipFile(_checked(stream)) as archive:
                for entry in _members(archive):
                    with archive.open(entry) as packed, (folder / entry.filename).open("wb") as file:
                        shutil.copyfileobj(packed, file, BLOCK)  # which ends at the stated size
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ProjectError("this is not a project file: it is no zip, or is damaged") from error


def _checked(file: IO[bytes]) -> IO[bytes]:
    """Return a zip that ends as usual, with a list of members that fits into MAX_LIST. Raises BadZipFile for others.

    zipfile reads the whole list, which may name millions.
    """
    length = file.seek(0, io.SEEK_END)
    file.seek(max(0, length - END.size))
    end = file.read()
    if len(end) < END.size:
        raise zipfile.BadZipFile
    signature, _, _, _, _, list_size, offset, comment = END.unpack(end)
    # with the sizes of a larger zip (zip64), another record would stand between the list and its end
    if signature != b"PK\5\6" or comment or list_size > MAX_LIST or offset + list_size + END.size != length:
        raise zipfile.BadZipFile
    return file


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members to unpack. Raises ProjectError where one is missing, unknown or too large."""
    names = [entry.filename for entry in archive.infolist()]
    for name in names:
        if name not in MAX_BYTES and name not in COMPUTED:
            raise ProjectError(f"no project file holds a member {name[:60]!r}")
        if names.count(name) > 1:
            raise ProjectError(f"it holds {name} more than once")
    for name in REQUIRED:
        if name not in names:
            raise ProjectError(f"this is not a project file: it has no {name}")
    entries = [entry for entry in archive.infolist() if entry.filename in MAX_BYTES]
    for entry in entries:
        if entry.flag_bits & ENCRYPTED or entry.compress_type not in COMPRESSIONS:
            raise ProjectError(f"its {entry.filename} is encrypted or compressed in an unusual way")
        if entry.file_size > MAX_BYTES[entry.filename]:
            raise ProjectError(f"its {entry.filename} has more than {MAX_BYTES[entry.filename] // 2**20} MB")
        if entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise ProjectError(f"its {entry.filename} is more than {MAX_RATIO} times as large as its compressed bytes")
    return entries


def _accept(flat: Path, root: Path, into: Path, suffix: str) -> ModelCard:
    """Check the unpacked members of a project file and move them into a folder of models.

    flat: the folder of the members. root: an empty folder of models in which they are checked.
    """
    try:
        described = _check_card(flat / "card.json")
        data = _place_gallery(flat, root, into, described, suffix)
        folder = _reserve(into, described["name"], suffix)
    except ModelUnavailable as error:
        raise ProjectError(str(error)) from error
    try:
        flat = flat.rename(root / folder.name)
        (flat / "card.json").write_bytes(_json({**described, "name": folder.name, "data": data}))
        try:
            card = _check(Store([root]), folder.name)
        except ModelUnavailable as error:
            raise ProjectError(str(error)) from error
        for gallery in (root / "galleries").glob("*.npz"):
            (into / "galleries").mkdir(exist_ok=True)
            if not (into / "galleries" / gallery.name).exists():
                gallery.rename(into / "galleries" / gallery.name)
        folder.rmdir()
        flat.rename(folder)
    except BaseException:
        with suppress(OSError):
            folder.rmdir()
        raise
    return card


def _check_card(path: Path) -> dict[str, Any]:
    """Return the content of a stranger's card.json, which is checked, with its texts made harmless."""
    card = read_card_file(path.parent, named=False)
    _check_config(card.config)
    values = asdict(card)
    texts = {key: harmless(value) for key, value in values.items() if key not in STRUCTURE}
    title = texts["title"][:MAX_TITLE].strip() or card.name
    return {**values, **texts, "title": title}


def _check_config(config: dict[str, Any]) -> None:
    """Raise ProjectError for a config whose values build an unreasonably large network."""
    if len(config) > MAX_FIELDS:
        raise ProjectError(f"its config has more than {MAX_FIELDS} fields")
    for key, value in config.items():
        items = value if isinstance(value, list) else [value]
        if len(items) > MAX_ITEMS:
            raise ProjectError(f"the field {key[:60]!r} of its config has more than {MAX_ITEMS} values")
        for item in items:
            if not isinstance(item, (str, int, float)) or not isinstance(item, str) and not abs(item) <= MAX_COUNT:
                raise ProjectError(
                    f"the field {key[:60]!r} of its config holds something else than text and numbers up to "
                    f"{MAX_COUNT:,}"
                )
    shape = config.get("image_shape")
    if not (isinstance(shape, list) and len(shape) == 3 and all(type(side) is int for side in shape)):
        raise ProjectError("its config does not give the shape of an image")
    if shape[0] not in (1, 3) or not all(1 <= side <= MAX_SIDE for side in shape[1:]):
        raise ProjectError(f"its images must have 1 or 3 channels and at most {MAX_SIDE} x {MAX_SIDE} pixels")
    channels = config.get("channels", [])
    for halvings, width in enumerate(channels if isinstance(channels, list) else [], start=1):
        if type(width) is int and width * shape[1] * shape[2] > MAX_ACTIVATIONS * 4**halvings:
            raise ProjectError(f"a feature map of its config has more than {MAX_ACTIVATIONS:,} values")


def harmless(value: Any) -> Any:
    """Return a stranger's text, or each text in a JSON value, as Markdown without HTML, pictures and hidden links."""
    if isinstance(value, dict):
        return {harmless(key): harmless(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [harmless(item) for item in value]
    if not isinstance(value, str):
        return value
    text = "".join(c if c.isprintable() else " " for c in value[:MAX_TEXT])
    text = re.sub(r"!(?=\[)|\]\s*(?=[\[(:])", lambda found: "" if found[0] == "!" else "] ", text)
    return re.sub(r"<(?=[A-Za-z/!?])", "< ", text).replace("$", "＄")


def _place_gallery(flat: Path, root: Path, into: Path, described: dict[str, Any], suffix: str) -> str:
    """Check the gallery of a model whose data set is not one of the project's, and move it to its place below root.

    Returns the name of the data set, which is free in the folder of models into or has the same images there.
    """
    from .data import DATASETS

    gallery, data = flat / "gallery.npz", described["data"]
    if data in DATASETS:
        gallery.unlink(missing_ok=True)
        return data
    if not gallery.exists():
        raise ProjectError(f"its data set {data!r} is not known here, and the file holds no images of it")
    arrays = _check_arrays(gallery)
    classes = described["dataset"].get("classes")
    if not isinstance(classes, list) or not 0 < len(classes) <= MAX_CLASSES:
        raise ProjectError(f"its card must name the classes of its data set, at most {MAX_CLASSES:,}")
    shape = tuple(described["config"]["image_shape"])
    images, labels = arrays.get("images", ((), "")), arrays.get("labels", ((), ""))
    n = images[0][0] if images[0] else 0
    shapes = [(n, *shape), (n, *shape[1:])] if shape[0] == 1 else [(n, *shape)]
    if not n or images[0] not in shapes or images[1] != "|u1" or labels[0] != (n,):
        raise ProjectError("its gallery.npz does not hold images of the model's shape, uint8, and a label for each")
    digest = _digest(gallery)
    for name in _free_names(data, suffix):
        there = into / "galleries" / f"{name}.npz"
        if name in DATASETS:
            continue
        if not there.exists() or _digest(there) == digest:
            (root / "galleries").mkdir()
            gallery.rename(root / "galleries" / f"{name}.npz")
            return name
    raise AssertionError("there is always a free name")


def _check_arrays(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return {name: (shape, dtype)} of the arrays in an .npz file, by their headers alone.

    Raises ProjectError for arrays of Python objects, and where they take more memory than the member may have.
    """
    found, total = {}, 0
    try:
        with path.open("rb") as stream, zipfile.ZipFile(_checked(stream)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ARRAYS:
                raise ProjectError(f"its {path.name} holds more than {MAX_ARRAYS} arrays")
            for entry in entries:
                if entry.flag_bits & ENCRYPTED or entry.compress_type not in COMPRESSIONS:
                    raise ProjectError(f"its {path.name} is encrypted or compressed in an unusual way")
                with archive.open(entry) as file:
                    shape, dtype = _array_header(file)
                if dtype.hasobject:
                    raise ProjectError(f"its {path.name} holds Python objects, which are not read")
                total += prod(shape) * dtype.itemsize
                if total > MAX_BYTES[path.name] or entry.file_size > MAX_BYTES[path.name]:
                    raise ProjectError(f"its {path.name} unpacks to more than {MAX_BYTES[path.name] // 2**20} MB")
                found[entry.filename.removesuffix(".npy")] = shape, dtype.str
    except ProjectError:
        raise
    except Exception as error:  # zipfile, zlib, numpy and the parser of its headers raise different errors
        raise ProjectError(f"its {path.name} is damaged") from error
    return found


def _array_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and dtype of an array in numpy's format. Raises ValueError for anything else."""
    if np.lib.format.read_magic(file) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    if min(shape, default=0) < 0:
        raise ValueError("an array has a negative length")
    return shape, dtype


def _reserve(into: Path, name: str, suffix: str) -> Path:
    """Make the empty folder of a new model, whose name no other model has."""
    for free in _free_names(name, suffix):
        if not (Store().folder(free) / "card.json").exists():  # as of a shipped model
            try:
                (into / free).mkdir()
                return into / free
            except FileExistsError:
                continue
    raise AssertionError("there is always a free name")


def _free_names(name: str, suffix: str) -> Iterator[str]:
    """Yield a name with a suffix, and the same with numbers, each of at most 60 characters."""
    name = name if NAME.fullmatch(name) else "model"
    for number in range(1, 10**6):
        end = suffix + (f"-{number}" if number > 1 else "")
        yield name[: 60 - len(end)] + end


def _check(store: Store, name: str) -> ModelCard:
    """Check all files of a model against each other, and compute its network.json and cover.webp unless it has them.

    store: holds no other model. Raises ProjectError and ModelUnavailable. Returns the card.
    """
    from .models import FAMILIES

    card, folder = store.read_card(name), store.folder(name)
    if FAMILIES[card.family].foreign:
        raise ProjectError("its networks are in the Python process that made it, and not in the file")
    _check_weights(card, folder / "model.safetensors")
    for file in ("map.npz", "memory.npz"):
        if (folder / file).exists():
            _check_arrays(folder / file)
    info = store.dataset(card)
    if info.image_shape != card.image_shape:
        raise ProjectError(f"its images are {card.image_shape}, and those of its data set {info.image_shape}")
    if card.num_classes not in (0, len(info.classes)):
        raise ProjectError(f"it has {card.num_classes} classes, and its data set {len(info.classes)}")
    try:
        test_images = len(info.load("test", download=False))
    except OSError as error:
        raise ProjectError(f"its test images cannot be read ({error})") from error
    if (folder / "map.npz").exists() and store.read_map(name).rows.max() >= test_images:
        raise ProjectError(f"its map.npz is of more images than the {test_images:,} of its data set")
    if (folder / "memory.npz").exists():
        store.read_memory(name)
    _check_figures(card, info)
    model = store.load(name)
    if not all(bool(t.isfinite().all()) for t in model.state_dict().values()):
        raise ProjectError("its weights hold values that are not finite numbers")
    if not store.first_view(card):
        write_network(store, model)
    return card


def _check_weights(card: ModelCard, path: Path) -> None:
    """Compare the names, shapes and dtypes of a file's tensors and its checksum with a card, without reading them."""
    from safetensors import SafetensorError, safe_open

    with path.open("rb") as file:
        if int.from_bytes(file.read(8), "little") > MAX_HEADER:
            raise ProjectError(f"the list of tensors in its weights has more than {MAX_HEADER // 2**20} MB")
    try:
        with safe_open(path, framework="np") as file:
            found = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118, it is no dict
            tensors = {key: (tuple(part.get_shape()), part.get_dtype()) for key, part in found.items()}
    except (SafetensorError, ValueError, OSError) as error:
        raise ProjectError(f"its weights are no safetensors file ({error})") from error
    expected = {
        key: (tuple(shape), DTYPES.get(str(dtype), str(dtype)))
        for key, (shape, dtype) in expected_tensors(card, len(tensors)).items()
    }
    if different := sorted(expected.keys() ^ tensors.keys()):
        whose = "its config does not ask for" if different[0] in tensors else "its config asks for, but they lack"
        raise ProjectError(f"its weights do not fit its config: {whose} {different[0][:60]!r}")
    for key, (shape, dtype) in expected.items():
        if tensors[key] != (shape, dtype):
            raise ProjectError(
                f"its weights do not fit its config: {key!r} has shape {tensors[key][0]} and dtype {tensors[key][1]}, "
                f"not {shape} and {dtype}"
            )
    if _digest(path) != card.weights_sha256:
        raise ProjectError("its weights have another checksum than its card says")


DTYPES = {  # as safetensors names them
    "torch.float64": "F64", "torch.float32": "F32", "torch.float16": "F16", "torch.bfloat16": "BF16",
    "torch.int64": "I64", "torch.int32": "I32", "torch.uint8": "U8", "torch.bool": "BOOL",
}  # fmt: skip


def _check_figures(card: ModelCard, info: DatasetInfo) -> None:
    """Raise ProjectError for figures, or a recipe, that a page could not show."""
    from .evaluation import figures, report

    if reason := figures.unknown(card):
        raise ProjectError(reason)
    kl = card.figures.get("kl_per_dim", [0.0] * card.latent_dim)
    if not isinstance(kl, list) or len(kl) != card.latent_dim:
        raise ProjectError(f"the figure 'kl_per_dim' of its card must have {card.latent_dim} values")
    try:
        for show in (report.figures_table, report.summary, report.protocols, report.training):
            show(card)
        report.selection_sentence(card.selection)
        report.disentanglement_scores(card)
        for answer in report.factor_answers(card, info.factors) if info.factors else ():
            "".join((*answer.texts, report.three_answers(answer)))
    except Exception as error:  # a figure may be anything that JSON holds
        raise ProjectError(f"the figures or the recipe of its card cannot be shown ({error!r:.100})") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- what a page shows before torch is loaded


def write_network(
    store: Store, model: LatentModel, place: int | None = None, networks: dict[str, Any] | None = None
) -> None:
    """Export a model's networks for a browser and write network.json and cover.webp.

    network.json also holds what the app shows before torch is loaded, see Store.first_view. Anything that writes the
    card must call this afterwards. place: the model's place among the recipes. networks: what network_file returned
    before the card was written, None to export them now.
    """
    import torch

    from .evaluation import report
    from .models.portable import network_file
    from .store import card_of

    card = card_of(model)
    info = store.dataset(card)
    x, labels = info.load("test").batch([info.start])
    y = labels if model.num_classes else None
    with torch.no_grad():
        z = model.encode(x, y).mean[0]
    first_view: dict[str, Any] = {
        "summary": report.summary(card), "start": {"z": z.tolist(), "y": 0 if y is None else int(y[0])},
    }  # fmt: skip
    if place is not None:
        first_view["place"] = place
    write_atomically(store.folder(card.name) / "cover.webp", report.cover_file(model))
    if networks is None:
        networks = network_file(model, too_large(store, card.name))
    exported = {**networks, "weights_sha256": card.weights_sha256}
    store.write_network(card.name, exported, first_view)


def retitle(store: Store, name: str, title: str) -> ModelCard:
    """Give a model another title, in its card and in what refers to the card. Returns the new card."""
    card = replace(store.read_card(name), title=harmless(title)[:MAX_TITLE].strip())
    if not card.title:
        raise ProjectError("a model needs a title")
    first_view = store.first_view(card)
    network = store.read_network(name) if first_view else {}
    store.write_card(card)
    if network:
        store.write_network(name, network, first_view)
    return card
