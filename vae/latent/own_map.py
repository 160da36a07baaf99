"""A map of uploaded images, fitted as a job: a process of its own.

The web process starts the job, reads its progress and may cancel it. It never imports umap and never
decodes the uploaded files, and a crash of this process does not affect it.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import jobs, store
from ..data import DATASETS, DatasetInfo
from ..data.archives import File
from ..data.images import UploadError, read_image
from ..metrics import average_terms
from . import maps

MIN_IMAGES = 5  # to fit a map; fewer are placed on the model's map
MAX_JOBS = 2  # at once, in all sessions together
TIME_LIMIT = 600  # seconds
MEMORY_LIMIT = 4 * 2**30  # bytes
BATCH = 100


@dataclass(frozen=True)
class OwnMap:
    """The result of a job: N images as the model sees them, their codes and their positions."""

    images: np.ndarray  # (N, C, H, W) uint8
    names: np.ndarray  # (N,) str
    labels: np.ndarray  # (N,) int64, indices into folders
    folders: np.ndarray  # (F,) str, folder names; one empty name for images without a folder
    classes: np.ndarray  # (N,) int64, the classes that a conditional model was given; 0 for other models
    codes: np.ndarray  # (N, D) float32, posterior means
    recon: np.ndarray  # (N,) float32, -log p(x | z = mean) in nats
    umap: np.ndarray  # (N, 2) float32
    umap_again: np.ndarray  # (N, 2) float32, another seed
    pca: np.ndarray  # (N, 2) float32
    trustworthiness: np.ndarray  # (3,) of umap, umap_again, pca
    left_out: int  # files that could not be decoded


def as_the_model_sees(content: bytes, info: DatasetInfo) -> Tensor:
    """Decode an uploaded file into x (1, C, H, W) in [0, 1], prepared with the default guesses. Raises UploadError."""
    return info.prepare(read_image(content)).x


class Job(jobs.Job[OwnMap]):
    """A map being fitted in another process. The constructor raises jobs.Busy when MAX_JOBS are running."""

    def __init__(self, model_name: str, files: list[File]):
        def prepare(folder: Path) -> None:
            with zipfile.ZipFile(folder / "images.zip", "w") as archive:
                for i, file in enumerate(files):  # entries are numbered: uploaded names must not become paths
                    archive.writestr(str(i), file.content)
            job = {"model": model_name, "names": [f.name for f in files], "folders": [f.folder for f in files]}
            (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")

        super().__init__(
            "vae.latent.own_map", "The map fit", prepare, _parse, jobs.Limits(TIME_LIMIT, MEMORY_LIMIT, MAX_JOBS),
            {"NUMBA_NUM_THREADS": "1", "NUMBA_CACHE_DIR": maps.numba_cache()},
        )  # fmt: skip


def _parse(arrays: jobs.Arrays) -> OwnMap:
    """Return the result that a job wrote. Raises ValueError where its arrays do not fit each other, and KeyError."""
    parts: dict[str, Any] = {f.name: arrays[f.name] for f in fields(OwnMap)}
    n, d = parts["codes"].shape
    shapes = {
        **dict.fromkeys(("names", "labels", "classes", "recon"), (n,)), "codes": (n, d), "trustworthiness": (3,),
        **dict.fromkeys(("umap", "umap_again", "pca"), (n, 2)),
    }  # fmt: skip
    if any(parts[part].shape != shape for part, shape in shapes.items()):
        raise ValueError("its arrays do not fit each other")
    images, labels = parts["images"], parts["labels"].astype(np.int64, casting="safe")
    if images.ndim != 4 or len(images) != n or images.dtype != np.uint8:
        raise ValueError("its images are no images")
    if not (labels.min() >= 0 and labels.max() < len(parts["folders"])):
        raise ValueError("its labels are of no folder")
    if not all(np.isfinite(parts[part]).all() for part in (*shapes, "codes") if part != "names"):
        raise ValueError("its values are not finite")
    return OwnMap(**{**parts, "left_out": int(parts["left_out"])})


def work(folder: Path, report: jobs.Report) -> jobs.Arrays:
    torch.set_grad_enabled(False)
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    try:
        return vars(fit(job, folder / "images.zip", report))
    except UploadError as error:
        raise jobs.JobError(str(error)) from error


def fit(job: dict, archive: Path, report: jobs.Report) -> OwnMap:
    """Decode and encode the images of an archive and fit maps to their codes.

    job: the content of job.json. report(stage, share): called with the progress. Raises UploadError where fewer
    than MIN_IMAGES can be decoded or a value of the model is not finite.
    """
    model = store.load(job["model"])
    info = DATASETS[store.card_of(model).data]
    images, kept = [], []
    with zipfile.ZipFile(archive) as file:
        for i in range(len(job["names"])):
            if i % 20 == 0:
                report(f"reading image {i + 1:,} of {len(job['names']):,}", 0.15 * i / len(job["names"]))
            try:
                images.append(as_the_model_sees(file.read(str(i)), info))
                kept.append(i)
            except UploadError:
                continue
    n = len(images)
    if n < MIN_IMAGES:
        raise UploadError(f"Only {n} of {len(job['names'])} files could be decoded; a map needs {MIN_IMAGES} images.")
    x = torch.cat(images)
    classes = torch.zeros(n, dtype=torch.int64)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for first in range(0, n, BATCH):
            report(f"encoding image {first + 1:,} of {n:,}", 0.15 + 0.15 * first / n)
            part = x[first : first + BATCH]
            if model.num_classes:
                classes[first : first + BATCH] = model.most_likely_class(part)
            yield part, classes[first : first + BATCH]

    terms = average_terms(model, batches())
    usable = np.isfinite(terms.means).all(1) & np.isfinite(terms.recon_at_mean)
    if not usable.all():
        raise UploadError(
            f"The model returns a value that is not a finite number for {n - usable.sum():,} of these {n:,} images, "
            "so a map of them cannot be fitted."
        )
    features = model.features(torch.from_numpy(terms.means)).numpy()
    report("loading UMAP", 0.3)
    umap = maps.fit_umap(features, 0, _ProgressBar(lambda share: report("fitting UMAP", 0.45 + 0.3 * share)))
    again = maps.fit_umap(features, 1, _ProgressBar(lambda share: report("fitting UMAP again", 0.75 + 0.2 * share)))
    pca = maps.pca_plane(features).place(features).astype(np.float32)
    report("measuring", 0.97)
    folders, labels = np.unique([job["folders"][i] for i in kept], return_inverse=True)
    layouts = (umap, maps.align_to(again, umap), pca)
    return OwnMap(
        images=(x * 255).round().to(torch.uint8).numpy(), names=np.array([job["names"][i] for i in kept]),
        labels=labels, folders=folders, classes=classes.numpy(), codes=terms.means,
        recon=terms.recon_at_mean, umap=layouts[0], umap_again=layouts[1], pca=layouts[2],
        trustworthiness=np.array([maps.map_trustworthiness(features, xy) for xy in layouts]),
        left_out=len(job["names"]) - n,
    )  # fmt: skip


class _ProgressBar:
    """A file-like object that umap writes its progress bar to; it calls on_share with the share done, 0 to 1."""

    def __init__(self, on_share: Callable[[float], None]):
        self.on_share = on_share

    def write(self, text: str) -> None:
        percent = re.search(r"(\d+)%", text)
        if percent:
            self.on_share(int(percent[1]) / 100)

    def flush(self) -> None:
        pass


if __name__ == "__main__":
    jobs.run(work)
