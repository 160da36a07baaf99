"""The steps from a recipe to a shipped model, for the command line, the app and a notebook.

    model = pipeline.train("mnist-vae-2d", progress=print)
    pipeline.evaluate(model, progress=print)
    pipeline.save(model, pipeline.fit_map(model))

A model carries its card, and each step adds to it. progress(stage, share) is called meanwhile: share is 0 to 1.
Functions that write check first that they can, and write after all measuring is done. Nothing is printed.
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

import filelock
import numpy as np
import torch
from PIL import Image

from . import folders, jobs, project, store
from .data import DATASETS, DatasetInfo
from .data.described import description
from .data.idx import GALLERIES, gallery_file
from .encoded import EncodedImages
from .evaluation import report
from .evaluation.evaluate import differences
from .evaluation.evaluate import evaluate as measure
from .evaluation.measures.base import BATCH
from .latent import maps
from .metrics import average_terms, nearest_images
from .models import LatentModel
from .training import candidates, checkpoints, loop, sweep, tries
from .training.recipes import NOT_RETRAINED, RECIPES, Recipe, nearest

MAP_POINTS = 5000
MEMORY_SAMPLES = 1000  # samples to find the nearest training image for
PAIRS = 24  # how many of these pairs are kept
CHOSEN_ON_TEST = {"split": "test", "rule": "chosen on test images, before there was a validation split"}


def train(
    name: str, recipe: Recipe | None = None, runs: Path | None = None, progress: jobs.Report | None = None
) -> LatentModel:
    """Return a model trained by a recipe, by default the shipped model's of this name. Its card has no figures yet.

    A run is resumed from its checkpoints in a folder below `runs`; Ctrl-C and SIGTERM stop it at a checkpoint.
    Raises ValueError for a name without a recipe, OSError where another process trains in the same folder, and
    what training.loop.train raises.
    """
    recipe = recipe or recipe_of(name)
    # a sweep of this name may train another recipe, in folders of its own
    folder = (runs or folders.runs()) / name / f"shipped,seed={recipe.seed}"
    checkpoints.try_writing(folder)
    report = jobs.part(progress)

    def on_step(step: int, terms: loop.Terms) -> None:
        report(f"training {name}", step / recipe.steps)

    if int(os.environ.get("WORLD_SIZE", 1)) > 1:  # accelerate's processes train one run together
        model = loop.train(name, recipe, folder, progress=False, on_step=on_step)
    else:
        try:
            with filelock.FileLock(folder / "lock", timeout=0), jobs.StopRequest(folder.parent) as stop:
                model = loop.train(name, recipe, folder, progress=False, stop=stop, on_step=on_step)
        except filelock.Timeout:
            raise OSError(f"another process trains {folder}") from None
    model.card = new_card(name, recipe, CHOSEN_ON_TEST if name in NOT_RETRAINED else {})
    return model


def evaluate(
    model: LatentModel, without: tuple[str, ...] = (), downstream: tuple[str, ...] = (),
    progress: jobs.Report | None = None,
) -> store.ModelCard:  # fmt: skip
    """Measure a model on the test images of its data, and return its card with these figures, which it now has.

    without: measures to leave out. downstream: tasks to measure it on.
    """
    card = store.card_of(model)
    if card.data not in DATASETS:
        raise ValueError(f"{card.name} is of a data set that only its card describes: its figures cannot be measured")
    figures, protocol = measure(model, card.data, without=without, progress=progress, downstream=downstream)
    model.card = replace(card, figures=figures, protocol=protocol)
    return model.card


def fit_map(
    model: LatentModel, seed: int = 0, progress: jobs.Report | None = None, info: DatasetInfo | None = None,
    points: int | None = None, exact: bool = False,
) -> EncodedImages:  # fmt: skip
    """Encode the first `points` test images, by default MAP_POINTS, and fit their maps. The model's card then has the
    maps' parameters.

    info: the model's data set, by default as the default store knows it. exact: see maps.fit_umap.
    """
    card = store.card_of(model)
    split = (info or store.Store().dataset(card)).load("test")
    rows = np.arange(min(points or MAP_POINTS, len(split)))
    jobs.part(progress)(f"encoding {len(rows):,} images", 0.0)
    terms = average_terms(model, split.batches(BATCH, rows))
    features = model.features(torch.from_numpy(terms.means)).numpy()
    with np.errstate(over="ignore"):
        measurable = np.isfinite(np.square(features).sum(1)).all()
    if not measurable:
        raise ValueError("images have codes that are NaN, infinite, or too large for a map")
    fitted = maps.fit_maps(features, seed, jobs.part(progress, 0.1, 1.0), exact)
    model.card = replace(card, map=fitted.parameters)
    return EncodedImages(rows, terms.means, terms.sigmas, terms.recon_at_mean, **fitted.layouts)


def save(model: LatentModel, encoded: EncodedImages) -> store.ModelCard:
    """Write a model with its card, its map, its networks for a browser and its pictures to the store. Returns the
    stored card."""
    picture = report.traversal_picture(model, encoded)
    card = save_in(store.Store(), model, encoded)
    _write_traversals(card.name, picture)
    return card


def save_in(where: store.Store, model: LatentModel, encoded: EncodedImages) -> store.ModelCard:
    """Write a model with its card, its map, its networks for a browser and its cover to a store. Returns the stored
    card."""
    model.card = where.save(model, store.card_of(model))
    where.write_map(model.card.name, encoded)
    write_network(model.card.name, where)
    return model.card


# ---- the commands: several steps on a model of the store


def train_and_save(name: str, runs: Path | None = None, progress: jobs.Report | None = None) -> store.ModelCard | None:
    """Train a shipped model again by its recipe, measure all but DCI, fit its map and write it to pretrained/.

    Returns its card; None in all of accelerate's processes but the first, which only train.
    """
    recipe = recipe_of(name)
    checkpoints.try_writing(store.Store().folder(name))
    model = train(name, recipe, runs, jobs.part(progress, 0.0, 0.8))
    if int(os.environ.get("RANK", 0)) > 0:
        return None
    return _measure_and_save(model, recipe, ("dci",), jobs.part(progress, 0.8, 1.0))


def adopt(name: str, runs: Path | None = None, progress: jobs.Report | None = None) -> store.ModelCard:
    """Write the best finished run of a sweep to pretrained/, with its figures on test images, map and
    traversals. Returns its card, which says how it was chosen.

    The best run is the best on validation images. Raises ValueError where there is no finished run, or where
    its settings differ from the recipe's, OSError where its weights are not on this machine.
    """
    recipe = candidates.find(name)
    winner, selection = tries.best(recipe, [t for t in tries.read(name) if t.split == "validation"])
    if changes := winner.differences(recipe):
        settings = ", ".join(f"{k}={v!r}" for k, v in changes.items())
        raise ValueError(f"the best run of {name} has {settings}: write this into its recipe, then adopt again")
    recipe = replace(recipe, seed=winner.seed)
    checkpoints.try_writing(store.Store().folder(name))
    model = sweep.load_finished(sweep.Run(name, recipe), runs, winner.weights_sha256)
    model.card = new_card(name, recipe, selection)
    card = _measure_and_save(model, recipe, (), jobs.part(progress))
    report.write_model_zoo()
    return card


def recipe_of(name: str) -> Recipe:
    """Return the recipe of a shipped model. Raises ValueError for a name without one."""
    if name not in RECIPES:
        raise ValueError(f"there is no recipe {name!r}; the nearest are {nearest(name, RECIPES)}")
    return RECIPES[name]


def new_card(name: str, recipe: Recipe, selection: dict, info: DatasetInfo | None = None) -> store.ModelCard:
    """Return the card of a newly trained model, without figures and without a map.

    info: its data set, by default the registered one.
    """
    info = info or DATASETS[recipe.data]
    return store.ModelCard(
        name=name, title=recipe.title, description=recipe.description, family=recipe.family,
        data=recipe.data, image_shape=recipe.config.image_shape,
        latent_dim=recipe.config.latent_dim, config=asdict(recipe.config),
        recipe={k: v for k, v in recipe.hyperparameters().items() if k not in ("family", "data", "config")},
        licence=f"weights: MIT; trained on {info.title}, {info.licence}",
        weights_sha256="", selection=selection, dataset=description(info),
    )  # fmt: skip


def _measure_and_save(
    model: LatentModel, recipe: Recipe, without: tuple[str, ...], progress: jobs.Report
) -> store.ModelCard:
    """Measure a new model, fit its map and write all files of its folder in pretrained/."""
    card = evaluate(model, without, recipe.downstream, jobs.part(progress, 0.0, 0.5))
    model.card = replace(card, note=recipe.note, published=recipe.published)
    encoded = fit_map(model, progress=jobs.part(progress, 0.5, 0.9))
    had_memory = (store.Store().folder(card.name) / "memory.npz").exists()
    card = save(model, encoded)
    if had_memory:
        memory_and_save(card.name, jobs.part(progress, 0.9, 1.0))
    return card


def write_network(name: str, where: store.Store | None = None) -> None:
    """Export a model's networks for a browser and write network.json and cover.webp, see project.write_network.

    Anything that writes the card must call this afterwards. where: by default the default store.
    """
    where = where or store.Store()
    project.write_network(where, where.load(name), list(RECIPES).index(name) if name in RECIPES else None)


def evaluate_and_save(name: str, progress: jobs.Report | None = None) -> store.ModelCard:
    """Measure a shipped model again on test images, write its card and return it."""
    model = store.load(name)
    checkpoints.try_writing(store.Store().folder(name))
    card = evaluate(model, downstream=downstream_of(name), progress=progress)
    if name in RECIPES:  # the recipe's texts may have changed since training
        texts = ("title", "description", "note", "published")
        card = replace(card, **{field: getattr(RECIPES[name], field) for field in texts})
    if name in NOT_RETRAINED and not card.selection:
        card = replace(card, selection=CHOSEN_ON_TEST)
    store.Store().write_card(card)
    write_network(name)
    return card


def add_figures(name: str, only: tuple[str, ...], progress: jobs.Report | None = None) -> store.ModelCard:
    """Run these measures on a shipped model, add the figures that its card lacks, and return it. Others are unchanged.

    Raises ValueError for an unknown measure.
    """
    model = store.load(name)
    checkpoints.try_writing(store.Store().folder(name))
    card = store.card_of(model)
    figures, protocol = measure(model, card.data, only=only, downstream=downstream_of(name), progress=progress)
    card = replace(card, figures={**card.figures, **_absent(figures, card.figures)},
                   protocol={**card.protocol, **_absent(protocol, card.protocol)})  # fmt: skip
    store.Store().write_card(card)
    write_network(name)
    return card


def _absent(found: dict, known: dict) -> dict:
    return {key: value for key, value in found.items() if key not in known}


def check(name: str, without: tuple[str, ...] = (), progress: jobs.Report | None = None) -> list[str]:
    """Measure a shipped model again on test images and return the differences from its card, one sentence each.

    Nothing is written.
    """
    model = store.load(name)
    card = store.card_of(model)
    measured = evaluate(model, without, downstream_of(name), progress)
    return differences(card, measured.figures, measured.protocol, without)


def downstream_of(name: str) -> tuple[str, ...]:
    """Return the downstream tasks that a shipped model is measured on."""
    return RECIPES[name].downstream if name in RECIPES else ()


def map_and_save(name: str, seed: int = 0, progress: jobs.Report | None = None) -> store.ModelCard:
    """Fit a shipped model's maps again, write map.npz and their parameters, and return the card that has them."""
    model = store.load(name)
    checkpoints.try_writing(store.Store().folder(name))
    store.Store().write_map(name, fit_map(model, seed, progress))
    card = store.card_of(model)
    store.Store().write_card(card)
    write_network(name)
    return card


