"""How well photographs are prepared: `python -m tests.benchmarks.photographs [data set ...] [--split validation]`.

For each condition: the share of photographs in the class that the judge gives the original, and the share inside the
data, whose reconstruction error is below the 99th percentile of test images. A photograph under a pair of conditions
counts in both. Then the largest change of nats where the same picture lies on paper of another tone.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable
from functools import partial

import numpy as np
import torch
from torch import Tensor

import vae
from vae.data import DATASETS, DatasetInfo
from vae.evaluation.judge import head_sizes
from vae.metrics import load_classifier
from vae.models import LatentModel

from . import figures, pages, sets

MODELS = {
    "mnist": "mnist-vae-16d", "glyphs": "glyphs-cvae", "sprites": "sprites-vae", "fashion-mnist": "fashion-vae-16d"
}  # fmt: skip
TONES = (205, 220, 240, 245, 255)
ALIKE = ("0Oo", "1Iil", "cC", "kK", "pP", "sS", "uU", "vV", "wW", "xX", "zZ")  # one shape in two sizes


@torch.no_grad()
def errors(model: LatentModel, judge: torch.nn.Module, x: Tensor) -> Tensor:
    """Return the reconstruction errors (B,) in nats of x (B, C, H, W), conditional models with the judge's class."""
    y = judge(x)[0].argmax(1) if model.num_classes else None
    return -model.likelihood(model.encode(x, y).mean, y).log_prob(x)


def photographs_of(info: DatasetInfo, split: str, few: bool, number: int | None) -> Iterable[sets.Photograph]:
    if info.name == "mnist":
        return sets.digits(split, per_condition=5, per_pair=1) if few else sets.digits(split)
    return sets.SETS[info.name](split, number) if number else sets.SETS[info.name](split)


def report(info: DatasetInfo, split: str, few: bool, number: int | None) -> None:
    """Print the table of a data set."""
    model = vae.load(MODELS[info.name])
    judge = load_classifier(info.name, info.image_shape, head_sizes(info))
    test = info.load("test").first(2000)
    limit = np.percentile(torch.cat([errors(model, judge, x) for x, _ in test.batches()]), 99)
    rows: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for photograph in photographs_of(info, split, few, number):
        x = info.prepare(photograph.picture).x
        original = torch.from_numpy(photograph.original[None]).float() / 255
        found, meant = (info.classes[int(judge(image)[0].argmax())] for image in (x, original))
        inside = bool(errors(model, judge, x) <= limit)
        alike = found == meant or any(found in group and meant in group for group in ALIKE)
        for name in ("all", *photograph.conditions):
            rows[name].append((found == meant, alike, inside))
    print(f"\n{info.title}: {model.card.name}, judge's test accuracy {judge.accuracy[0]:.3f}, {split} images")
    print("| condition | photographs | right class | counting look-alikes | inside the data |\n|---|---|---|---|---|")
    for name, values in rows.items():
        right, alike, inside = np.mean(values, 0)
        print(f"| {name} | {len(values)} | {right:.0%} | {alike:.0%} | {inside:.0%} |", flush=True)
    print(f"Paper of grey {TONES}: nats within {tones(info, model, judge, split):.1%}")


def tones(info: DatasetInfo, model: LatentModel, judge: torch.nn.Module, split: str) -> float:
    """Return the largest relative difference of nats between the same picture on papers of TONES."""
    images = info.load(split).render(np.arange(5))[:, 0]
    draw = figures.stroke if info.name == "mnist" else lambda image, pen: figures.area(image)
    is_garment = info.name == "fashion-mnist"
    apart = []
    for seed, image in enumerate(images):
        nats = []
        for tone in TONES:
            page = pages.scene(("plain",), seed)
            page.width, page.height, page.paper = 400, 400, (tone,) * 3
            if is_garment:  # on white paper the data are negatives of photographs
                picture = sets.garment(page, image, "paper", negative=True)
            else:
                picture = pages.photograph(page, partial(draw, image))
            x = info.prepare(picture).x
            nats.append(float(errors(model, judge, x)))
        apart.append(max(abs(value / nats[-1] - 1) for value in nats))
    return max(apart)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="*", default=list(MODELS))
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument("--few", action="store_true", help="a third of the digits")
    parser.add_argument("--number", type=int, help="photographs of each other data set, in place of 60, 20 and 40")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.data:
        report(DATASETS[name], arguments.split, arguments.few, arguments.number)
