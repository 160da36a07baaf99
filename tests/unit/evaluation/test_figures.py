"""The registry of figures: complete, free of contradictions, and what the cards were written by."""

import dataclasses
import re

import pytest

from vae import store
from vae.evaluation import report
from vae.evaluation.figures import FIGURES, Figure, label, placeholders, unknown
from vae.evaluation.measures import ordered
from vae.training.candidates import CANDIDATES
from vae.training.recipes import RECIPES

CARDS = store.available()


def pattern(figure):
    """What a card's sentence looks like: parameters as the protocol has them, anything where only a run knows."""
    text = re.escape(figure.sentence)
    for name, spec in re.findall(r"(?<!{){(\w+)(:[^}]*)?}", figure.sentence):
        value = figure.protocol[name]
        known = value is not None and not isinstance(value, tuple) and value != ""
        field = re.escape("{" + name + spec + "}")
        text = text.replace(field, re.escape(f"{{0{spec}}}".format(value)) if known else "(.*)")
    return text


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_figure_of_a_card_is_described_and_every_protocol_is_its_sentence(card):
    assert unknown(card) == ""
    for key, text in card.protocol.items():
        assert re.fullmatch(pattern(FIGURES[key]), text), key
    # no figure is without a protocol
    for key in card.figures:
        if key not in ("test_images", "validation_images"):
            assert (FIGURES[key].of or key) in card.protocol, key


@pytest.mark.parametrize("figure", report.ordered(), ids=lambda figure: figure.key)
def test_a_description_is_complete(figure):
    assert FIGURES[figure.key] == figure and figure.label and "|" not in figure.title
    # one sentence, or that of another figure; all that it needs is in the protocol's data
    if figure.key not in ("test_images", "validation_images"):
        assert bool(figure.sentence) != bool(figure.of)
    assert set(placeholders(figure.sentence)) <= figure.protocol.keys()
    if figure.sentence:
        assert "{" not in figure.describe(**{name: 1 for name, value in figure.protocol.items() if value is None})
    assert not figure.of or FIGURES[figure.of].sentence
    assert all(key in FIGURES for key in figure.errors)
    if figure.baseline and isinstance(figure.baseline, str):
        assert figure.baseline.partition(".")[0] in FIGURES
    assert bool(figure.baseline) == bool(figure.baseline_label)
    assert set(placeholders(figure.brief + figure.brief_baseline)) <= {"value", "baseline", *figure.protocol}
    assert figure.text(1) and figure.text(None) == "–"


def test_what_recipes_name_is_described():
    tasks = {measure.task for measure in ordered().values()}
    for recipe in {**RECIPES, **CANDIDATES}.values():
        assert not recipe.figure or recipe.figure in FIGURES
        assert set(recipe.downstream) <= tasks


def test_a_sentence_is_made_of_the_protocol_and_of_what_a_run_knows():
    figure = Figure("x", "x", protocol={"bins": 20, "images": None}, sentence="{images:,} images, {bins} bins")
    assert figure.describe(images=1234) == "1,234 images, 20 bins"
    assert figure.describe(images=1234, bins=10) == "1,234 images, 10 bins"
    with pytest.raises(ValueError, match="the protocol of 'x' needs images"):
        figure.describe()


def test_a_tolerance_is_of_the_value_or_of_one():
    figure = Figure("x", "x", tolerance=0.01)
    assert figure.agrees(1000.0, 1009.0) and not figure.agrees(1000.0, 1011.0)
    assert figure.agrees(0.001, 0.01) and not figure.agrees(0.0, 0.02)
    assert figure.agrees([1.0, None, [2.0]], [1.0, None, [2.0]]) and not figure.agrees([1.0], [1.0, 2.0])
    assert not figure.agrees([None], [1.0]) and not figure.agrees(1.0, [1.0])
    assert figure.agrees({"a": 1.0}, {"a": 1.001}) and not figure.agrees({"a": 1.0}, {"b": 1.0})
    assert figure.agrees(float("inf"), float("inf")) and not figure.agrees(float("nan"), 1.0)


def test_a_table_has_values_in_their_digits_with_baselines_and_errors():
    figures = {card.name: card.figures for card in CARDS}
    table = report.figures_table(store.Store().read_card("mnist-vae-bin"))
    f = figures["mnist-vae-bin"]
    assert f"| NLL, nats | {f['nll']:.2f} ± {f['nll_standard_error']:.2f} ± {f['nll_distance_error']:.2f} | " in table
    assert f"| active dimensions | {f['active_units']} of 50 |  |" in table
    table, f = report.figures_table(store.Store().read_card("faces-vae")), figures["faces-vae"]
    smile, unmoved = f["attribute_flips"]["smile"], f["attribute_unmoved"]["smile"]
    assert f"along its direction: smile | {smile:.1%} | {unmoved:.1%} (reconstruction alone) |" in table
    table, f = report.figures_table(store.Store().read_card("mnist-vae-16d")), figures["mnist-vae-16d"]["augmentation"]
    assert f": VAE images | {f['200 VAE']:.1%} | {f['200 alone']:.1%} (no augmentation) |" in table
    assert table.count("(no augmentation)") == 3  # of 50, 200 and 1,000 labels only 200 are listed


def test_the_summary_of_a_card():
    card = store.Store().read_card("sprites-beta4")
    f = card.figures
    assert report.summary(card) == (
        f"On 10,000 test images: reconstruction error {f['recon']:.1f} nats, "
        f"KL {f['kl']:.1f} nats, negative ELBO {f['negative_elbo']:.1f} nats, {f['active_units']} of 10 dimensions "
        f"active, median IoU {f['iou']:.3f}, InfoM {f['infom']:.3f}, InfoC {f['infoc']:.3f}, "
        f"InfoE {f['infoe']:.3f}, MIG {f['mig']:.3f} (mean codes in 20 bins; random codes {f['mig_random']:.3f})."
    )
    assert f["recon_floor"] == 0  # sprites are black or white: the lowest possible value is not worth a word
    assert report.summary(dataclasses.replace(card, figures={})) == "Not evaluated yet."
    grey = store.Store().read_card("mnist-vae-2d")
    recon, floor = grey.figures["recon"], grey.figures["recon_floor"]
    bounded = f": reconstruction error {recon:.1f} nats (a cross-entropy, at least {floor:.1f}), KL "
    assert bounded in report.summary(grey)
    without = dataclasses.replace(grey, figures={k: v for k, v in grey.figures.items() if k != "recon_floor"})
    assert f": reconstruction error {recon:.1f} nats, KL " in report.summary(without)
    assert "given their class" in report.summary(store.Store().read_card("mnist-cvae"))


def test_a_figure_that_nothing_describes_is_told():
    card = dataclasses.replace(CARDS[0], figures={"recon": 1.0, "fid": 3.0})
    assert unknown(card) == "its card has figures that are not known here: 'fid'"
    assert label("fid") == "fid" and label("kl") == "KL"
