"""What the README shows of the shipped models: the table of results and pictures of traversals."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from .. import store
from ..data import DATASETS
from ..latent.geometry import traversal
from ..models import LatentModel
from ..training import tries
from ..training.recipes import RECIPES

README = Path(__file__).parents[2] / "README.md"
RESULTS = "<!-- results: python -m vae evaluate --all -->", "<!-- end of results -->"
TRAVERSALS = "<!-- traversals -->", "<!-- end of traversals -->"

def headline(card: store.ModelCard) -> str:
    """Return the key of the figure by which a model is judged."""
    return tries.headline(RECIPES.get(card.name), card.figures)


def figures_line(figures: dict) -> str:
    """Return the short form of a card's figures, in nats where they have a unit."""
    shown = ("recon", "kl", "negative_elbo", "active_units", "mig")
    return "  ".join(f"{k} {figures[k]:.4g}" for k in shown if k in figures) or "not evaluated"


def selection_sentence(selection: dict) -> str:
    """Return how a shipped run was chosen, as part of a sentence; "" where a card does not say."""
    if not selection:
        return ""
    if selection["split"] == "test":
        return selection["rule"]
    figure = f"{tries.FIGURES[selection['figure']]} on validation images"
    if len(selection["values"]) == 1:
        return f"{selection['rule']}; {figure}: {_digits(selection['median'])} (seed {selection['seeds'][0]})"
    low, high = map(_digits, selection["spread"])
    seeds = ", ".join(map(str, selection["seeds"]))
    return (
        f"{selection['rule']}; {figure}: median {_digits(selection['median'])}, {low} to {high} (seeds {seeds})"
    )


def earlier_seeds(card: store.ModelCard, root: Path | None = None) -> dict[int, dict]:
    """Return {seed: figures on test images} of runs that differ from a card's in their seed alone and
    are older than the validation split."""
    recipe = RECIPES.get(card.name)
    found = [t for t in tries.read(card.name, root) if t.split == "test"]
    return {t.seed: t.figures for t in found if recipe and not t.differences(recipe)}


def results_table(root: Path | None = None) -> str:
    """A Markdown table of all shipped models, from their cards and tries."""
    cards = store.available(root)
    lines = [
        "| model | figure | shipped | median over seeds | published, with its protocol |",
        "|---|---|---|---|---|",
    ]
    cards.sort(key=_place)
    for card in cards:
        name = headline(card)
        own = card.figures[name]
        spread = _spread(card, name, root)
        lines.append(
            f"| {card.name} | {tries.FIGURES[name]} | {_digits(own)} (seed {card.recipe['seed']}) "
            f"| {spread} | {card.published or '–'} |"
        )
    lines += ["", *_families_table(cards), "", *_disentanglement_table(cards), "", "How these were chosen and measured:", ""]
    for text in dict.fromkeys(card.note for card in cards if card.note):
        lines.append(f"- {', '.join(card.name for card in cards if card.note == text)}: {text}")
    on_test = [card.name for card in cards if card.selection.get("split") == "test"]
    if on_test:
        lines.append(f"- {', '.join(on_test)}: settings and seed were chosen on test images, before there was a validation split.")
    lines += [f"- {name}: {text}" for name, text in _protocols(cards).items()]
    return "\n".join(lines)


def _spread(card: store.ModelCard, figure: str, root: Path | None) -> str:
    """The median of a figure over seeds: on validation images where the run was chosen on them."""
    if card.selection.get("split") == "validation":
        seeds, values = card.selection["seeds"], card.selection["values"]
        if len(values) == 1:
            return f"one seed ({_digits(values[0])} on validation images)"
        return f"{_digits(median(values))} on validation images (seeds {', '.join(map(str, seeds))})"
    found = {seed: f[figure] for seed, f in earlier_seeds(card, root).items()}
    found[card.recipe["seed"]] = card.figures[figure]
    seeds = ", ".join(map(str, sorted(found)))
    return f"{_digits(median(found.values()))} (seeds {seeds})" if len(found) > 1 else "one seed"


