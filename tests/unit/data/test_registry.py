"""One new file is a new data set: nothing else knows of it."""

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest

import vae
from tests.unit.data import test_conformance as promises
from vae import __main__ as cli
from vae.data import DATASETS
from vae.evaluation.evaluate import evaluate


def test_a_new_file_is_a_new_data_set(stripes, capsys):
    promises.test_the_description_is_whole(stripes)
    promises.test_batches_are_the_images_in_their_order(stripes)
    promises.test_a_picture_is_what_was_rendered(stripes)
    promises.test_any_picture_becomes_one_of_this_data(stripes)
    promises.test_an_image_of_its_own_is_taken_as_it_is(stripes)
    assert cli.main(["gallery", "stripes"]) == 1
    assert "stripes ships no split" in capsys.readouterr().err


def test_evaluation_asks_the_data_set_what_can_be_measured(stripes):
    model = vae.load("mnist-vae-2d")
    figures, _ = evaluate(model, "stripes", limit=20)
    assert np.isfinite(figures["recon"]) and not {"psnr_denoised", "style_distance", "recognised"} & figures.keys()
    with pytest.raises(ValueError, match="a model of Stripes does not allow the task 'labels'; it allows none"):
        evaluate(model, "stripes", limit=20, downstream=("labels",))


@pytest.mark.parametrize("name", DATASETS)
def test_a_shipped_description_is_pickled(name):
    assert pickle.loads(pickle.dumps(DATASETS[name])).title == DATASETS[name].title


def test_a_name_belongs_to_one_file():
    with pytest.raises(ValueError, match="data set 'mnist' is registered twice"):
        DATASETS.register("mnist")(DATASETS["mnist"])


ROOT = Path(vae.__file__).parents[1]
CODE = [path for folder in ("vae", "pages") for path in (ROOT / folder).rglob("*.py")
    if ROOT / "vae" / "data" not in path.parents]


def test_no_code_asks_for_a_data_sets_name():
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asked = []
            if isinstance(node, ast.Compare):
                asked = [node.left, *node.comparators]
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("startswith", "endswith"):
                asked = node.args
            elif isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "DATASETS":
                asked = [node.slice]
            names = {part.value for one in asked for part in ast.walk(one) if isinstance(part, ast.Constant)}
            assert not names & DATASETS.keys(), f"{path}, line {node.lineno}: ask the data set"
