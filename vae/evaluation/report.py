"""Tables of figures, on pages and in the model zoo (pretrained/README.md), and the pictures of traversals."""

from __future__ import annotations

import io
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from .. import objectives, store
from ..data import DATASETS
from ..data.base import CRISP_BELOW, Factors
from ..encoded import EncodedImages
from ..latent.geometry import prior_grid, traversal
from ..metrics.infomec import ESTIMATES
from ..models import FAMILIES, LatentModel
from ..training import tries
from ..training.recipes import RECIPES
from . import measures
from .figures import FIGURES, Figure, label

INTRODUCTION = """\
# Model zoo

`python -m vae evaluate --all` and `python -m vae traversals --all` write this page from the models' cards; do not edit
it. Each model is a folder: weights (`model.safetensors`), description and figures (`card.json`), maps of encoded test
images (`map.npz`), its networks for the browser (`network.json`), and for some models `memory.npz` (training images
nearest to samples) and `tries.json` (finished runs of other seeds and settings)."""
RESULTS = """\
All figures are measured on test images. Nats are summed over pixels and dimensions and averaged over images. Newer
models were chosen on validation images, older ones on test images; each card says which. `python -m vae evaluate --all
--check` measures every card again and reports the differences; `--dci` includes DCI, which takes minutes a model."""
TRAVERSALS = """\
The first two rows are test images and their reconstructions. Each further row moves one dimension over the range of
encoded data. The most informative dimensions come first. Discrete codes have no order to traverse, so samples
from the prior are shown instead."""
GAP = 4  # pixels between reconstructions and traversals


def headline(card: store.ModelCard) -> Figure | None:
    """Return the figure that a model's runs are compared by; None where it has none."""
    return FIGURES.get(tries.headline(RECIPES.get(card.name), card.figures))


# ---- a card's figures

class Row(NamedTuple):
    """A figure of a card in a table."""

    figure: Figure
    label: str
    value: str
    baseline: str  # with its label; "" where there is none


def ordered() -> list[Figure]:
    """Return all figures in the order of tables."""
    return [figure for measure in measures.ordered().values() for figure in measure.all_figures()]


def of_group(group: str, cards: list[store.ModelCard]) -> list[Figure]:
    """Return the figures of a group that tables show and at least one of the cards has."""
    return [f for f in ordered() if f.group == group and f.shown and any(f.key in card.figures for card in cards)]


def rows(card: store.ModelCard) -> list[Row]:
    """Return the figures of a card that tables show; a figure with several values has a row for each."""
    found = []
    for figure in ordered():
        value = card.figures.get(figure.key)
        if figure.shown and isinstance(value, dict):
            items = figure.items or {item: item for item in value}
            found += [
                _row(figure, card, f"{figure.title}: {name}", value[item], item)
                for item, name in items.items() if item in value
            ]  # fmt: skip
        elif figure.shown and value is not None:
            found.append(_row(figure, card, figure.title, value))
    return found


def figures_table(card: store.ModelCard) -> str:
    """Return a Markdown table of a card's figures with their baselines."""
    lines = ["| figure | this model | baseline |", "|---|---|---|"]
    return "\n".join(lines + [f"| {row.label} | {row.value} | {row.baseline} |" for row in rows(card)])


def protocols(card: store.ModelCard) -> str:
    """Return how a card's figures were measured, as a Markdown list."""
    return "\n".join(f"- {label(key)}: {text}" for key, text in card.protocol.items())


def summary(card: store.ModelCard) -> str:
    """Return a card's main figures in one line."""
    parts = [_brief(figure, card) for figure in ordered() if figure.brief and figure.key in card.figures]
    if not parts:
        return "Not evaluated yet."
    on = f"{FIGURES['test_images'].text(card.figures.get('test_images'))} test images"
    return f"On {on}{', given their class' if card.num_classes else ''}: {', '.join(parts)}."


def _brief(figure: Figure, card: store.ModelCard) -> str:
    baseline = _baseline(figure, card.figures)
    text = figure.brief + (figure.brief_baseline if baseline else "")
    value = _value(figure, card, card.figures[figure.key])
    return text.format(**{**figure.protocol, "value": value, "baseline": figure.text(baseline)})


def _row(figure: Figure, card: store.ModelCard, name: str, value: float, item: str = "") -> Row:
    beside = _baseline(figure, card.figures, item)
    compared = FIGURES.get(str(figure.baseline))
    errors = _errors(compared, card) if compared else ""
    baseline = "" if beside is None else f"{figure.text(beside)}{errors} ({figure.baseline_label})"
    return Row(figure, name, _value(figure, card, value) + _errors(figure, card), baseline)


