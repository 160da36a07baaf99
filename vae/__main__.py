"""python -m vae list | train NAME | evaluate NAME | map NAME | memory NAME | traversals NAME
| gallery DATA | classifier DATA"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from . import maps, zoo
from .data import DATASETS, glyphs
from .data.idx import GALLERIES
from .metrics import average_terms, nearest_images
from .training import report
from .training.classifiers import fit_classifier
from .training.evaluation import BATCH, evaluate
from .training.loop import train
from .training.recipes import RECIPES, WORDS

MAP_POINTS = 5000
REMEMBERED, PAIRS = 1000, 24  # draws that are looked for, and how many are shown beside what was found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m vae", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="shipped models, their figures, and recipes not yet trained")
    command = commands.add_parser("train", help="train by a recipe (resumes), save, evaluate all but DCI")
    command.add_argument("name", metavar="NAME")
    command.add_argument(
        "--runs", type=Path, default=Path("runs"), help="folder for checkpoints (default: runs)"
    )
    command.add_argument(
        "--seed", type=int, help="another seed than the recipe's: measured and noted, not shipped"
    )
    command = commands.add_parser("evaluate", help="measure on the test split, write the card")
    _name_or_all(command)
    command = commands.add_parser("map", help="encode held-out data, fit its maps, write map.npz")
    _name_or_all(command)
    command.add_argument("--seed", type=int, default=0)
    command = commands.add_parser("memory", help="look for draws among the training images, write memory.npz")
    command.add_argument("name", metavar="NAME")
    command = commands.add_parser("traversals", help="draw every dimension's traversal")
    _name_or_all(command)
    command = commands.add_parser("gallery", help="write a data set's test split to the galleries")
    command.add_argument("name", choices=DATASETS, metavar="DATA")
    command = commands.add_parser("classifier", help="train the classifier that judges a data set's models")
    command.add_argument("name", choices=DATASETS, metavar="DATA")
    args = parser.parse_args(arguments)
    try:
        if args.command == "list":
            list_models()
        elif args.command == "train":
            train_and_save(args.name, args.runs, args.seed)
        elif args.command == "evaluate":
            for name in _names(args):
                evaluate_and_save(name)
            if args.all:
                report.write_readme(report.results_table(), report.RESULTS)
        elif args.command == "map":
            for name in _names(args):
                map_and_save(name, args.seed)
        elif args.command == "memory":
            memory_and_save(args.name)
        elif args.command == "traversals":
            for name in _names(args):
                picture = report.traversal_picture(zoo.load(name), zoo.read_map(name))
                picture.save(zoo.PRETRAINED / name / "traversals.png", optimize=True)
            if args.all:
                report.write_readme(report.traversals_table(), report.TRAVERSALS)
        elif args.command == "classifier":
            accuracy = fit_classifier(args.name).accuracy
            print(f"{args.name}: test accuracy " + ", ".join(f"{value:.4f}" for value in accuracy))
        else:
            write_gallery(args.name)
    except (OSError, ValueError, FloatingPointError, zoo.ModelUnavailable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: the same command resumes", file=sys.stderr)
        return 130
    return 0


def _name_or_all(command: argparse.ArgumentParser) -> None:
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", metavar="NAME")
    which.add_argument("--all", action="store_true", help="every shipped model")


def _names(args: argparse.Namespace) -> list[str]:
    return [card.name for card in zoo.available()] if args.all else [args.name]


def list_models() -> None:
    cards, problems = zoo.scan()
    for card in cards:
        print(f"{card.name:18} {card.title:36} {figures_line(card.figures)}")
    for text in dict.fromkeys(card.protocol["mig"] for card in cards if "mig" in card.protocol):
        print(f"{'':18} mig: {text}")
    for name, reason in problems.items():
        print(f"{name:18} unavailable: {reason}")
    for name in RECIPES:
        if name not in problems and name not in {card.name for card in cards}:
            print(f"{name:18} not trained yet: python -m vae train {name}")


def figures_line(figures: dict) -> str:
    """The short form of a card's figures, in nats where they have a unit."""
    shown = ("recon", "kl", "negative_elbo", "active_units", "mig")
    return "  ".join(f"{k} {figures[k]:.4g}" for k in shown if k in figures) or "not evaluated"


