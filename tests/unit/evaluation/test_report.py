import dataclasses
import re
import shutil

import numpy as np
import pytest

from vae import store
from vae.data import DATASETS
from vae.evaluation import report
from vae.training import tries
from vae.training.recipes import NOT_RETRAINED, RECIPES


def test_the_stored_model_zoo_is_of_the_cards_of_today():
    """`evaluate --all` or `traversals --all` was run after the last change of a card."""
    assert (store.PRETRAINED / "README.md").read_text(encoding="utf-8") == report.model_zoo()


def test_every_shipped_model_has_a_description():
    models = report.model_zoo().split("## Models")[1].split("## Results")[0]
    for card in store.available():
        (row,) = re.findall(rf"^\| {card.name} \| .*$", models, re.M)
        assert card.title in row and card.licence in row


def test_every_shipped_model_has_a_row_with_its_figure():
    table = report.results_table(store.available())
    for card in store.available():
        figure = report.headline(card)
        (row,) = re.findall(rf"^\| {card.name} \| [^|]+ \| [-\d.%]+ \(seed .*$", table, re.M)
        assert row.startswith(f"| {card.name} | {figure.title} | {figure.text(card.figures[figure.key])} (seed")


def test_medians_are_over_the_tries_and_the_shipped_run(tmp_path):
    shutil.copytree(store.PRETRAINED / "mnist-vae-2d", tmp_path / "mnist-vae-2d")
    path = tmp_path / "mnist-vae-2d" / "tries.json"
    path.unlink(missing_ok=True)
    assert "| one seed |" in report.model_zoo(tmp_path)
    own = store.Store().read_card("mnist-vae-2d").figures["negative_elbo"]
    recipe = RECIPES["mnist-vae-2d"]

    def tried(figures, split="test", **changes):
        recipe_tried = dataclasses.replace(recipe, **changes).hyperparameters()
        tries.record("mnist-vae-2d", tries.Try(recipe_tried, figures, split), tmp_path)

    tried({"negative_elbo": own + 10.0}, seed=7)
    tried({"negative_elbo": own + 99.0}, seed=5)
    tried({"negative_elbo": own + 2.0}, seed=5)  # the same run, measured again
    tried({"negative_elbo": 1.0}, seed=8, steps=5)  # another recipe's
    tried({"negative_elbo": 1.0}, seed=9, split="validation")  # other images
    card = store.Store([tmp_path]).read_card("mnist-vae-2d")
    assert report.earlier_seeds(card, tmp_path) == {
        5: {"negative_elbo": own + 2.0}, 7: {"negative_elbo": own + 10.0},
    }  # fmt: skip
    assert f"| {own + 2.0:.1f} (seeds 0, 5, 7) |" in report.model_zoo(tmp_path)
    # a run that was chosen on validation images shows their median
    chosen = {"split": "validation", "figure": "negative_elbo", "rule": "the smallest", "seeds": [0, 1, 2],
              "values": [140.0, 142.0, 150.0], "median": 142.0, "spread": [140.0, 150.0]}  # fmt: skip
    store.Store([tmp_path]).write_card(dataclasses.replace(card, selection=chosen))
    assert "| 142.0 on validation images (seeds 0, 1, 2) |" in report.model_zoo(tmp_path)


def test_models_that_were_chosen_on_test_images_say_so():
    table = report.model_zoo()
    for card in store.available():
        before = card.name in NOT_RETRAINED
        assert card.selection["split"] == ("test" if before else "validation")
        assert (card.recipe.get("split", "train+validation") == "train+validation") == before
    (line,) = [line for line in table.splitlines() if "chosen on test images" in line]
    assert all(name in line for name in NOT_RETRAINED)


def test_the_stored_tries_are_of_the_recipes_of_today():
    for name in ("rooms-ada", "sprites-btcvae", "sprites-factor"):
        if name in NOT_RETRAINED:
            assert report.earlier_seeds(store.Store().read_card(name)), name


@pytest.mark.parametrize("name", RECIPES)
def test_traversal_pictures_are_of_the_shipped_weights(name):
    model, model_map = store.load(name), store.Store().read_map(name)
    picture = np.asarray(report.traversal_picture(model, model_map), int)
    channels, height, width = model.image_shape
    rows = min(10, model.latent_dim)
    above = 2 * (height + 2) + report.GAP
    assert picture.shape[:2] == (above + rows * (height + 2), 11 * (width + 2))
    from PIL import Image

    with Image.open(store.PRETRAINED / name / "traversals.webp") as stored:
        difference = abs(np.asarray(stored.convert("L" if picture.ndim == 2 else "RGB"), int) - picture)
    # WebP stores hues at half the resolution; the pictures of two models differ by 20 and more
    assert difference.max() <= 2 if channels == 1 else difference.mean() < 8
    # the first test images, and below them what the model makes of them
    x, y = store.Store().dataset(model.card).load("test").batch(range(11))
    for top, shown in ((1, x), (height + 3, model.reconstruct(x, y if model.num_classes else None))):
        for i in (0, 10):
            expected = (shown[i] * 255).round().numpy().transpose(1, 2, 0).reshape(height, width, -1)
            tile = picture[top : top + height, 1 + i * (width + 2) :][:, :width].reshape(height, width, -1)
            np.testing.assert_array_equal(tile, expected)
    # the dimension that carries most changes the picture from end to end, where there is one
    first = picture[above : above + height + 2]
    change = abs(first[:, : width + 2] - first[:, -width - 2 :]).mean()
    assert change < 1 if model.card.figures.get("active_units") == 0 else change > 2