def _errors(figure: Figure, card: store.ModelCard) -> str:
    known = [card.figures[key] for key in figure.errors if card.figures.get(key) is not None]
    return "".join(f" ± {figure.text(value)}" for value in known)


def _with_errors(figure: Figure, card: store.ModelCard) -> str:
    value = card.figures.get(figure.key)
    return figure.text(value) + ("" if value is None else _errors(figure, card))


def _value(figure: Figure, card: store.ModelCard, value: float) -> str:
    maximum = card.config.get(figure.out_of)
    return figure.text(value) + (f" of {maximum}" if maximum else "")


def _baseline(figure: Figure, figures: dict, item: str = "") -> float | None:
    if not isinstance(figure.baseline, str):
        return figure.baseline
    key, _, named = figure.baseline.partition(".")
    value = figures.get(key)
    return value.get(named or item) if isinstance(value, dict) else value


# ---- known factors

SCORES = ("infom", "infoc", "infoe", "dci", "mig", "mig_once")  # of a model's disentanglement, the first ones to read


class Answer(NamedTuple):
    """What a model does with a known factor, or with the part of it that a shape's symmetry leaves; None where it is
    not measured."""

    name: str
    kept: float | None  # by reconstructions ...
    originals: float | None  # ... and what the same classifier reads on originals
    held: float | None  # by codes ...
    chance: float | None
    owner: int | None  # the dimension that owns the factor
    owner_known: bool

    @property
    def texts(self) -> tuple[str, str]:
        """Return the scores as texts, each beside what it can be compared with."""
        kept = "–" if self.kept is None else f"{self.kept:.2f} of {self.originals:.2f}"
        beside = f" (chance {self.chance:.2f})" if self.chance else ""  # that of an R2 is 0
        return kept, "–" if self.held is None else f"{self.held:.2f}{beside}"


def factor_answers(card: store.ModelCard, factors: Factors) -> list[Answer]:
    """Return a card's answers to three questions about each of its data's factors: whether reconstructions keep it,
    codes hold it and one dimension owns it; [] where none is measured."""
    figures = card.figures
    kept, held, owners = (figures.get(key) for key in ("factors_kept", "factors_held", "owners"))
    names = list(kept or held or dict.fromkeys(factors.names if owners else ()))
    found = []
    for k, factor in enumerate(factors.names):
        # "orientation (heart)" is a part of "orientation"
        for name in [name for name in names if name == factor or name.startswith(f"{factor} (")]:
            found.append(Answer(
                name, (kept or {}).get(name), figures.get("factors_kept_originals", {}).get(name),
                (held or {}).get(name), figures.get("factors_chance", {}).get(name),
                owners[k] if owners else None, owners is not None,
            ))  # fmt: skip
    return found


def disentanglement_scores(card: store.ModelCard) -> str:
    """Return a card's scores in one line, with standard errors; "" where none is measured."""
    figures = [FIGURES[key] for key in SCORES if card.figures.get(key) is not None]
    return ", ".join(f"{figure.label} {_with_errors(figure, card)}" for figure in figures)


def symmetries(factors: Factors) -> str:
    """Return which shapes look the same during a turn, as a sentence; "" where none does."""
    sentences = []
    for name, cycle in factors.cycles.items():
        repeated = [f"{value} every {360 / n:g}°" for value, n in cycle.repeats.items()]
        if repeated:
            sentences.append(f"Symmetries of {name}: {', '.join(repeated)}.")
    return " ".join(sentences)


# ---- training

TRAINED = {  # a recipe's field: its part of the list of hyperparameters
    "steps": "{} steps",
    "batch_size": "batches of {} images",
    "images": "the first {} training images only",
    "split": "{} images",
    "starts_from": "initial weights of {}",
    "learning_rate": "learning rate {}",
    "weight_decay": "weight decay {}",
    "max_grad_norm": "gradient norm of {} or less",
    "warmup_steps": "{} warm-up steps",
    "schedule": "{} schedule of the learning rate",
    "ema": "moving average of the weights",
    "shift": "images shifted by up to {} pixels",
    "binarise": "pixels binarised at random in each step",
    "mixed_precision": "networks in {}",
    "seed": "seed {}",
}
LEFT_OUT = (0, "no", "", False)  # values that mean a step is not taken; a seed of 0 is listed
VALUES = {
    "bf16": "bfloat16", "train": "training", "train+validation": "training and validation",
    "train-10k": "10,000 training", "skewed": "skewed training", "reweighted": "reweighted training",
}  # fmt: skip


