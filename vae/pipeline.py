"""The steps from a recipe to a shipped model: train, measure, map, write.

For the command line, the app and a notebook.

Each function checks first that it can write its result, and writes it after all measuring is done.
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

import filelock
import numpy as np
import torch

from . import jobs, store
from .data import DATASETS
from .evaluation import report
from .evaluation.evaluate import differences, evaluate
from .evaluation.measures.base import BATCH
from .latent import maps
from .metrics import average_terms, nearest_images
from .models import LatentModel
from .training import candidates, checkpoints, sweep, tries
from .training.loop import train
from .training.recipes import NOT_RETRAINED, RECIPES, Recipe, nearest

MAP_POINTS = 5000
MEMORY_SAMPLES = 1000  # samples to find the nearest training image for
PAIRS = 24  # how many of these pairs are kept
CHOSEN_ON_TEST = {"split": "test", "rule": "chosen on test images, before there was a validation split"}


def train_and_save(name: str, runs: Path | None = None) -> None:
    """Train a shipped model again by its recipe, measure it and write it to pretrained/.

    Raises ValueError for a name without a recipe, OSError where another process trains in the same folder.
    """
    if name not in RECIPES:
        raise ValueError(f"there is no recipe {name!r}; the nearest are {nearest(name, RECIPES)}")
    recipe = RECIPES[name]
    checkpoints.try_writing(store.PRETRAINED / name)
    # a sweep of this name may train another recipe, in folders of its own
    folder = (runs or sweep.runs_folder()) / name / f"shipped,seed={recipe.seed}"
    checkpoints.try_writing(folder)
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:  # accelerate's processes train one run together
        model = train(name, recipe, folder)
    else:
        try:
            with filelock.FileLock(folder / "lock", timeout=0), jobs.StopRequest(folder.parent) as stop_request:
                model = train(name, recipe, folder, stop=stop_request)
        except filelock.Timeout:
            raise OSError(f"another process trains {folder}") from None
    if int(os.environ.get("RANK", 0)) == 0:  # all processes trained, one writes
        _save(model, recipe, new_card(name, recipe, CHOSEN_ON_TEST if name in NOT_RETRAINED else {}), without=("dci",))


def adopt(name: str, runs: Path | None = None) -> str:
    """Write the best finished run of a sweep to pretrained/, with its figures on test images, map and
    traversals. Returns one sentence on how it was chosen.

    The best run is the best on validation images. Raises ValueError where there is no finished run, or where
    its settings differ from the recipe's, OSError where its weights are not on this machine.
    """
    recipe = candidates.find(name)
    winner, selection = tries.best(recipe, [t for t in tries.read(name) if t.split == "validation"])
    if changes := winner.differences(recipe):
        settings = ", ".join(f"{k}={v!r}" for k, v in changes.items())
        raise ValueError(f"the best run of {name} has {settings}: write this into its recipe, then adopt again")
    recipe = replace(recipe, seed=winner.seed)
    checkpoints.try_writing(store.PRETRAINED / name)
    model = sweep.load_finished(sweep.Run(name, recipe), runs, winner.weights_sha256)
    _save(model, recipe, new_card(name, recipe, selection))
    report.write_model_zoo()
    return f"{name}: seed {recipe.seed}, {report.selection_sentence(selection)}"


def new_card(name: str, recipe: Recipe, selection: dict) -> store.ModelCard:
    """Return the card of a newly trained model, without figures and without a map."""
    info = DATASETS[recipe.data]
    return store.ModelCard(
        name=name, title=recipe.title, description=recipe.description, family=recipe.family,
        data=recipe.data, image_shape=recipe.config.image_shape,
        latent_dim=recipe.config.latent_dim, config=asdict(recipe.config),
        recipe={k: v for k, v in recipe.hyperparameters().items() if k not in ("family", "data", "config")},
        licence=f"weights: MIT; trained on {info.title}, {info.licence}",
        weights_sha256="", selection=selection,
    )  # fmt: skip


def _save(model: LatentModel, recipe: Recipe, card: store.ModelCard, without: tuple[str, ...] = ()) -> None:
    """Measure a new model and write all files of its folder in pretrained/."""
    name = card.name
    figures, protocol = evaluate(model, card.data, without=without, progress=True, downstream=recipe.downstream)
    card = replace(card, figures=figures, protocol=protocol, note=recipe.note, published=recipe.published)
    print(f"{name}: {report.summary(card)}")
    model.card = card
    model_map, parameters = map_of(model)
    had_memory = (store.PRETRAINED / name / "memory.npz").exists()
    picture = report.traversal_picture(model, model_map)
    model.card = store.save(model, replace(card, map=parameters))
    store.write_map(name, model_map)
    store.write_network(name)
    picture.save(store.PRETRAINED / name / "traversals.png", optimize=True)
    if had_memory:
        memory_and_save(name)


def evaluate_and_save(name: str) -> None:
    """Measure a shipped model again on test images and write its card."""
    model = store.load(name)
    card = store.card_of(model)
    checkpoints.try_writing(store.PRETRAINED / name)
    figures, protocol = evaluate(model, card.data, progress=True, downstream=downstream_of(name))
    card = replace(card, figures=figures, protocol=protocol)
    if name in RECIPES:  # the recipe's texts may have changed since training
        texts = ("title", "description", "note", "published")
        card = replace(card, **{field: getattr(RECIPES[name], field) for field in texts})
    if name in NOT_RETRAINED and not card.selection:
        card = replace(card, selection=CHOSEN_ON_TEST)
    store.write_card(card)
    print(f"{name}: {report.summary(card)}")


def check(name: str, without: tuple[str, ...] = ()) -> list[str]:
    """Measure a shipped model again on test images and return the differences from its card, one sentence each.

    Nothing is written.
    """
    model = store.load(name)
    card = store.card_of(model)
    figures, protocol = evaluate(model, card.data, without=without, progress=True, downstream=downstream_of(name))
    return differences(card, figures, protocol, without)


def downstream_of(name: str) -> tuple[str, ...]:
    """Return the downstream tasks that a shipped model is measured on."""
    return RECIPES[name].downstream if name in RECIPES else ()


def map_and_save(name: str, seed: int = 0) -> None:
    """Fit a shipped model's maps again and write map.npz."""
    model = store.load(name)
    checkpoints.try_writing(store.PRETRAINED / name)
    model_map, parameters = map_of(model, seed)
    store.write_map(name, model_map)
    store.write_card(replace(store.card_of(model), map=parameters))
    print(f"{name}: {parameters}")


