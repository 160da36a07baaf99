import argparse
import dataclasses
import shlex

import pytest

from vae import __main__, live
from vae.data import DATASETS
from vae.live import Plan, replay
from vae.models import FAMILIES
from vae.models.likelihoods import LIKELIHOODS

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 28, 28), (3, 32, 32), (1, 64, 64), (3, 64, 64)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("size", live.SIZES)
@pytest.mark.parametrize("family", live.FAMILIES)
def test_every_plan_has_a_recipe_whose_networks_fit_the_images(family, size, shape):
    info = dataclasses.replace(DATASETS["mnist"], image_shape=shape)
    plan = Plan("mnist", family, latent_dim=3, size=size)
    recipe = plan.recipe(info, 100)
    assert plan.check(info) == "" and recipe.config.image_shape == shape
    model = FAMILIES[recipe.family](recipe.config)
    assert sum(p.numel() for p in model.parameters()) * 4 < 30 * 2**20
    assert family == "vqvae" or model.latent_dim == 3


def test_what_a_plan_may_choose_are_the_models_own():
    assert set(live.LIKELIHOODS) == set(LIKELIHOODS)
    assert {family.model for family in live.FAMILIES.values()} <= set(FAMILIES)


@pytest.mark.parametrize("changes, part", [
    (dict(family="gan"), "no family 'gan'"), (dict(likelihood="poisson"), "no likelihood 'poisson'"),
    (dict(size="huge"), "no network of size 'huge'"), (dict(latent_dim=1), "2 to 64 dimensions"),
    (dict(latent_dim=65), "2 to 64 dimensions"), (dict(latent_dim=2.5), "2 to 64 dimensions"),
    (dict(beta=-1.0), "from 0 to 100"), (dict(beta=float("nan")), "from 0 to 100"), (dict(beta=101), "from 0 to 100"),
    (dict(seed=-1), "seed must be a whole number"), (dict(seconds=-1), "number of seconds"),
    (dict(epochs=10**6), "100,000 epochs"), (dict(seconds=float("inf")), "number of seconds"),
])  # fmt: skip
def test_a_plan_that_cannot_be_followed_is_refused_in_one_sentence(changes, part):
    said = Plan("mnist", **changes).check(DATASETS["mnist"])
    assert part in said and said.endswith(".") and said.count(". ") == 0


def test_a_conditional_model_needs_classes():
    info = dataclasses.replace(DATASETS["mnist"], classes=("all images",))
    assert "have none" in Plan("mnist", "conditional").check(info)
    assert Plan("mnist", "vae").check(info) == ""


MOVES = [(), [(0, 2.5)], [(0, 1.0), (40, 0.1 + 0.2), (400, 7.0)]]


@pytest.mark.parametrize("moves", MOVES, ids=len)
@pytest.mark.parametrize("family", live.FAMILIES)
def test_the_command_line_says_what_the_recipe_says(family, moves):
    plan = Plan("mnist", family, 3, 2.5, "gaussian", "medium", 7, title="--Mine's “2”", images=200)
    line = shlex.split(plan.command(500, moves))
    assert line[:4] == ["python", "-m", "vae", "train"]
    parser = argparse.ArgumentParser()
    replay.add_options(parser)
    recipe, info = replay._of_options(parser.parse_args(line[4:]))
    assert recipe == plan.recipe(DATASETS["mnist"], 500, moves) and info is DATASETS["mnist"]


def test_a_command_without_a_training_to_repeat(capsys):
    assert __main__.main(["train"]) == 1
    assert "name a shipped model, or give --card FILE or --data DATA" in capsys.readouterr().err
    assert __main__.main(["train", "--data", "nothing"]) == 1
    assert "there is no data set 'nothing'" in capsys.readouterr().err
    assert __main__.main(["train", "--data", "mnist", "--beta", "1,2"]) == 1
    assert __main__.main(["train", "--data", "mnist", "--beta", "x"]) == 1
    assert "--beta takes a number" in capsys.readouterr().err
    assert __main__.main(["train", "--data", "mnist", "--dims", "1"]) == 1
    assert "2 to 64 dimensions" in capsys.readouterr().err