def _families_table(cards: list[store.ModelCard]) -> list[str]:
    """What each family is for, measured, with what it has to be held against."""
    figures = {card.name: card.figures for card in cards}
    lines = ["| model | what was measured | value | to hold against it |", "|---|---|---|---|"]

    def row(name: str, what: str, value: str, beside: str) -> None:
        lines.append(f"| {name} | {what} | {value} | {beside} |")

    plain = figures.get("mnist-vae-16d", {}).get("psnr_denoised")
    for card in cards:
        name, f = card.name, card.figures
        if "nll" in f:
            value = f"{f['nll']:.2f} ± {f['nll_standard_error']:.2f} ± {f['nll_distance_error']:.2f}"
            row(name, "-log p(x), nats", value, f"its own bound: {f['negative_elbo']:.2f}")
        if "accuracy" in f:
            labels = RECIPES[name].labels if name in RECIPES else 0
            row(name, f"accuracy with {labels} labels", f"{100 * f['accuracy']:.1f} %", "chance: 10 %")
        if name == "mnist-dvae" and plain is not None:
            row(name, "noisy digits, denoised, dB", f"{f['psnr_denoised']:.2f}",
                f"mnist-vae-16d: {plain:.2f}; the mean image: {f['psnr_mean_image']:.2f}; "
                f"the noisy digits: {f['psnr_noisy']:.2f}")  # fmt: skip
        if "style_distance" in f:
            row(name, "style distance, 0 best, 1 none kept", f"{f['style_distance']:.3f}",
                f"another style's z: {f['style_distance_permuted']:.3f}")  # fmt: skip
            row(name, "style found again among 80", f"{100 * f['style_retrieval']:.0f} %",
                f"another style's z: {100 * f['style_retrieval_permuted']:.0f} %")  # fmt: skip
        if "perplexity" in f:
            row(name, "codes used; perplexity", f"{f['codes_used']}; {f['perplexity']:.1f}",
                f"{card.config['codebook']} vectors in the codebook")  # fmt: skip
            row(name, "a classifier's confidence in draws", f"{f['sample_confidence']:.3f}",
                f"in test images: {f['test_confidence']:.3f}")  # fmt: skip
        if "sharpness" in f:
            row(name, "sharpness of reconstructions", f"{1e3 * f['sharpness']:.2f} / 1,000",
                f"the images: {1e3 * f['sharpness_of_images']:.2f} / 1,000")  # fmt: skip
        kinds = [k.removeprefix("auroc_squared_error_") for k in f if k.startswith("auroc_squared_error_")]
        for other in [kind for kind in kinds if kind in DATASETS]:
            scores = [s for s in ("squared_error", "negative_elbo", "excess") if f"auroc_{s}_{other}" in f]
            row(name, f"AUROC, {other} is foreign, by " + "; ".join(s.replace("_", " ") for s in scores),
                "; ".join(f"{f[f'auroc_{s}_{other}']:.3f}" for s in scores), "chance: 0.5")  # fmt: skip
        if "accuracy_codes" in f:
            row(name, "100 labels, linear on codes", f"{100 * f['accuracy_codes']:.1f} %",
                f"on pixels: {100 * f['accuracy_pixels']:.1f} %")  # fmt: skip
        if "accuracy_labels_alone" in f:
            row(name, "accuracy of its classifier", f"{100 * f['accuracy_with_model']:.1f} %",
                f"trained on as many labels alone: {100 * f['accuracy_labels_alone']:.1f} %")  # fmt: skip
        if "accuracy_from_samples" in f:
            row(name, "a classifier that learnt from its draws alone", f"{100 * f['accuracy_from_samples']:.1f} %", "chance: 10 %")
        if "augmentation" in f:
            found = {key: f"{100 * value:.1f} %" for key, value in f["augmentation"].items()}
            row(name, "200 labels, and images that it imagines", found["200 VAE"],
                f"alone: {found['200 alone']}; shifted: {found['200 shifted']}")  # fmt: skip
        for attribute, rate in f.get("attribute_flips", {}).items():
            row(name, f"{attribute}: flipped by its direction", f"{100 * rate:.1f} %",
                f"without a move: {100 * f['attribute_unmoved'][attribute]:.1f} %")  # fmt: skip
    return lines if len(lines) > 2 else []