def map_of(model: LatentModel, seed: int = 0) -> tuple[store.ModelMap, dict]:
    """Return the map of a model with a card, and the map's parameters for the card.

    The map holds the codes of up to MAP_POINTS test images, laid out by PCA and by two UMAP runs.
    """
    card = store.card_of(model)
    split = DATASETS[card.data].load("test")
    n = min(MAP_POINTS, len(split))
    terms = average_terms(model, split.batches(BATCH, range(n)))
    print(f"{card.name}: fitting UMAP twice to {n} codes; this takes half a minute, mostly for compiling")
    codes = model.features(torch.from_numpy(terms.means)).numpy()
    xy = {"umap": maps.fit_umap(codes, seed), "pca": maps.pca_plane(codes).place(codes)}
    xy["umap_again"] = maps.align_to(maps.fit_umap(codes, seed + 1), xy["umap"])
    model_map = store.ModelMap(
        rows=np.arange(n), codes=terms.means, sigmas=terms.sigmas, recon=terms.recon_at_mean, **xy,
    )  # fmt: skip
    return model_map, {
        "points": n, "seed": seed, "seed_again": seed + 1, "n_neighbors": maps.N_NEIGHBORS, "min_dist": maps.MIN_DIST,
        "trustworthiness": {k: maps.map_trustworthiness(codes, v) for k, v in xy.items()},
    }  # fmt: skip


def memory_and_save(name: str) -> None:
    """Find the nearest training image of each of a model's samples and write memory.npz.

    Raises ValueError for a conditional model.
    """
    model = store.load(name)
    checkpoints.try_writing(store.PRETRAINED / name)
    if model.num_classes:
        raise ValueError(f"{name} is conditional: it has no samples without a class")
    card = store.card_of(model)
    info, images = DATASETS[card.data], card.recipe.get("images", 0)
    train_split, test = info.load(card.recipe.get("split", "train+validation")), info.load("test")
    train_split = train_split.first(images) if images else train_split
    with torch.no_grad():
        x = model.decode(model.sample(MEMORY_SAMPLES, generator=torch.Generator().manual_seed(0)))
    samples, rows = nearest_images(x, train_split)
    test_distances, _ = nearest_images(test.batch(range(MEMORY_SAMPLES))[0], train_split)
    shown = np.argsort(samples)[np.linspace(0, MEMORY_SAMPLES - 1, PAIRS).round().astype(int)]
    store.write_memory(name, store.Memory(
        samples, test_distances, shown, train_split.render(rows[shown]), len(train_split), seed=0,
        weights_sha256=card.weights_sha256,
    ))  # fmt: skip
    print(f"{name}: median distance to the nearest of {len(train_split):,} training images: {np.median(samples):.2f} "
          f"for samples, {np.median(test_distances):.2f} for test images")  # fmt: skip
