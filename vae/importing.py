"""vae import: a checkpoint of another project becomes one of the user's own models.

    card = importing.add(Path("results/btcvae_dsprites"), "btcvae", "sprites")

Only the command line and Python call this: a checkpoint may be a pickle, see vae/checkpoints. With images the model
gets figures and a map of them; without, its pages show samples from its prior.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import asdict, replace
from math import prod
from pathlib import Path

import torch
from torch import Tensor, nn

from . import checkpoints, folders, jobs, pipeline, project, store
from .cards import NAME, ModelCard
from .data import DATASETS, DatasetInfo, archives, in_memory, own
from .data.described import description
from .data.own.prepared import prepare_all
from .live import result
from .models import FAMILIES, LatentModel

MAX_IMAGES = 1000  # that are stored with a model
MAX_BYTES = 48 * 2**20  # of them
MIN_IMAGES = 5  # that a map needs
SAMPLES = 200
Shape = tuple[int, int, int]


def add(path: Path, name: str = "", data: str = "", progress: jobs.Report | None = None) -> ModelCard:
    """Read a checkpoint and add it to the user's own models. Returns its card.

    path: a folder, or a file of weights in one. name: by default made from the folder's. data: a data set, or a folder
    or file of images; "" for none. Raises ValueError, in one sentence, for a name that is taken and for what cannot be
    read, and OSError where files cannot be.
    """
    report = jobs.part(progress)
    folder = (path if path.is_dir() else path.parent).resolve()
    name = name or re.sub("[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:60] or "model"
    _check_name(name)
    known = store.Store().datasets()
    report("reading the checkpoint", 0.0)
    found = checkpoints.read(path, known[data].image_shape if data in known else None)
    images = _images(data, known, found.image_shape, jobs.part(report, 0.0, 0.2)) if data else None
    with torch.no_grad():
        model = found.model(None if images is None else _first(images)[0])
    info = images or _samples(model)
    model.card = _card(model, name, found, folder.name, info)
    if images is not None:
        report("measuring", 0.2)
        figures, protocol = result.measure(model, info, result.slow(info), jobs.part(report, 0.2, 0.5))
        model.card = replace(model.card, figures=figures, protocol=protocol)
    encoded = pipeline.fit_map(model, 0, jobs.part(report, 0.5, 0.95), info, result.MAP_POINTS, exact=True)
    with tempfile.TemporaryDirectory(prefix="vae-import-") as root:
        if info.name not in DATASETS:
            result.write_gallery(info, Path(root))
        pipeline.save_in(store.Store([root]), model, encoded)
        return project.take(Path(root), folders.home())


def _check_name(name: str) -> None:
    """Raise ValueError for a name that no model can have, or that one has."""
    if not NAME.fullmatch(name):
        raise ValueError(f"a model's name has up to 60 of a-z, 0-9 and hyphens, not {name[:60]!r}")
    if (store.Store().folder(name) / "card.json").exists() or (folders.home() / name).exists():
        raise ValueError(f"there is a model {name!r} already: choose another name with --as, or remove it first")


def _card(model: LatentModel, name: str, found: checkpoints.Checkpoint, folder: str, info: DatasetInfo) -> ModelCard:
    return ModelCard(
        name=name, title=name, description=f"A checkpoint of {found.project}, imported from the folder {folder!r}.",
        note=" ".join(found.notes), family=next(key for key, family in FAMILIES.items() if family is type(model)),
        data=info.name, image_shape=model.image_shape, latent_dim=model.latent_dim, config=asdict(model.config),
        recipe={}, licence="licence unknown", weights_sha256="", dataset=description(info),
        dimensions=found.dimensions,
    )  # fmt: skip


# ---- images


def _images(data: str, known: dict[str, DatasetInfo], shape: Shape, progress: jobs.Report) -> DatasetInfo:
    """Return the images that a model of this shape is measured on."""
    if data in known:
        info = known[data]
        return info if info.image_shape == shape else _resized(info, shape)
    if not Path(data).exists():
        raise ValueError(f"there is no data set and no folder {data[:60]!r}; the data sets are {', '.join(known)}")
    source = own.open_source(Path(data))
    if len(source) > own.MAX_IN_APP:
        raise ValueError(f"{data} has {len(source):,} images: make a data set of them first, with `vae data add`")
    if source.refusal:
        raise ValueError(archives.unescaped(source.refusal))
    if shape[1] != shape[2]:
        raise ValueError(f"this model takes {shape[1]} x {shape[2]} pixels, and images from a folder become square")
    prepared = prepare_all(source, shape[1], shape[0] == 3, None, progress)
    pixels, rows = prepared.images()[: _most(shape)], prepared.rows[: _most(shape)]
    if len(pixels) < MIN_IMAGES:
        raise ValueError(f"{data} has {len(pixels)} images that can be read; a map needs at least {MIN_IMAGES}")
    labels = None if source.labels is None else [source.classes[label] for label in source.labels[rows]]
    info, _ = in_memory.dataset(in_memory.Images(torch.from_numpy(pixels.copy()).float() / 255, False, ()), labels)
    return replace(info, title=source.title, source=f"the folder {Path(data).name!r}")


def _resized(info: DatasetInfo, shape: Shape) -> DatasetInfo:
    """Return the first test images of a data set, scaled to another size."""
    if info.image_shape[0] != shape[0] or {1} != {len(set(sides[1:])) for sides in (shape, info.image_shape)}:
        raise ValueError(f"this model takes images {shape}, and those of {info.title} are {info.image_shape}")
    x, y = _first(info)
    x = nn.functional.interpolate(x, shape[1:], mode="bilinear", antialias=True)
    found, _ = in_memory.dataset(in_memory.Images(x, False, ()), [info.classes[label] for label in y.tolist()])
    return replace(
        found, title=f"{info.title}, {shape[1]} x {shape[2]}", licence=info.licence, source=info.source,
        noun=info.noun, preparation=info.preparation,
    )  # fmt: skip


def _samples(model: LatentModel) -> DatasetInfo:
    """Return samples from a model's prior as a data set."""
    if model.conditional:
        raise ValueError("a conditional model needs images with classes: add --data")
    with torch.no_grad():
        x = model.decode(model.sample(SAMPLES, generator=torch.Generator().manual_seed(0)))
    if not x.isfinite().all():
        raise ValueError("its samples have pixels that are NaN or infinite")
    x = x[x.flatten(1).std(1).argsort(descending=True)]  # pages begin with the first ones: these are not empty
    info, _ = in_memory.dataset(in_memory.Images(x, False, ()))
    return replace(
        info, title="Samples of the model", classes=("all samples",), licence="", noun="samples",
        source="no images were given to vae import; samples of most contrast come first",
    )  # fmt: skip


def _first(info: DatasetInfo) -> tuple[Tensor, Tensor]:
    """Return the first test images (N, C, H, W) of a data set, and their classes (N,)."""
    split = info.load("test")
    return split.batch(range(min(len(split), _most(info.image_shape))))


def _most(shape: Shape) -> int:
    """Return how many images of a shape are used and stored."""
    return min(MAX_IMAGES, MAX_BYTES // prod(shape))
