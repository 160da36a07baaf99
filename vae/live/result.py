"""The end of a training: a model with its card, figures, map and pictures, in a folder that a Store can read."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import cards, jobs, pipeline, store
from ..data import DATASETS, DatasetInfo
from ..evaluation.evaluate import evaluate
from ..models import LatentModel
from ..training import checkpoints
from ..training.recipes import Recipe

MEASURED = 2000  # test images that figures are measured on: a visitor waits
MAP_POINTS = 1000
SLOW = ("dci", "nll", "quality")  # measures that take minutes, or many images
MAX_DCI = 20_000  # test images times values of all factors: more trees than a visitor waits for


def write(model: LatentModel, recipe: Recipe, info: DatasetInfo, root: Path, report: jobs.Report) -> str:
    """Measure a model, fit its map, and write it below `root`. Returns its name, a new one for other weights.

    root/<name>/ holds the model. root/galleries/ holds the test images of a data set that is not registered.
    Raises OSError where it cannot be written.
    """
    checkpoints.try_writing(root)
    where = store.Store([root])
    if info.name not in DATASETS:
        write_gallery(info, root)
    model.card = pipeline.new_card(name_of(recipe, model), recipe, {}, info)
    report("measuring", 0.0)
    figures, protocol = measure(model, info, slow(info), jobs.part(report, 0.0, 0.4))
    model.card = replace(model.card, figures=figures, protocol=protocol)
    encoded = pipeline.fit_map(model, 0, jobs.part(report, 0.4, 0.95), info, MAP_POINTS, exact=True)
    report("saving the model", 0.95)
    return pipeline.save_in(where, model, encoded).name


def measure(
    model: LatentModel, info: DatasetInfo, without: tuple[str, ...], progress: jobs.Report
) -> tuple[dict, dict]:
    """Return (figures, protocol) of a visitor's model, without those that are no finite numbers, which no card holds:
    the sharpness of an image of one pixel, the KL divergence of a posterior without width."""
    figures, protocol = evaluate(model, info, MEASURED, without, progress=progress)
    kept = {key: value for key, value in figures.items() if cards.is_figure(value)}
    return kept, {key: text for key, text in protocol.items() if key in kept or key not in figures}


def slow(info: DatasetInfo) -> tuple[str, ...]:
    """Return the measures that are left out: SLOW ones, but DCI of a user's own images, unless they are too many."""
    if info.factor_table is None:
        return SLOW
    images = min(MEASURED, len(info.load("test")))
    trees = images * sum(info.factor_table.sizes)
    return tuple(name for name in SLOW if name != "dci" or trees > MAX_DCI)


def write_gallery(info: DatasetInfo, root: Path) -> None:
    """Write the test images of a data set where `data.described` looks for them. Raises OSError."""
    file = io.BytesIO()
    np.savez_compressed(file, **info.gallery("test"))  # type: ignore[arg-type]
    (root / "galleries").mkdir(parents=True, exist_ok=True)
    store.write_atomically(root / "galleries" / f"{info.name}.npz", file.getvalue())


def name_of(recipe: Recipe, model: LatentModel) -> str:
    """Return a name for a folder: the title in letters, digits and hyphens, and the beginning of the weights' hash."""
    slug = re.sub("[^a-z0-9]+", "-", recipe.title.lower()).strip("-")[:50].strip("-")
    return "-".join(filter(None, [slug, digest(model)[:6]]))


def digest(model: LatentModel) -> str:
    """Return the SHA-256 of a model's weights, as its card will have it."""
    return hashlib.sha256(checkpoints.content_of(model.state_dict())).hexdigest()
