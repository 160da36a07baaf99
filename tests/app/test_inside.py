"""What the page of the forward pass sends; tests/unit/browser compares the pass with the functions that train."""

import base64
import inspect
import json
import textwrap

import numpy as np
import pytest

import vae
from pages.components.inside import betas, panel
from pages.components.shell import cached
from pages.components.widgets import source
from vae import objectives
from vae.data import DATASETS, DatasetInfo
from vae.models import FAMILIES
from vae.models.base import Posterior

from .test_pages import NAMES, payload, start

SERVED = [name for name in NAMES if panel.is_supported(vae.load(name))]


def test_the_page_serves_models_with_a_diagonal_gaussian_posterior():
    served = {vae.load(name).card.family for name in SERVED}
    assert served == {"vae", "cvae", "m2", "dvae", "vaegan"}
    app = start("inside", model="mnist-iaf")
    assert app.session_state.model in SERVED and {
        text.rpartition(" ")[2] for text in app.selectbox(key="model_picker").options
    } == set(SERVED)
    assert any("needs a diagonal Gaussian posterior" in c.value for c in app.caption)


def test_a_colour_model_begins_with_an_image_of_its_own():
    assert payload(start("inside", model="faces-vae"), "drawing", "code")["drawing"] is False
    assert payload(start("inside", model="mnist-cvae"), "drawing", "code")["drawing"] is True


DIGITS = ("mnist-beta025", "mnist-vae-16d", "mnist-beta4", "mnist-beta16")  # from the smallest beta


def test_rate_and_distortion_are_the_cards():
    app = start("inside", model="mnist-vae-16d")
    (chart,) = app.get("plotly_chart")
    (trace,) = json.loads(chart.proto.spec)["data"]
    cards = [vae.load(name).card for name in ("mnist-collapsed", *DIGITS[::-1])]
    assert [text.strip() for text in trace["text"]] == [
        f"beta {cached.beta(c):g}: {c.figures['active_units']} active" for c in cards
    ]
    assert "plotly_chart" not in {e.type for e in start("inside", model="mnist-cvae").main}


@pytest.mark.parametrize("family", sorted({vae.load(name).card.family for name in SERVED}))
def test_the_source_of_a_step_is_that_of_the_function(family):
    """What is read without an import, against what Python runs."""
    shown = panel._source_code(family)
    cls = FAMILIES[family]
    functions = {
        "x": DatasetInfo.prepare, "q": cls.encode, "eps": Posterior.push, "z": Posterior.push,
        "x_hat": cls.decode_logits, "recon": cls.likelihood, "kl": objectives.gaussian_kl, "sum": objectives.elbo,
    }  # fmt: skip
    assert shown.keys() == functions.keys()
    for part, f in functions.items():
        assert shown[part]["name"] == f"{f.__module__}.{f.__qualname__}"
        assert shown[part]["source"].strip() == textwrap.dedent(inspect.getsource(f)).strip()


def test_a_family_from_elsewhere_has_the_functions_of_vae_alone():
    assert {"eps", "z", "kl", "sum"} <= panel._source_code("of a stranger").keys()
    assert source.method("of a stranger", "encode") is None
    with pytest.raises(KeyError, match=r"no elbow in vae\.objectives\.terms"):
        source.function("objectives.terms", "elbow")


@pytest.mark.parametrize("missing", ["encode", "classify"])
def test_a_model_whose_network_a_browser_cannot_run_is_not_offered(monkeypatch, missing):
    network = cached.network

    def without(name):
        found = network(name)
        if name != "mnist-cvae":
            return found
        left = {key: graph for key, graph in found["networks"].items() if key != missing}
        return {**found, "networks": left, "not_portable": {missing: "it samples random numbers"}}

    monkeypatch.setattr(cached, "network", without)
    cached.traits.clear()
    app = start("inside", model="mnist-cvae")
    cached.traits.clear()
    assert app.session_state.model != "mnist-cvae" and app.session_state.model in SERVED


def test_an_image_goes_to_the_browser_as_bytes():
    app = start("inside", model="mnist-cvae", inside_source="Choose or upload", inside_image="5")
    data, split = payload(app, "drawing", "code"), DATASETS["mnist"].load("test")
    assert base64.b64decode(data["x"]) == split.render(np.array([5])).tobytes()
    assert data["y"] == int(split.labels[5]) and data["classes"] == list("0123456789")
    assert payload(start("inside", model="mnist-vae-2d"), "drawing", "code")["x"] is None


def test_models_that_differ_in_beta_alone():
    names = {name: [c.name for c in betas.models_by_beta(vae.load(name).card)]
        for name in ("mnist-vae-16d", "sprites-beta4", "mnist-vae-2d")}
    assert names["mnist-vae-16d"] == ["mnist-ae-16d", *DIGITS, "mnist-collapsed"]
    assert names["sprites-beta4"] == ["sprites-ae", *(f"sprites-beta{beta}" for beta in (1, 4, 16))]
    assert names["mnist-vae-2d"] == ["mnist-ae-2d", "mnist-vae-2d"]
    for found in names.values():
        values = [cached.beta(vae.load(name).card) for name in found]
        assert values == sorted(values) and values[0] == 0
