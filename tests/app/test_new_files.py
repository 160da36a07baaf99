"""A family, an objective, a data set, a measure and a page, each one new file: trained, measured, mapped and shown.

The files lie in temporary folders that the packages look into; no file of the project knows of them.
"""

import importlib
import sys

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import vae
from pages.components.shell import cached, navigation
from vae import pipeline, store
from vae.data import DATASETS
from vae.evaluation import figures, measures
from vae.evaluation.measures import MEASURES
from vae.latent import maps
from vae.models import FAMILIES
from vae.objectives import OBJECTIVES
from vae.registry import import_all
from vae.training.recipes import RECIPES, Recipe

from .test_pages import ROOT

FILES = {
    "data": """
from functools import partial
import numpy as np
from vae.data.base import DATASETS, DatasetInfo, Split
from vae.data.preparing import Preparation

def bars(rows):
    across = np.arange(28)[None, :] + np.zeros((28, 1))
    return np.stack([np.where((across // (2 + row % 4)) % 2, 230, 10) for row in rows])[:, None].astype(np.uint8)

def load(split, download=True):
    return Split(bars, np.arange(60) % 4, name=split)

DATASETS.register("toy-bars")(DatasetInfo(
    name="toy-bars", title="Toy bars", image_shape=(1, 28, 28), classes=("2", "3", "4", "5"), licence="MIT",
    source="this test", load=load, noun="bars", preparation=Preparation(light_on_dark=True),
))
""",
    "models": '''
from dataclasses import dataclass
from vae.models.base import FAMILIES, NetworkConfig
from vae.models.vae import VAE

@FAMILIES.register("toy")
class ToyVAE(VAE):
    """A VAE whose code is scaled before it is decoded."""

    prior_name = "N(0, I) of toys"

    @dataclass(frozen=True)
    class Config(NetworkConfig):
        gain: float = 2.0

    def decode_logits(self, z, y=None):
        return super().decode_logits(self.config.gain * z, y)
''',
    "objectives": """
from dataclasses import dataclass
from vae.objectives.base import Objective, Weight, register
from vae.objectives.terms import elbo

@register("toy_bound")
@dataclass(frozen=True)
class ToyBound(Objective):
    pressure: Weight = 1.0

    def terms(self, out, batch):
        return elbo(out, batch.x, beta=batch.weights["pressure"])
""",
    "measures": """
from vae.evaluation.figures import Figure
from vae.evaluation.measures import MEASURES, Measure

@MEASURES.register("toy")
class Toy(Measure):
    figures = (Figure("toy_contrast", "toy contrast", digits=".2f", better="higher", sentence="toy, {images} {split} images"),)

    def applies(self, model, info):
        return info.noun == "bars"

    def measure(self, context):
        x = next(context.batches())[0]
        return {"toy_contrast": float(context.model.reconstruct(x).std())}
""",  # noqa: E501
    "pages": '''
"""Toys: a page that is one new file."""

import streamlit as st

from pages.components.shell import link, settings, state
from pages.components.shell.model_picker import model_picker

PLACE = 35
SIZES = ("small", "large")
SETTINGS = {"toy_size": ("choice", *SIZES)}

st.title("Toys")
model_picker()
settings.take("toy_size")
size = st.radio("Size", SIZES, key="toy_size")
link.set_page_parameter("toy_size", size)
st.write(f"{state.info().title}, {size}")
''',
}  # fmt: skip
PACKAGES = {"data": vae.data, "models": vae.models, "objectives": vae.objectives, "measures": measures}
REGISTRIES = (DATASETS, FAMILIES, OBJECTIVES, MEASURES, figures.FIGURES)


@pytest.fixture
def new_files(tmp_path, monkeypatch):
    kept = [(registry, dict(registry), dict(registry.files)) for registry in REGISTRIES]
    for room, text in FILES.items():
        folder = tmp_path / room
        folder.mkdir()
        (folder / f"toy_{room}.py").write_text(text.lstrip(), encoding="utf-8")
        if room in PACKAGES:
            monkeypatch.setattr(PACKAGES[room], "__path__", [*PACKAGES[room].__path__, str(folder)])
    monkeypatch.setattr(navigation, "FOLDERS", [*navigation.FOLDERS, tmp_path / "pages"])
    importlib.invalidate_caches()
    for package in PACKAGES.values():
        import_all(package)
    monkeypatch.setattr(store, "PRETRAINED", tmp_path / "pretrained")
    store.PRETRAINED.mkdir()
    # stands in for UMAP, whose compiling takes half a minute
    monkeypatch.setattr(maps, "fit_umap", lambda codes, seed, progress, exact: codes[:, :2].astype(np.float32))
    clear()
    yield tmp_path
    clear()
    for registry, things, files in kept:
        registry.clear(), registry.update(things), registry.files.clear(), registry.files.update(files)
    for room, package in PACKAGES.items():
        del sys.modules[f"{package.__name__}.toy_{room}"]
        delattr(package, f"toy_{room}")


def clear():
    cached.st.cache_resource.clear()
    cached.st.cache_data.clear()


def start(page, folder=ROOT / "pages", **query):
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    app.switch_page(str(folder / f"{page}.py")).run()
    assert not app.exception, app.exception
    return app


def test_five_new_files_are_trained_measured_mapped_and_shown(new_files, monkeypatch):
    config = FAMILIES["toy"].Config((1, 28, 28), latent_dim=3, encoder=(16,), decoder=(16,))
    recipe = Recipe(
        title="Bars, toy VAE, 3-D", description="Bars.", family="toy", data="toy-bars", config=config, steps=20,
        batch_size=8, warmup_steps=2, objective=OBJECTIVES["toy_bound"](0.5),
    )  # fmt: skip
    monkeypatch.setitem(RECIPES, "toy-bars", recipe)
    pipeline.train_and_save("toy-bars", new_files / "runs")

    card = store.Store().read_card("toy-bars")
    assert card.recipe["objective"] == {"name": "toy_bound", "pressure": 0.5} and card.config["gain"] == 2.0
    assert card.figures["toy_contrast"] > 0 and card.protocol["toy_contrast"] == "toy, 60 test images"
    assert store.Store().read_map("toy-bars").umap.shape == (60, 2)
    assert "| toy-bars |" in pipeline.report.model_zoo()

    app = start("sliders", model="toy-bars")
    assert app.session_state.model == "toy-bars"
    app.session_state.about = True  # the popover is open
    app.run()
    assert any("toy contrast" in element.value for element in app.markdown)
    app = start("map", model="toy-bars")
    assert app.session_state.model == "toy-bars" and not app.warning
    app = start("toy_pages", new_files / "pages", model="toy-bars", toy_size="large")
    assert app.title[0].value == "Toys" and app.session_state.page_parameters == {"toy_size": "large"}
    assert any(element.value == "Toy bars, large" for element in app.markdown)