def training(card: store.ModelCard) -> str:
    """Return how a card's weights were trained, in one line: the recipe's fields and the objective."""
    found = {k: v for k, v in card.recipe.items() if k in TRAINED and (k == "seed" or v not in LEFT_OUT)}
    parts = [TRAINED[k].format(_written(found[k])) for k in TRAINED if k in found]
    return "; ".join([*filter(None, [", ".join(parts)]), f"objective: {objectives.read(card.recipe).described()}"])


def _written(value: Any) -> str:
    """Return a recipe's value in words: integers with commas."""
    return f"{value:,}" if type(value) is int else VALUES.get(str(value), str(value))


def selection_sentence(selection: dict) -> str:
    """Return how a shipped run was chosen, as part of a sentence; "" where a card does not say."""
    if not selection:
        return ""
    if selection["split"] == "test":
        return selection["rule"]
    figure = FIGURES[selection["figure"]]
    start = f"{selection['rule']}; {figure.label} on validation images"
    unit = f" {figure.unit}" if figure.unit else ""
    middle, low, high = map(figure.text, (selection["median"], *selection["spread"]))
    if len(selection["values"]) == 1:
        return f"{start}: {middle}{unit} (seed {selection['seeds'][0]})"
    return f"{start}: median {middle}{unit}, {low} to {high} (seeds {', '.join(map(str, selection['seeds']))})"


# ---- the model zoo


def earlier_seeds(card: store.ModelCard, root: Path | None = None) -> dict[int, dict]:
    """Return {seed: figures on test images} of the runs that differ from a card's run only in the seed and are older
    than the validation split."""
    recipe = RECIPES.get(card.name)
    found = [t for t in tries.read(card.name, root) if t.split == "test"]
    return {t.seed: t.figures for t in found if recipe and not t.differences(recipe)}


def write_model_zoo(root: Path | None = None) -> None:
    """Write README.md beside the models. Raises OSError."""
    store.write_atomically((root or store.PRETRAINED) / "README.md", model_zoo(root).encode())


def model_zoo(root: Path | None = None) -> str:
    """Return the Markdown page about all shipped models: descriptions, figures, protocols, traversals."""
    cards = sorted(store.available(root or store.PRETRAINED), key=_recipe_order)
    parts = [
        INTRODUCTION, "## Models", _models_table(cards, root),
        "## Results", RESULTS, results_table(cards, root),
    ]  # fmt: skip
    for title, lines in (
        ("Downstream tasks", _downstream_table(cards)),
        ("Known factors", _factors_table(cards)),
        ("Disentanglement", _disentanglement_table(cards)),
        ("How the models were chosen", _choices(cards)),
        ("How the figures were measured", [f"- {label(key)}: {text}" for key, text in _protocols(cards).items()]),
    ):
        if lines:
            parts += [f"### {title}", "\n".join(lines)]
    return "\n\n".join([*parts, "## Traversals", TRAVERSALS, traversals_table(cards)]) + "\n"


def _models_table(cards: list[store.ModelCard], root: Path | None) -> str:
    lines = ["| model | description | data | latent code | weights | licence |", "|---|---|---|---|---|---|"]
    for card in cards:
        weights = (root or store.PRETRAINED) / card.name / "model.safetensors"
        size = f"{weights.stat().st_size / 1e6:.1f} MB"
        data = DATASETS[card.data].title if card.data in DATASETS else card.data
        code = f"{card.latent_dim} dimensions"
        if FAMILIES[card.family].discrete:
            code = f"{card.latent_dim} codebook indices"
        cells = (card.name, f"**{card.title}**. {card.description}", data, code, size, card.licence)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def results_table(cards: list[store.ModelCard], root: Path | None = None) -> str:
    """Return a Markdown table of the figure that each model's runs are compared by, from cards and tries."""
    lines = [
        "| model | figure | shipped | median over seeds | published, with its protocol |",
        "|---|---|---|---|---|",
    ]
    for card in cards:
        figure = headline(card)
        if figure is not None:
            shipped = f"{figure.text(card.figures[figure.key])} (seed {card.recipe['seed']})"
            if figure.group == "disentanglement":  # one score alone would hide what the others show
                shipped += f"; {disentanglement_scores(card)}"
            lines.append(
                f"| {card.name} | {figure.title} | {shipped} "
                f"| {_spread(card, figure, root)} | {card.published or '–'} |"
            )
    return "\n".join(lines)