@pytest.mark.parametrize("card", store.available(), ids=lambda card: card.name)
def test_how_a_model_was_trained_is_told_without_raw_keys(card):
    text = report.training(card)
    assert text.startswith(f"{card.recipe['steps']:,} steps, batches of {card.recipe['batch_size']} images, ")
    assert f", seed {card.recipe['seed']}; objective: " in text and "_" not in text and "None" not in text


def test_training_lists_what_a_card_has():
    card = dataclasses.replace(store.Store().read_card("mnist-vae-2d"), recipe={"mine": 3, "schedule": "cosine"})
    assert report.training(card) == "cosine schedule of the learning rate; objective: BetaVAE, beta 1"
    bare = dataclasses.replace(card, recipe={})
    assert report.training(bare) == "objective: BetaVAE, beta 1"


ANSWERED = {
    "factors_kept": {"shape": 0.97, "scale": 0.9, "orientation (square)": 0.5, "orientation (ellipse)": 0.6,
                     "orientation (heart)": 0.4, "x": 0.99, "y": 0.98},
    "factors_kept_originals": {"shape": 1.0, "scale": 0.98, "orientation (square)": 0.7, "orientation (ellipse)": 0.99,
                               "orientation (heart)": 0.85, "x": 1.0, "y": 1.0},
    "owners": [None, 0, None, 1, 2], "infom": 0.62, "infoc": 0.58, "infoe": 0.54, "mig": 0.418, "mig_error": 0.003,
    "iou": 0.966,
}  # fmt: skip


def answered(name="sprites-ada", **changes):
    return dataclasses.replace(store.Store().read_card(name), figures={**ANSWERED, **changes})


def test_three_answers_for_each_factor():
    factors = DATASETS["sprites"].factors
    found = {answer.name: answer for answer in report.factor_answers(answered(), factors)}
    assert list(found) == list(ANSWERED["factors_kept"])
    # a part of a factor has the owner of the whole
    assert [found[name].owner for name in ("shape", "scale", "orientation (heart)", "y")] == [None, 0, None, 2]
    assert found["shape"].texts == ("0.97 of 1.00", "–") and found["shape"].owner_known
    held = {"factors_held": {"shape": 0.9}, "factors_chance": {"shape": 0.34}}
    assert report.factor_answers(answered(**held), factors)[0].texts[1] == "0.90 (chance 0.34)"
    # a discrete code has reconstructions alone
    without = dataclasses.replace(answered(), figures={"factors_kept": ANSWERED["factors_kept"],
        "factors_kept_originals": ANSWERED["factors_kept_originals"]})
    assert not report.factor_answers(without, factors)[0].owner_known
    assert report.factor_answers(dataclasses.replace(answered(), figures={}), factors) == []


def test_scores_stand_together_with_their_errors():
    line = report.disentanglement_scores(answered())
    assert line == "InfoM 0.620, InfoC 0.580, InfoE 0.540, MIG 0.418 ± 0.003"
    assert report.disentanglement_scores(dataclasses.replace(answered(), figures={})) == ""
    row = next(line for line in report.results_table([answered()]).splitlines() if "sprites-ada" in line)
    assert "0.418 (seed" in row and line in row


def test_the_model_zoo_shows_the_answers_and_the_symmetries(tmp_path):
    for name in ("sprites-ada", "sprites-vae"):
        shutil.copytree(store.PRETRAINED / name, tmp_path / name)
        store.Store([tmp_path]).write_card(answered(name))
    text = report.model_zoo(tmp_path).split("### Known factors")[1].split("###")[0]
    assert "| originals | 1.00 | 0.98 | 0.70 | 0.99 | 0.85 | 1.00 | 1.00 | 1 |" in text
    assert "| sprites-ada | 0.97 · – · – | 0.90 · – · z0 | 0.50 · – · – |" in text and "| 0.966 |" in text
    assert "Symmetries of orientation: square every 90°, ellipse every 180°." in text
    assert report.symmetries(DATASETS["rooms"].factors) == ""


def test_a_baseline_stands_with_its_standard_error():
    card = store.Store().read_card("mnist-m2")
    card.figures.update(accuracy_with_model=0.958, accuracy_labels_alone=0.945, accuracy_labels_alone_error=0.004)
    row = next(row for row in report.rows(card) if row.figure.key == "accuracy_with_model")
    assert (row.value, row.baseline[:13]) == ("95.8%", "94.5% ± 0.4% ")