def traversals_and_save(name: str) -> None:
    """Write a picture of the traversal of every dimension of a shipped model."""
    _write_traversals(name, report.traversal_picture(store.load(name), store.Store().read_map(name)))


def _write_traversals(name: str, picture: Image.Image) -> None:
    # without loss, pictures in colour take ten times as much, and nobody sees the difference
    options = {"lossless": True} if picture.mode == "L" else {"quality": 95}
    picture.save(store.Store().folder(name) / "traversals.webp", method=6, **options)


def memory_and_save(name: str, progress: jobs.Report | None = None) -> store.Memory:
    """Find the nearest training image of each of a model's samples, write memory.npz and return its content.

    Raises ValueError for a conditional model.
    """
    model, report = store.load(name), jobs.part(progress)
    checkpoints.try_writing(store.Store().folder(name))
    if model.num_classes:
        raise ValueError(f"{name} is conditional: it has no samples without a class")
    card = store.card_of(model)
    info, images = store.Store().dataset(card), card.recipe.get("images", 0)
    train_split, test = info.load(card.recipe.get("split", "train+validation")), info.load("test")
    train_split = train_split.first(images) if images else train_split
    with torch.no_grad():
        x = model.decode(model.sample(MEMORY_SAMPLES, generator=torch.Generator().manual_seed(0)))
    report("comparing samples with training images", 0.0)
    samples, rows = nearest_images(x, train_split)
    report("comparing test images with training images", 0.5)
    test_distances, _ = nearest_images(test.batch(range(MEMORY_SAMPLES))[0], train_split)
    shown = np.argsort(samples)[np.linspace(0, MEMORY_SAMPLES - 1, PAIRS).round().astype(int)]
    memory = store.Memory(
        samples, test_distances, shown, train_split.render(rows[shown]), len(train_split), seed=0,
        weights_sha256=card.weights_sha256,
    )  # fmt: skip
    store.Store().write_memory(name, memory)
    return memory


def write_gallery(name: str) -> dict[Path, int]:
    """Write the splits of a data set that ship with the project: test images, and labelled training images for the
    downstream tasks with few labels. Returns {path: number of images}. Raises ValueError where no split is shipped."""
    info = DATASETS[name]
    if not info.shipped:
        reason = "is rendered from its factors" if info.grid else "ships no split"
        raise ValueError(f"{name} {reason} and needs no gallery")
    written = {}
    for split in info.shipped:
        path, arrays = GALLERIES / gallery_file(name, split), info.gallery(split)
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
        written[path] = len(arrays["images"])
    return written
