"""What recipes promise of learning rates, weights and splits."""

from dataclasses import replace

import pytest

from vae import store
from vae.data.base import SKEWED
from vae.models import NetworkConfig
from vae.objectives import Schedule
from vae.training.candidates import CANDIDATES
from vae.training.recipes import AS_BEFORE, NOT_RETRAINED, RECIPES, Recipe, completed, ema_decay

TINY = Recipe(
    title="", description="", family="vae", data="mnist", steps=1000, warmup_steps=100, learning_rate=1.0,
    config=NetworkConfig((1, 28, 28), latent_dim=2, encoder=(16,), decoder=(16,)),
)  # fmt: skip
EVERY = {**RECIPES, **{f"{name} on trial": recipe for name, recipe in CANDIDATES.items()}}
# Shipped recipes, none of them retrained yet, that spend most of their learning rate before the
# objective has its final weights. The list only shrinks.
TOO_LATE = (
    "sprites-beta4", "sprites-beta1", "sprites-beta16", "sprites-btcvae",
)  # fmt: skip


def test_a_constant_learning_rate_warms_up_stays_and_falls_over_the_last_tenth():
    rates = [TINY.learning_rate_at(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01) and rates[99] == pytest.approx(1.0)
    assert set(rates[100:901]) == {1.0}
    assert rates[950] == pytest.approx(0.5) and rates[999] == pytest.approx(0.01)


def test_a_flat_rate_does_not_depend_on_the_number_of_steps():
    few, many = (replace(TINY, schedule="flat", warmup_steps=5, steps=steps) for steps in (20, 2000))
    rates = [few.learning_rate_at(step) for step in range(20)]
    assert rates == [many.learning_rate_at(step) for step in range(20)]
    assert rates[4:] == [TINY.learning_rate] * 16 and rates[0] == TINY.learning_rate / 5


def test_a_cosine_ends_near_zero():
    rates = [replace(TINY, schedule="cosine").learning_rate_at(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01) and rates[99] == pytest.approx(1.0)
    assert rates[550] == pytest.approx(0.5) and rates[999] < 1e-4


def share_at_the_final_weights(recipe):
    rates = [recipe.learning_rate_at(step) for step in range(recipe.steps)]
    settled = max((value.steps for value in betas(recipe)), default=0)
    return sum(rates[settled:]) / sum(rates)


def betas(recipe):
    """The schedules of a weight on the KL or the total correlation."""
    return [value for value in [getattr(recipe.objective, "beta", None)] if isinstance(value, Schedule)]


@pytest.mark.parametrize("name", EVERY)
def test_half_of_the_learning_rate_is_spent_at_the_final_weights(name):
    share = share_at_the_final_weights(EVERY[name])
    assert (share < 0.5) == (name in TOO_LATE), share
    assert set(TOO_LATE) <= set(NOT_RETRAINED)


@pytest.mark.parametrize("name", [name for name in EVERY if name not in NOT_RETRAINED])
def test_weight_schedules_end_early(name):
    recipe = EVERY[name]
    assert all(beta.steps <= 0.15 * recipe.steps
        for beta in betas(recipe)) and recipe.objective.settled() <= 0.6 * recipe.steps
    assert recipe.split in ("train", *SKEWED) and (recipe.schedule, recipe.ema) == ("constant", True)


def test_a_retrained_model_leaves_the_list():
    for name in NOT_RETRAINED:
        assert {key: getattr(RECIPES[name], key) for key in AS_BEFORE} == AS_BEFORE
        assert name not in RECIPES or store.Store().read_card(name).recipe.get("split",
            "train+validation") == "train+validation"


@pytest.mark.parametrize("card", store.available(), ids=lambda card: card.name)
def test_the_recipe_is_what_made_the_shipped_weights(card):
    stored = {**card.recipe, "family": card.family, "data": card.data, "config": card.config}
    assert completed(stored) == RECIPES[card.name].hyperparameters()


def test_a_stored_config_is_read_by_its_family():
    recipe = RECIPES["mnist-vamp"]
    stored = recipe.hyperparameters()
    assert stored["config"].keys() == vars(recipe.config).keys() and "noise" not in stored["config"]
    # a run of before has the fields of every family
    assert recipe.same_as({**stored, "config": {**stored["config"], "noise": 0.0, "codebook": 0}})
    assert not recipe.same_as({**stored, "config": {**stored["config"], "noise": 0.5}})
    assert not recipe.same_as({**stored, "family": "diffusion"})
    with pytest.raises(ValueError, match="unknown family 'diffusion': expected one of ae, "):
        completed({**stored, "family": "diffusion"})


@pytest.mark.parametrize("field, value", [
    ("images", -5), ("warmup_steps", -1), ("shift", -1), ("seed", -1), ("learning_rate", -1.0),
    ("learning_rate", float("nan")), ("split", "foo"), ("steps", 0), ("schedule", "linear"),
])  # fmt: skip
def test_impossible_values_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=field):
        replace(RECIPES["mnist-vae-2d"], **{field: value})


def test_no_recipe_trains_on_the_test_split():
    with pytest.raises(ValueError, match="must not read the test split"):
        replace(TINY, split="test")
    with pytest.raises(ValueError, match="unknown schedule 'cosin': expected one of constant, cosine"):
        replace(TINY, schedule="cosin")


def test_the_average_forgets_fast_at_first():
    assert [ema_decay(s) for s in (0, 1, 2)] == pytest.approx([1 / 10, 2 / 11, 3 / 12])
    assert ema_decay(10**6) == 0.999
