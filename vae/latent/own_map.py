"""A map of uploaded images, fitted as a job: a process of its own.

The web process starts the job, reads its progress and may cancel it. It never imports umap and never
decodes the uploaded files, and a crash of this process does not affect it.
"""

from __future__ import annotations

import functools
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import jobs, store
from ..data import DatasetInfo
from ..data.archives import File
from ..data.images import UploadError, read_image
from ..encoded import EncodedImages
from ..metrics import average_terms
from . import maps

MIN_IMAGES = 5  # to fit a map; fewer are placed on the model's map
MAX_JOBS = 2  # at once, in all sessions together
TIME_LIMIT = 600  # seconds
MEMORY_LIMIT = 4 * 2**30  # bytes
BATCH, SEED = 100, 0


@dataclass(frozen=True)
class OwnMap:
    """The result of a job: a visitor's images as the model sees them, encoded, with maps of their own."""

    encoded: EncodedImages  # of N images; rows are indices among the uploaded files, ascending
    images: np.ndarray  # (N, C, H, W) uint8
    classes: np.ndarray  # (N,) int64, the classes that a conditional model was given; 0 for other models
    map_parameters: dict  # see maps.map_parameters
    names: tuple[str, ...]  # (N,), of the files
    folders: tuple[str, ...]  # (N,), of the files; "" for those without
    left_out: int  # files that could not be decoded


def as_the_model_sees(content: bytes, info: DatasetInfo) -> Tensor:
    """Decode an uploaded file into x (1, C, H, W) in [0, 1], prepared with the default guesses. Raises UploadError."""
    return info.prepare(read_image(content)).x


class Job(jobs.Job[OwnMap]):
    """A map being fitted in another process. The constructor raises jobs.Busy when MAX_JOBS are running.

    kept: the store that holds the model; None for the default one.
    """

    def __init__(self, model_name: str, files: list[File], kept: store.Store | None = None):
        def prepare(folder: Path) -> None:
            (folder / "model").write_text(json.dumps([model_name, *roots]), encoding="utf-8")
            with zipfile.ZipFile(folder / "images.zip", "w") as archive:
                for i, file in enumerate(files):  # entries are numbered: uploaded names must not become paths
                    archive.writestr(str(i), file.content)

        names, folders = [file.name for file in files], [file.folder for file in files]
        kept = kept or store.Store()
        roots = [str(root.absolute()) for root in kept.roots]
        super().__init__(
            "vae.latent.own_map", "The map fit", prepare,
            functools.partial(parse, model_name, names, folders, kept=kept),
            jobs.Limits(TIME_LIMIT, MEMORY_LIMIT, MAX_JOBS),
            {"NUMBA_NUM_THREADS": "1", "NUMBA_CACHE_DIR": maps.numba_cache()},
        )  # fmt: skip


def parse(
    model_name: str, names: list[str], folders: list[str], arrays: jobs.Arrays, kept: store.Store | None = None
) -> OwnMap:
    """Return the result of a job whose arrays, those of `fit`, may be anything. Raises ValueError and KeyError.

    names, folders: of the uploaded files. kept: the store that holds the model; None for the default one.
    """
    card = (kept or store.Store()).read_card(model_name)
    encoded = EncodedImages.of(arrays)
    encoded.check(card.latent_dim)
    n = len(encoded)
    images, classes, trust = (arrays[name] for name in ("images", "classes", "trustworthiness"))
    if images.shape != (n, *card.image_shape) or images.dtype != np.uint8:
        raise ValueError("holds images of another kind than the model's")
    if encoded.rows.max() >= len(names) or (np.diff(encoded.rows) <= 0).any():
        raise ValueError("holds rows of other files")
    known = range(max(1, card.num_classes))
    if classes.shape != (n,) or classes.dtype.kind != "i" or not set(classes.tolist()) <= set(known):
        raise ValueError("holds classes that the model does not have")
    layouts = encoded.layouts
    if trust.shape != (len(layouts),) or not np.isfinite(trust).all():
        raise ValueError("holds no trustworthiness")
    decoded = encoded.rows.tolist()
    return OwnMap(
        encoded, images, classes,
        maps.map_parameters(n, SEED, dict(zip(layouts, trust.tolist(), strict=True))),
        tuple(names[i] for i in decoded), tuple(folders[i] for i in decoded), len(names) - n,
    )  # fmt: skip


def work(folder: Path, report: jobs.Report) -> jobs.Arrays:
    torch.set_grad_enabled(False)
    try:
        name, *roots = json.loads((folder / "model").read_text(encoding="utf-8"))
        return fit(name, folder / "images.zip", report, store.Store(roots))
    except UploadError as error:
        raise jobs.JobError(str(error)) from error


def fit(
    model_name: str, archive: Path, report: jobs.Report, kept: store.Store | None = None
) -> jobs.Arrays:
    """Decode and encode the images of an archive, named "0", "1", ..., and fit maps to their codes.

    Returns the arrays of EncodedImages and images, classes and trustworthiness, which `parse` reads. Raises
    UploadError where fewer than MIN_IMAGES can be decoded or a value of the model is not finite.
    """
    kept = kept or store.Store()
    model = kept.load(model_name)
    x, rows = _decode(archive, kept.dataset(store.card_of(model)), jobs.part(report, 0.0, 0.15))
    n = len(x)
    classes = torch.zeros(n, dtype=torch.int64)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for first in range(0, n, BATCH):
            report(f"encoding image {first + 1:,} of {n:,}", 0.15 + 0.15 * first / n)
            part = x[first : first + BATCH]
            if model.num_classes:
                classes[first : first + BATCH] = model.most_likely_class(part)
            yield part, classes[first : first + BATCH]

    terms = average_terms(model, batches())
    usable = np.isfinite(terms.means).all(1) & np.isfinite(terms.sigmas).all(1) & np.isfinite(terms.recon_at_mean)
    if not usable.all():
        raise UploadError(
            f"The model returns a value that is not a finite number for {n - usable.sum():,} of these {n:,} images, "
            "so a map of them cannot be fitted."
        )
    features = model.features(torch.from_numpy(terms.means)).numpy()
    fitted = maps.fit_maps(features, SEED, jobs.part(report, 0.3, 1.0))
    encoded = EncodedImages(rows, terms.means, terms.sigmas, terms.recon_at_mean, **fitted.layouts)
    return encoded.arrays | {
        "images": (x * 255).round().to(torch.uint8).numpy(), "classes": classes.numpy(),
        "trustworthiness": np.array(list(fitted.parameters["trustworthiness"].values())),
    }  # fmt: skip


def _decode(archive: Path, info: DatasetInfo, report: jobs.Report) -> tuple[Tensor, np.ndarray]:
    """Return the images x (N, C, H, W) of an archive as the model sees them, and the rows (N,) that can be decoded."""
    images, rows = [], []
    with zipfile.ZipFile(archive) as file:
        files = len(file.namelist())
        for i in range(files):
            if i % 20 == 0:
                report(f"reading image {i + 1:,} of {files:,}", i / files)
            try:
                images.append(as_the_model_sees(file.read(str(i)), info))
                rows.append(i)
            except UploadError:
                continue
    if len(images) < MIN_IMAGES:
        raise UploadError(
            f"Only {len(images)} of {files} files could be decoded; a map needs {MIN_IMAGES} images."
        )
    return torch.cat(images), np.array(rows)


if __name__ == "__main__":
    jobs.run(work)
