"""The examples of .github/CONTRIBUTING.md, run as they stand there."""

import importlib
import re
import sys
from pathlib import Path

import pytest
import torch

import vae
from pages.components.lessons import catalogue
from pages.components.shell import navigation
from tests.unit.data import test_conformance as promises
from tests.unit.models.test_conformance import build
from vae import models, objectives
from vae.data import DATASETS
from vae.evaluation import measures
from vae.evaluation.evaluate import evaluate
from vae.evaluation.figures import FIGURES
from vae.evaluation.measures import MEASURES
from vae.models import FAMILIES
from vae.objectives import OBJECTIVES, Batch, elbo

from .test_pages import start

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
REGISTRIES = (FAMILIES, OBJECTIVES, DATASETS, MEASURES, FIGURES)


@pytest.fixture
def example(tmp_path, monkeypatch):
    """example(package, path) imports one example as a module of the package; registries are put back afterwards."""
    kept = [(registry, dict(registry), dict(registry.files)) for registry in REGISTRIES]
    imported = []

    def add(package, path):
        file = tmp_path / Path(path).name
        file.write_text(EXAMPLES[path], encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        importlib.invalidate_caches()
        imported.append((package, f"{package.__name__}.{file.stem}"))
        return importlib.import_module(imported[0][1])

    yield add
    for package, name in imported:
        del sys.modules[name]
        delattr(package, name.rpartition(".")[2])
    for registry, things, files in kept:
        registry.clear()
        registry.update(things)
        registry.files.clear()
        registry.files.update(files)


def test_every_kind_has_an_example():
    folders = ["vae/models", "vae/objectives", "vae/data", "vae/evaluation/measures", "pages", "vae/lessons"]
    assert [str(Path(path).parent) for path in EXAMPLES] == folders


def test_a_family(example):
    example(models, "vae/models/wide_prior.py")
    model, x, _ = build("wide_prior")
    assert torch.equal(model.prior.stddev, torch.full((4,), 2.0))
    assert elbo(model(x), x).loss.isfinite().all()


def test_an_objective(example):
    module = example(objectives, "vae/objectives/even_vae.py")
    model, x, _ = build("vae")
    out = model(x)
    objective = OBJECTIVES["even_vae"](evenness=0.5)
    assert objectives.read({"objective": objective.stored()}) == module.EvenVAE(0.5)
    found = objective.terms(out, Batch(x, torch.zeros(len(x), dtype=torch.long), objective.at(0), 100))
    assert (found.loss > elbo(out, x).loss).all()


def test_a_data_set(example):
    example(vae.data, "vae/data/bars.py")
    info = DATASETS["bars"]
    for promise in (
        promises.test_the_description_is_whole, promises.test_batches_are_the_images_in_their_order,
        promises.test_a_picture_is_what_was_rendered, promises.test_any_picture_becomes_one_of_this_data,
    ):  # fmt: skip
        promise(info)
    assert info.load("test").batch([0, 1])[0].amax((1, 2, 3)).min() > 0.2
    promises.test_images.cache_clear()


def test_a_measure(example):
    example(measures, "vae/evaluation/measures/brightness.py")
    figures, protocol = evaluate(vae.load("mnist-vae-2d"), "mnist", limit=20)
    assert 0.05 < figures["brightness"] < 0.3
    assert protocol["brightness"] == "mean pixel of the reconstructions of 20 test images"


def test_a_page(tmp_path, monkeypatch):
    (tmp_path / "negative.py").write_text(EXAMPLES["pages/negative.py"], encoding="utf-8")
    monkeypatch.setattr(navigation, "FOLDERS", [*navigation.FOLDERS, tmp_path])
    app = start()
    app.switch_page(str(tmp_path / "negative.py")).run()
    assert not app.exception and app.title[0].value == "Negative"
    assert [image.captions for image in app.get("image")] == [["1 − x̂"]]
    app = start(negative_scale="4")
    app.switch_page(str(tmp_path / "negative.py")).run()
    assert app.slider(key="negative_scale").value == 4


def test_a_lesson(tmp_path, monkeypatch):
    (tmp_path / "temperature.toml").write_text(EXAMPLES["vae/lessons/temperature.toml"], encoding="utf-8")
    monkeypatch.setattr(catalogue, "FOLDERS", [*catalogue.FOLDERS, tmp_path])
    assert not catalogue.lessons()[1]
    app = start("lessons")
    assert not app.button(key="begin_temperature").disabled
    app.button(key="begin_temperature").click().run()
    assert not app.exception and app.session_state.lesson == "temperature.1" and app.session_state.seed == 3
