"""The pipeline from Python: three lines from a recipe to a stored model, with progress and nothing printed."""

import dataclasses

import numpy as np
import pytest

from vae import pipeline, store
from vae.training import recipes


def test_three_lines_train_evaluate_map_and_save(small_world, capsys):
    heard = []

    def progress(stage, share):
        heard.append((stage, share))

    runs = small_world / "runs"
    model = pipeline.train("mnist-vae-2d", runs=runs, progress=progress)
    card = pipeline.evaluate(model, without=("dci",), progress=progress)
    saved = pipeline.save(model, pipeline.fit_map(model, seed=3, progress=progress))

    stages = [stage for stage, _ in heard]
    assert stages[:3] == ["training mnist-vae-2d"] * 3 and stages[-1] == "measuring trustworthiness"
    assert "measuring the terms of the bound" in stages and "fitting UMAP again" in stages
    # each function's shares rise from 0 to at most 1
    evaluating = slice(3, stages.index("encoding 40 images"))
    for part in (heard[:3], heard[evaluating], heard[evaluating.stop :]):
        shares = [share for _, share in part]
        assert shares == sorted(shares) and 0 <= shares[0] and shares[-1] <= 1
    assert heard[2][1] == 1
    assert card.figures["test_images"] == 40 and saved.figures == card.figures
    assert store.Store().read_card("mnist-vae-2d") == saved and saved.map["seed"] == 3 and saved.map["points"] == 40
    x = np.zeros((1, 1, 28, 28), np.float32)
    same = [m.encode(pipeline.torch.from_numpy(x)).mean for m in (model, store.load("mnist-vae-2d"))]
    assert same[0].equal(same[1])
    out, err = capsys.readouterr()
    assert not out and not err


def test_a_recipe_of_ones_own_needs_no_entry(small_world):
    recipe = dataclasses.replace(recipes.RECIPES["mnist-vae-2d"], seed=5, title="Mine")
    model = pipeline.train("mine", recipe, small_world / "runs")
    assert (model.card.name, model.card.title, model.card.recipe["seed"]) == ("mine", "Mine", 5)
    assert not model.card.figures and not (store.PRETRAINED / "mine").exists()  # nothing is written unasked
    with pytest.raises(ValueError, match="no recipe 'mine'"):
        pipeline.train("mine")


def test_progress_of_a_command_covers_all_its_steps(small_world):
    shares = []
    card = pipeline.train_and_save("mnist-vae-2d", small_world / "runs", lambda stage, share: shares.append(share))
    assert card == store.Store().read_card("mnist-vae-2d")
    assert shares == sorted(shares) and shares[2] == pytest.approx(0.8) and 0.9 < shares[-1] <= 1