def train_and_save(name: str, runs: Path, seed: int | None = None) -> None:
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=3, cutoff=0)
        raise ValueError(f"there is no recipe {name!r}; the nearest are {', '.join(near)}")
    recipe = RECIPES[name]
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    model = train(name, recipe, runs / f"{name}-seed{recipe.seed}")
    # every process has trained; one writes
    if int(os.environ.get("RANK", 0)) != 0:
        return
    if recipe.seed != RECIPES[name].seed:
        figures, _ = evaluate(model, recipe.data, with_dci=False, progress=True)
        report.write_try(name, recipe, figures)
        print(f"{name}, seed {recipe.seed}: {figures_line(figures)}")
        return
    card = zoo.ModelCard(
        name=name, title=recipe.title, description=recipe.description, family=recipe.family,
        data=recipe.data, image_shape=recipe.config.image_shape,
        latent_dim=recipe.config.latent_dim, config=asdict(recipe.config),
        recipe={k: v for k, v in asdict(recipe).items()
                if k not in (*WORDS, "family", "data", "config")},
        licence=f"weights: MIT; trained on {DATASETS[recipe.data].title}, "
                f"{DATASETS[recipe.data].licence}",
        weights_sha256="",
    )  # fmt: skip
    (zoo.PRETRAINED / name / "map.npz").unlink(missing_ok=True)  # it shows other weights' codes
    zoo.save(model, card)
    evaluate_and_save(name, with_dci=False)


def evaluate_and_save(name: str, with_dci: bool = True) -> None:
    model = zoo.load(name)
    for_uses = RECIPES[name].uses if name in RECIPES else ()
    figures, protocol = evaluate(
        model, model.card.data, with_dci=with_dci, progress=True, for_uses=for_uses
    )
    card = replace(model.card, figures=figures, protocol=protocol)
    if name in RECIPES:  # its words may have changed since it was trained
        words = ("title", "description", "note", "published")
        card = replace(card, **{word: getattr(RECIPES[name], word) for word in words})
    zoo.write_card(card)
    print(f"{name}: {figures_line(figures)}")


def map_and_save(name: str, seed: int) -> None:
    model = zoo.load(name)
    split = DATASETS[model.card.data].load("test")
    n = min(MAP_POINTS, len(split))
    terms = average_terms(
        model, (split.batch(range(i, min(i + BATCH, n))) for i in range(0, n, BATCH))
    )
    print(f"{name}: fitting UMAP twice to {n} codes; half a minute, most of it compiling")
    codes = model.features(torch.from_numpy(terms.means)).numpy()
    xy = {"umap": maps.fit_umap(codes, seed), "pca": maps.pca_plane(codes).place(codes)}
    xy["umap_again"] = maps.turned_to(maps.fit_umap(codes, seed + 1), xy["umap"])
    zoo.write_map(name, zoo.ModelMap(
        rows=np.arange(n), codes=terms.means, sigmas=terms.sigmas, recon=terms.recon_at_mean, **xy,
    ))  # fmt: skip
    described = {
        "points": n, "seed": seed, "seed_again": seed + 1, "n_neighbors": maps.N_NEIGHBORS, "min_dist": maps.MIN_DIST,
        "trustworthiness": {k: maps.map_trustworthiness(codes, v) for k, v in xy.items()},
    }  # fmt: skip
    zoo.write_card(replace(model.card, map=described))
    print(f"{name}: {described}")


def memory_and_save(name: str) -> None:
    model = zoo.load(name)
    if model.num_classes:
        raise ValueError(f"{name} is conditional: draws without a class are not what it learnt")
    info, few = DATASETS[model.card.data], RECIPES[name].images if name in RECIPES else 0
    train, test = info.load("train"), info.load("test")
    train = train.first(few) if few else train
    with torch.no_grad():
        x = model.decode(model.sample(REMEMBERED, generator=torch.Generator().manual_seed(0)))
    samples, rows = nearest_images(x, train)
    held_out, _ = nearest_images(test.batch(range(REMEMBERED))[0], train)
    shown = np.argsort(samples)[np.linspace(0, REMEMBERED - 1, PAIRS).round().astype(int)]
    zoo.write_memory(name, zoo.Memory(
        samples, held_out, shown, train.render(rows[shown]), len(train), seed=0, weights_sha256=model.card.weights_sha256
    ))  # fmt: skip
    print(f"{name}: median distance to the nearest of {len(train):,} training images: {np.median(samples):.2f} "
          f"for draws, {np.median(held_out):.2f} for held-out images")  # fmt: skip


def write_gallery(name: str) -> None:
    """A data set that is drawn on demand needs no gallery; the others keep their test split."""
    split = DATASETS[name].load("test")
    if split.factors is not None:
        raise ValueError(f"{name} is drawn from its factors and needs no gallery")
    path = GALLERIES / f"{name}.npz"
    arrays = {
        "images": split.render(np.arange(len(split)))[:, 0], "labels": split.labels.astype(np.uint8)
    }  # fmt: skip
    if name == "glyphs":
        arrays["styles"] = glyphs.styles("test").astype(np.uint16)
    np.savez_compressed(path, **arrays)
    print(f"{path}: {len(split)} images, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
