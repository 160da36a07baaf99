"""A map of a stranger's own images, fitted in a process of its own: python -m vae.latent.own_map FOLDER.

The process that serves pages starts the work, asks how far it is, and may cancel it. umap is never
imported there, a crash here stays here, and a stranger's files are decoded here.
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import tempfile
import threading
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import jobs, store
from ..data import DATASETS, DatasetInfo
from ..data.archives import File
from ..data.images import UploadError, read_image
from ..metrics import average_terms
from . import maps

FEWEST = 5  # images that a map can be fitted to; fewer are placed on the model's own map
MOST_AT_ONCE = 2  # fits, of all sessions together
TIME_LIMIT = 600  # seconds
UNFETCHED = 60  # seconds more, until a result that nobody has asked for is thrown away
BATCH = 100


class Busy(Exception):
    """Too many fits at once; the message is one sentence for whoever asked."""


@dataclass(frozen=True)
class OwnMap:
    """What came of it: N images as the model sees them, their codes and their places."""

    images: np.ndarray  # (N, C, H, W) uint8
    names: np.ndarray  # (N,) str
    labels: np.ndarray  # (N,) int64, numbers of folders
    folders: np.ndarray  # (F,) str, their names; one where there are none
    classes: np.ndarray  # (N,) int64, which a conditional model was given; 0 for others
    codes: np.ndarray  # (N, D) float32, posterior means
    recon: np.ndarray  # (N,) float32, -log p(x | z = mean) in nats
    umap: np.ndarray  # (N, 2) float32
    umap_again: np.ndarray  # (N, 2) float32, another seed
    pca: np.ndarray  # (N, 2) float32
    trustworthiness: np.ndarray  # (3,) of umap, umap_again, pca
    left_out: int  # files that could not be decoded


def as_the_model_sees(content: bytes, info: DatasetInfo) -> Tensor:
    """A file of a stranger -> x (1, C, H, W) in [0, 1], with the usual guesses. Raises UploadError."""
    return info.prepare(read_image(content)).x


class Job:
    """A fit under way. Raises Busy where too many others are."""

    _running: set[Job] = set()
    _lock = threading.Lock()

    def __init__(self, model_name: str, files: list[File]):
        with self._lock:
            # those that ended without anybody asking no longer count
            self._running.difference_update([job for job in self._running if not job.alive])
            if len(self._running) >= MOST_AT_ONCE:
                raise Busy("Others are fitting maps just now; try again in a minute.")
            self._folder = tempfile.TemporaryDirectory(prefix="own-map-")
            self.folder = Path(self._folder.name)
            with zipfile.ZipFile(self.folder / "images.zip", "w") as archive:
                for i, file in enumerate(files):  # numbers for names: a stranger's are no paths
                    archive.writestr(str(i), file.content)
            job = {"model": model_name, "names": [f.name for f in files], "folders": [f.folder for f in files]}
            (self.folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
            self._process = jobs.Process("vae.latent.own_map", self.folder, {"NUMBA_NUM_THREADS": "1"})
            self.process, self.progress = self._process.process, self._process.progress
            self._running.add(self)
        # a session may end without a word: what nobody has fetched does not stay
        self._end_by_itself = threading.Timer(TIME_LIMIT + UNFETCHED, self.cancel)
        self._end_by_itself.daemon = True
        self._end_by_itself.start()

    @property
    def alive(self) -> bool:
        return self._process.alive

    def cancel(self) -> None:
        self._end()

    def result(self) -> OwnMap:
        """What the finished process left. Raises UploadError with its sentence, or with one of ours
        where it died without a word."""
        try:
            path = self.folder / "result.npz"
            if path.exists():
                with np.load(path, allow_pickle=False) as found:
                    parts = {f.name: found[f.name] for f in fields(OwnMap)}
                return OwnMap(**{**parts, "left_out": int(parts["left_out"])})
            sentence = self.folder / "sentence"
            if sentence.exists():
                raise UploadError(sentence.read_text(encoding="utf-8"))
            raise UploadError(
                f"The process that fits the map has ended without a result (exit {self.process.returncode}); "
                "nothing else is affected, and it can be tried again."
            )
        finally:
            self._end()

    def _end(self) -> None:
        self._end_by_itself.cancel()
        with self._lock:
            self._running.discard(self)
        self._process.cancel()
        self._folder.cleanup()


def main(folder: Path) -> None:
    jobs.end_after(TIME_LIMIT)
    jobs.give_way()  # pages come first
    torch.set_grad_enabled(False)
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))

    try:
        found = fit(job, folder / "images.zip", functools.partial(jobs.tell, folder))
    except UploadError as error:
        store.write_atomically(folder / "sentence", str(error).encode())
        return
    with (folder / "writing.npz").open("wb") as file:
        np.savez(file, **{f.name: getattr(found, f.name) for f in fields(OwnMap)})
    os.replace(folder / "writing.npz", folder / "result.npz")


def fit(job: dict, archive: Path, say) -> OwnMap:
    """Decode, encode, fit. say(stage, share) hears how far it is."""
    model = store.load(job["model"])
    info = DATASETS[model.card.data]
    images, kept = [], []
    with zipfile.ZipFile(archive) as file:
        for i in range(len(job["names"])):
            if i % 20 == 0:
                say(f"reading image {i + 1:,} of {len(job['names']):,}", 0.15 * i / len(job["names"]))
            try:
                images.append(as_the_model_sees(file.read(str(i)), info))
                kept.append(i)
            except UploadError:
                continue
    n = len(images)
    if n < FEWEST:
        raise UploadError(f"Only {n} of {len(job['names'])} files could be decoded; a map needs {FEWEST} images.")
    x = torch.cat(images)
    classes = torch.zeros(n, dtype=torch.int64)

    def batches():
        for first in range(0, n, BATCH):
            say(f"encoding image {first + 1:,} of {n:,}", 0.15 + 0.15 * first / n)
            part = x[first : first + BATCH]
            if model.num_classes:
                classes[first : first + BATCH] = model.most_likely_class(part)
            yield part, classes[first : first + BATCH]

    terms = average_terms(model, batches())
    usable = np.isfinite(terms.means).all(1) & np.isfinite(terms.recon_at_mean)
    if not usable.all():
        raise UploadError(
            f"This model returns a value that is not a finite number for {n - usable.sum():,} of these {n:,} images, "
            "so they get no map."
        )
    features = model.features(torch.from_numpy(terms.means)).numpy()
    say("loading UMAP", 0.3)
    umap = maps.fit_umap(features, 0, _Bar(lambda share: say("fitting UMAP", 0.45 + 0.3 * share)))
    again = maps.fit_umap(features, 1, _Bar(lambda share: say("fitting UMAP again", 0.75 + 0.2 * share)))
    pca = maps.pca_plane(features).place(features).astype(np.float32)
    say("measuring", 0.97)
    folders, labels = np.unique([job["folders"][i] for i in kept], return_inverse=True)
    places = (umap, maps.turned_to(again, umap), pca)
    return OwnMap(
        images=(x * 255).round().to(torch.uint8).numpy(), names=np.array([job["names"][i] for i in kept]),
        labels=labels, folders=folders, classes=classes.numpy(), codes=terms.means,
        recon=terms.recon_at_mean, umap=places[0], umap_again=places[1], pca=places[2],
        trustworthiness=np.array([maps.map_trustworthiness(features, xy) for xy in places]),
        left_out=len(job["names"]) - n,
    )  # fmt: skip


class _Bar:
    """A file for umap's progress bar that passes on the share done."""

    def __init__(self, heard):
        self.heard = heard

    def write(self, text: str) -> None:
        percent = re.search(r"(\d+)%", text)
        if percent:
            self.heard(int(percent[1]) / 100)

    def flush(self) -> None:
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