def _choices(cards: list[store.ModelCard]) -> list[str]:
    """Return a list of the cards' notes on how their runs were chosen, each note once."""
    lines = []
    for text in dict.fromkeys(card.note for card in cards if card.note):
        lines.append(f"- {', '.join(card.name for card in cards if card.note == text)}: {text}")
    on_test = [card.name for card in cards if card.selection.get("split") == "test"]
    if on_test:
        lines.append(
            f"- {', '.join(on_test)}: settings and seed were chosen on test images, "
            "before there was a validation split."
        )
    return lines


def _spread(card: store.ModelCard, figure: Figure, root: Path | None) -> str:
    """Return the median of a figure over seeds, on validation images where the run was chosen on them."""
    if card.selection.get("split") == "validation":
        seeds, values = card.selection["seeds"], card.selection["values"]
        if len(values) == 1:
            return f"one seed ({figure.text(values[0])} on validation images)"
        return f"{figure.text(median(values))} on validation images (seeds {', '.join(map(str, seeds))})"
    found = {seed: f[figure.key] for seed, f in earlier_seeds(card, root).items()}
    found[card.recipe["seed"]] = card.figures[figure.key]
    seeds = ", ".join(map(str, sorted(found)))
    return f"{figure.text(median(found.values()))} (seeds {seeds})" if len(found) > 1 else "one seed"


def _downstream_table(cards: list[store.ModelCard]) -> list[str]:
    """Return a table of the figures on downstream tasks, with baselines."""
    lines = ["| model | figure | value | baseline |", "|---|---|---|---|"]
    for card in cards:
        shown = [row for row in rows(card) if not row.figure.group]
        lines += [f"| {card.name} | {row.label} | {row.value} | {row.baseline or '–'} |" for row in shown]
    return lines if len(lines) > 2 else []


def _disentanglement_table(cards: list[store.ModelCard]) -> list[str]:
    """Return a table of disentanglement measures beside reconstruction and KL, for data with ground-truth factors."""
    measured = of_group("disentanglement", cards)
    columns = [*measured, FIGURES["recon"], FIGURES["kl"]]
    lines = [
        "| data with ground-truth factors | " + " | ".join(figure.label for figure in columns) + " | images seen |",
        "|---" * (len(columns) + 2) + "|",
    ]
    with_factors = [card for card in cards if any(figure.key in card.figures for figure in measured)]
    for data in dict.fromkeys(card.data for card in with_factors):
        here = [card for card in with_factors if card.data == data]
        for card in here:
            shown = [_with_errors(figure, card) for figure in columns]
            seen = card.recipe["steps"] * card.recipe["batch_size"] / 1e6
            lines.append(f"| {card.name} | " + " | ".join(shown) + f" | {seen:.1f} million |")
        for discrete in (False, True):  # random codes are measured like the model's own, by counts or by neighbours
            alike = [card for card in here if (ESTIMATES[True] in card.protocol.get("infom", "")) == discrete]
            known = {key: value for card in alike for key, value in card.figures.items()}
            shown = [figure.text(_baseline(figure, known)) for figure in measured]
            kind = "random codes of a few values" if discrete else "random codes"
            lines += [f"| {kind} on {data} | " + " | ".join(shown) + " | – | – | – |"] if alike else []
    return lines


FACTORS = """\
Three answers for each factor, separated by dots: what a classifier still reads on reconstructions (on originals, in
the first row), what boosted trees read in codes, and the one dimension that owns the factor, if there is one."""


def _factors_table(cards: list[store.ModelCard]) -> list[str]:
    """Return a table for each data set of what its models keep, hold and own of its known factors."""
    lines: list[str] = []
    answers = {card.name: factor_answers(card, factors) for card in cards if (factors := _factors_of(card))}
    for data in dict.fromkeys(card.data for card in cards if answers.get(card.name)):
        here = [card for card in cards if card.data == data and answers.get(card.name)]
        names = [answer.name for answer in answers[here[0].name]]
        overlap = any("iou" in card.figures for card in here)
        lines += ["", f"| {data} | " + " | ".join([*names, *(["median IoU"] if overlap else [])]) + " |"]
        lines += ["|---" * (len(names) + 1 + overlap) + "|"]
        first = [_text(answer.originals) for answer in answers[here[0].name]]
        lines.append(f"| originals | {' | '.join(first + (['1'] if overlap else []))} |")
        for card in here:
            cells = [three_answers(answer) for answer in answers[card.name]]
            cells += [FIGURES["iou"].text(card.figures.get("iou"))] if overlap else []
            lines.append(f"| {card.name} | {' | '.join(cells)} |")
        factors = _factors_of(here[0])
        if factors and (sentence := symmetries(factors)):
            lines += ["", sentence]
    return [FACTORS, *lines] if lines else []


def _factors_of(card: store.ModelCard) -> Factors | None:
    return DATASETS[card.data].factors if card.data in DATASETS else None