def _disentanglement_table(cards: list[store.ModelCard]) -> list[str]:
    columns = {
        "mig": "MIG", "sap": "SAP", "dci": "DCI disentanglement", "dci_completeness": "completeness",
        "modularity": "modularity", "factor_vae_score": "FactorVAE score",
        "beta_vae_score": "beta-VAE score", "recon": "recon", "kl": "KL",
    }  # fmt: skip
    lines = [
        "| known factors | " + " | ".join(columns.values()) + " | images seen |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for data in dict.fromkeys(card.data for card in cards if "dci" in card.figures):
        here = [card for card in cards if card.data == data and "dci" in card.figures]
        for card in here:
            shown = [_digits(card.figures.get(k)) for k in columns]
            seen = card.recipe["steps"] * card.recipe["batch_size"] / 1e6
            lines.append(f"| {card.name} | " + " | ".join(shown) + f" | {seen:.1f} million |")
        random = [_digits(here[0].figures.get(f"{k}_random")) for k in columns]
        lines.append(f"| random codes on {data} | " + " | ".join(random) + " | – |")
    return lines


def _place(card: store.ModelCard) -> int:
    """The order of the recipes; a model without one comes last."""
    return list(RECIPES).index(card.name) if card.name in RECIPES else len(RECIPES)


def _protocols(cards: list[store.ModelCard]) -> dict[str, str]:
    """The protocol of each figure, as the cards tell it, in all its variants."""
    found: dict[str, list[str]] = {}
    for card in cards:
        for name, text in card.protocol.items():
            texts = found.setdefault(name, [])
            if text not in texts:
                texts.append(text)
    return {name: "; or ".join(texts) for name, texts in found.items()}


def _digits(value: float | None) -> str:
    """Three decimals of a score, one of nats; a count as it is."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if abs(value) >= 2 else f"{value:.3f}"


def write_readme(part: str, marks: tuple[str, str], readme: Path | None = None) -> None:
    """Put a part between its marks in the README. Raises ValueError where they are missing."""
    readme = readme or README
    text = readme.read_text(encoding="utf-8")
    begin, end = marks
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{readme} has no place for this: {begin} ... {end}")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    store.write_atomically(readme, f"{before}{begin}\n{part}\n{end}{after}".encode())


def traversals_table(root: Path | None = None, columns: int = 3) -> str:
    """A Markdown table of the stored traversal pictures, in the order of the recipes."""
    names = [card.name for card in sorted(store.available(root), key=_place)]
    lines = ["| " * columns + "|", "|---" * columns + "|"]
    for first in range(0, len(names), columns):
        cells = [
            f"**{name}** ![{name}: traversals](pretrained/{name}/traversals.png)"
            for name in names[first : first + columns]
        ]
        lines.append("| " + " | ".join(cells + [""] * (columns - len(cells))) + " |")
    return "\n".join(lines)


@torch.no_grad()
def traversal_picture(
    model: LatentModel, model_map: store.ModelMap, columns: int = 11, rows: int = 10
) -> Image.Image:
    """Draws from the prior for a grid of codes, whose numbers have no more and no less; for others
    one row per dimension, those that carry most first, from the 1st to the 99th percentile of
    draws from the held-out images' posteriors; the others stay as for the first of these images."""
    if model.latent_kind == "codes":
        z = model.sample(rows * columns, generator=torch.Generator().manual_seed(0))
        images = torch.nn.functional.pad(model.decode(z), (1, 1, 1, 1), value=0.5)
        return _picture([torch.cat(list(row), dim=2) for row in images.split(columns)])
    codes = torch.from_numpy(model_map.codes)
    noise = np.random.RandomState(0).standard_normal(codes.shape)
    low, high = np.percentile(model_map.codes + model_map.sigmas * noise, [1, 99], axis=0)
    order = store.dimension_order(model, model_map)[:rows]
    y = None
    if model.num_classes:
        label = int(DATASETS[model.card.data].load("test").labels[model_map.rows[0]])
        y = torch.full((columns,), label)
    strips = []
    for d in order:
        values = torch.linspace(float(low[d]), float(high[d]), columns)
        images = model.decode(traversal(codes[0], int(d), values), y)  # (columns, C, H, W)
        images = torch.nn.functional.pad(images, (1, 1, 1, 1), value=0.5)
        strips.append(torch.cat(list(images), dim=2))
    return _picture(strips)


def _picture(strips: list[torch.Tensor]) -> Image.Image:
    """Strips (C, h, w), one under the other, as an image."""
    pixels = (torch.cat(strips, dim=1) * 255).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
