"""`vae train --card FILE` and `vae train --data ...`: a training on the command line, with the same weights."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from pathlib import Path

import torch

from .. import folders, jobs
from ..cards import ModelCard
from ..data import DatasetInfo
from ..training import loop
from ..training.recipes import Recipe, of_card
from . import result
from .images import find, in_memory, training_split
from .plan import FAMILIES, LIKELIHOODS, SIZES, Moves, Plan

MAX_CARD = 4 * 2**20  # bytes


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options that say what is trained, if not a shipped model."""
    command.add_argument("--card", type=Path, metavar="FILE", help="repeat the training of a card.json, bit for bit")
    group = command.add_argument_group("a training as on the page Train")
    group.add_argument("--data", help="a data set: the name of a registered one, or of your own")
    group.add_argument("--family", default="vae", choices=FAMILIES)
    group.add_argument("--dims", type=int, default=2, help="latent dimensions (default: 2)")
    group.add_argument(
        "--beta", default="1.0", help="a number; or 1.0,500:4.0 for beta 4 from step 500 on (default: 1.0)"
    )
    group.add_argument("--likelihood", default="bernoulli", choices=LIKELIHOODS)
    group.add_argument("--size", default="small", choices=SIZES)
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--title", default="")
    group.add_argument("--images", type=int, default=0, help="use the first so many training images (default: all)")
    group.add_argument("--steps", type=int, default=3000, help="optimiser steps (default: 3000)")


def run(args: argparse.Namespace, progress: jobs.Report) -> str:
    """Train as the options say, and write the model to the user's own folder.

    Returns a line on it. Raises ValueError for options that do not fit, and what training raises.
    """
    recipe, info = _of_card(args.card) if args.card else _of_options(args)
    model = train(recipe, info, jobs.part(progress, 0.0, 0.7))
    name = result.write(model, recipe, info, folders.home(), jobs.part(progress, 0.7, 1.0))
    return f"{folders.home() / name}: weights {result.digest(model)}"


def train(recipe: Recipe, info: DatasetInfo, progress: jobs.Report) -> loop.LatentModel:
    """Train by a recipe as a worker does: in one thread, because sums in another order end in other weights."""
    split, threads = training_split(info, recipe.split), torch.get_num_threads()
    split = split.first(recipe.images) if recipe.images else split
    torch.set_num_threads(1)
    try:
        return loop.train(
            recipe.title, recipe, None, split=in_memory(split), progress=False, device="cpu",
            on_step=lambda step, terms: progress("training", step / recipe.steps),
        )  # fmt: skip
    finally:
        torch.set_num_threads(threads)


def _of_card(path: Path) -> tuple[Recipe, DatasetInfo]:
    if path.stat().st_size > MAX_CARD:
        raise ValueError(f"{path} is larger than {MAX_CARD // 2**20} MB")
    known = {f.name for f in fields(ModelCard)}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        card = ModelCard(**{key: value for key, value in content.items() if key in known})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not a card ({error})") from error
    return of_card(card), find(card.data)


def _of_options(args: argparse.Namespace) -> tuple[Recipe, DatasetInfo]:
    moves = parse_betas(args.beta)
    plan = Plan(
        args.data, args.family, args.dims, moves[0][1], args.likelihood, args.size, args.seed, title=args.title,
        images=args.images,
    )  # fmt: skip
    info = find(args.data)
    if refusal := plan.check(info):
        raise ValueError(refusal)
    return plan.recipe(info, args.steps, moves), info


def parse_betas(text: str) -> Moves:
    """Return [(step, beta)] of "1.0,500:4.0". Raises ValueError."""
    try:
        parts = [part.rpartition(":") for part in text.split(",")]
        return [(int(step) if colon else 0, float(value)) for step, colon, value in parts]
    except ValueError:
        raise ValueError(f"--beta takes a number, or a list like 1.0,500:4.0, not {text!r}") from None