def three_answers(answer: Answer) -> str:
    """Return the answers in one cell: kept, held and the owner."""
    owner = "–" if answer.owner is None else f"z{answer.owner}"
    return f"{_text(answer.kept)} · {_text(answer.held)} · {owner}"


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _recipe_order(card: store.ModelCard) -> int:
    """Return the index of a model's recipe, as a sort key; a model without a recipe comes last."""
    return list(RECIPES).index(card.name) if card.name in RECIPES else len(RECIPES)


def _protocols(cards: list[store.ModelCard]) -> dict[str, str]:
    """Return {figure: its protocol}, with all variants on the cards joined."""
    found: dict[str, list[str]] = {}
    for card in cards:
        for name, text in card.protocol.items():
            texts = found.setdefault(name, [])
            if text not in texts:
                texts.append(text)
    return {name: "; or ".join(texts) for name, texts in found.items()}


def traversals_table(cards: list[store.ModelCard], columns: int = 3) -> str:
    """Return a Markdown table of the models' stored traversal pictures."""
    names = [card.name for card in cards]
    lines = ["| " * columns + "|", "|---" * columns + "|"]
    for first in range(0, len(names), columns):
        cells = [
            f"**{name}** ![{name}: traversals]({name}/traversals.webp)"
            for name in names[first : first + columns]
        ]
        lines.append("| " + " | ".join(cells + [""] * (columns - len(cells))) + " |")
    return "\n".join(lines)


@torch.no_grad()
def traversal_picture(
    model: LatentModel, encoded: EncodedImages, columns: int = 11, rows: int = 10
) -> Image.Image:
    """Render test images, their reconstructions, and traversals: one row for each dimension, by descending
    information; samples where the code is discrete.

    A row runs from the 1st to the 99th percentile of samples from the posteriors of the map's test images. All other
    dimensions have the values of the first of these images. Discrete codes have no order to traverse, so they show
    samples from the prior.
    """
    card = store.card_of(model)
    test = store.Store().dataset(card).load("test")
    x, labels = test.batch(range(columns))
    given = labels if model.num_classes else None
    above = torch.cat([_strip(x), _strip(model.reconstruct(x, given))], dim=1)
    above = torch.nn.functional.pad(above, (0, 0, 0, GAP), value=0.5)
    if model.discrete:
        z = model.sample(rows * columns, generator=torch.Generator().manual_seed(0))
        return _picture([above, *map(_strip, model.decode(z).split(columns))])
    codes = torch.from_numpy(encoded.codes)
    noise = np.random.RandomState(0).standard_normal(codes.shape)
    low, high = np.percentile(encoded.codes + encoded.sigmas * noise, [1, 99], axis=0)
    y = torch.full((columns,), int(test.labels[encoded.rows[0]])) if model.num_classes else None
    moved = [
        model.decode(traversal(codes[0], int(d), torch.linspace(float(low[d]), float(high[d]), columns)), y)
        for d in store.dimension_order(card, model.levels, encoded, np.ones(model.latent_dim))[:rows]
    ]
    return _picture([above, *map(_strip, moved)])


def _strip(images: torch.Tensor) -> torch.Tensor:
    """Place images (N, C, H, W) side by side, each with a grey border, (C, H + 2, N * (W + 2))."""
    return torch.cat(list(torch.nn.functional.pad(images, (1, 1, 1, 1), value=0.5)), dim=2)


@torch.no_grad()
def cover_file(model: LatentModel, n: int = 8) -> bytes:
    """Return a WebP file of n x n decoded images that stand for a model; small images are enlarged.

    A 2-D model shows a grid of the prior's quantiles; all others show samples from the prior (seed 0), a conditional
    model one class a row.
    """
    y = (torch.arange(n * n) // n) % model.num_classes if model.num_classes else None
    if model.latent_dim == 2 and not model.num_classes:
        prior = model.prior
        z = prior_grid(n, prior.mean, (0, 1), prior.mean, prior.stddev).flatten(0, 1)
    else:
        z = model.sample(n * n, generator=torch.Generator().manual_seed(0))
    picture = _picture([torch.cat(list(row), dim=2) for row in model.decode(z, y).split(n)])
    if model.image_shape[1] < CRISP_BELOW:
        picture = picture.resize((picture.width * 3, picture.height * 3), Image.Resampling.NEAREST)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=85)
    return file.getvalue()


def _picture(strips: list[torch.Tensor]) -> Image.Image:
    """Stack strips (C, h, w) vertically into an image."""
    pixels = (torch.cat(strips, dim=1) * 255).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
