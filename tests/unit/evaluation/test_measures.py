"""A measure is one file: what registers is measured, described and shown."""

import dataclasses
import shutil
import sys

import numpy as np
import pytest
import torch

import vae
from vae import store
from vae.data import DATASETS
from vae.evaluation import measures, report
from vae.evaluation.evaluate import differences, evaluate
from vae.evaluation.figures import FIGURES, unknown
from vae.evaluation.measures import MEASURES, Context, Measure, run
from vae.evaluation.measures.fairness import compared_attributes
from vae.models import FAMILIES, NetworkConfig
from vae.registry import import_all

TOY = '''
from vae.evaluation.figures import Figure
from vae.evaluation.measures import MEASURES, Measure

BRIGHTNESS = Figure(
    "brightness", "mean brightness", digits=".4f", baseline=0.5, baseline_label="mid-grey",
    protocol={"level": 1.0, "images": None}, sentence="mean of {images:,} reconstructions over {level}",
)

@MEASURES.register("brightness")
class Brightness(Measure):
    figures = (BRIGHTNESS,)

    def applies(self, model, info):
        return info.name == "mnist"

    def measure(self, context):
        x = next(context.batches())[0]
        return {"brightness": float(context.model.reconstruct(x).mean()) / context.parameters_of(BRIGHTNESS)["level"]}
'''


@pytest.fixture
def registries():
    """Registries that are put back as they were."""
    kept = [(registry, dict(registry), dict(registry.files)) for registry in (MEASURES, FIGURES)]
    yield
    for registry, things, files in kept:
        registry.clear(), registry.update(things), registry.files.clear(), registry.files.update(files)


@pytest.fixture
def brightness(tmp_path, monkeypatch, registries):
    """A measure that is a file of its own."""
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "brightness.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(measures, "__path__", [*measures.__path__, str(tmp_path / "toys")])
    import_all(measures)
    yield
    del sys.modules["vae.evaluation.measures.brightness"]


def test_a_new_file_is_measured_described_and_shown(brightness, tmp_path):
    model = vae.load("mnist-vae-2d")
    figures, protocol = evaluate(model, "mnist", limit=100)
    assert 0.05 < figures["brightness"] < 0.3 and list(figures)[-1] == "brightness"
    assert protocol["brightness"] == "mean of 100 reconstructions over 1.0"
    doubled, _ = evaluate(model, "mnist", limit=100, parameters={"brightness": {"level": 2.0}})
    assert doubled["brightness"] == pytest.approx(figures["brightness"] / 2)
    assert "brightness" not in evaluate(model, "mnist", limit=100, without=("brightness",))[0]
    assert "brightness" not in evaluate(vae.load("mnist-vae-bin"), "mnist-binary", limit=20, without=("nll",))[0]

    # on the card, in About and in the model zoo
    shutil.copytree(store.PRETRAINED / "mnist-vae-2d", tmp_path / "zoo" / "mnist-vae-2d")
    card = dataclasses.replace(model.card, figures=figures, protocol=protocol)
    store.Store([tmp_path / "zoo"]).write_card(card)
    card = store.Store([tmp_path / "zoo"]).read_card("mnist-vae-2d")
    row = f"| mean brightness | {figures['brightness']:.4f} | 0.5000 (mid-grey) |"
    assert row in report.figures_table(card)
    assert "mean brightness: mean of 100 reconstructions over 1.0" in report.protocols(card)
    table = report.model_zoo(tmp_path / "zoo")
    assert f"| mnist-vae-2d {row}" in table and "- mean brightness: mean of 100 reconstructions over 1.0" in table


def test_without_its_file_a_card_is_unavailable_and_the_others_work(tmp_path):
    for name in ("mnist-vae-2d", "mnist-ae-2d"):
        shutil.copytree(store.PRETRAINED / name, tmp_path / name)
    card = store.Store([tmp_path]).read_card("mnist-vae-2d")
    store.Store([tmp_path]).write_card(dataclasses.replace(card, figures=card.figures | {"brightness": 0.1}))
    cards, problems = store.Store([tmp_path]).scan(check=unknown)
    assert [card.name for card in cards] == ["mnist-ae-2d"]
    assert problems == {"mnist-vae-2d": "its card has figures that are not known here: 'brightness'"}


def test_two_files_cannot_describe_one_figure(registries):
    with pytest.raises(ValueError, match="figure 'kl' is registered twice: in .*bound.py and in .*test_measures.py"):

        class Again(Measure):
            figures = (FIGURES["kl"],)


def test_a_measure_describes_what_it_measures(registries, tiny_split):
    class Silent(Measure):
        def measure(self, context):
            return {"brightness": 0.1}

    model = FAMILIES["vae"](NetworkConfig((1, 28, 28), latent_dim=2, encoder=(8,), decoder=(8,)))
    with pytest.raises(ValueError, match="Silent measures 'brightness' and does not describe it"):
        run(Silent(), Context(model, vae.data.DATASETS["mnist"], tiny_split((1, 28, 28)), 10))


def test_unknown_measures_and_tasks_are_refused():
    model = vae.load("mnist-vae-2d")
    known = "anomalies, augmentation, labels, samples"
    with pytest.raises(ValueError, match=f"no downstream task 'anomaly'; there are {known}"):
        evaluate(model, "mnist", limit=10, downstream=("anomaly",))
    with pytest.raises(ValueError, match="no measure 'fid'; there are bound, "):
        evaluate(model, "mnist", limit=10, without=("fid",))


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "continuous_bernoulli"])
def test_a_log_density_has_neither_a_floor_nor_an_excess(likelihood):
    torch.manual_seed(0)
    config = NetworkConfig((1, 28, 28), latent_dim=2, encoder=(8,), decoder=(8,), likelihood=likelihood)
    model = FAMILIES["vae"](config).eval().requires_grad_(False)
    figures, protocol = evaluate(model, "mnist", limit=20, downstream=("anomalies",))
    expected = likelihood == "bernoulli"
    assert ("recon_floor" in figures) == ("recon_floor" in protocol) == expected
    assert any(key.startswith("auroc_excess_") for key in figures) == expected
    assert {"recon", "kl", "negative_elbo", "auroc_negative_elbo_fashion-mnist"} <= figures.keys()


def test_terms_are_computed_once_and_by_the_seed(tiny_split):
    torch.manual_seed(0)
    config = NetworkConfig((1, 28, 28), latent_dim=2, encoder=(8,), decoder=(8,))
    model = FAMILIES["vae"](config).eval().requires_grad_(False)
    split = tiny_split((1, 28, 28))
    contexts = [Context(model, vae.data.DATASETS["mnist"], split, 40) for _ in range(2)]
    assert contexts[0].terms is contexts[0].terms and contexts[0].codes.shape == (40, 2)
    assert contexts[0].terms.recon == contexts[1].terms.recon
    assert not contexts[0].whole and Context(model, contexts[0].info, split, len(split)).whole


def test_differences_name_the_figure_the_values_and_the_tolerance():
    card = store.Store().read_card("sprites-vae")
    figures, protocol = dict(card.figures), dict(card.protocol)
    assert differences(card, figures, protocol) == []
    figures = {k: v for k, v in figures.items() if not k.startswith("dci")} | {"mig": 0.2, "kl_per_dim": [0.0] * 10}
    del protocol["dci"], figures["sap"]
    protocol["mig"] = "10 bins"
    found = differences(card, figures, protocol, without=("dci",))
    assert found[0] == "sap is on the card and was not measured"
    assert f"mig is {card.figures['mig']:.7g} on the card and 0.2 now (tolerance 0.001)" in found
    assert any(sentence.startswith("kl_per_dim is [") and len(sentence) < 250 for sentence in found)
    assert found[-1] == f"the protocol of mig is {card.protocol['mig']!r} on the card and '10 bins' now"
    assert len(found) == 4 and len(differences(card, figures, protocol)) == 9  # dci's four figures and its protocol


@pytest.mark.parametrize("images", [1, 2, 40])
def test_a_few_faces_lose_only_attributes_that_they_have(images):
    figures, protocol = evaluate(vae.load("faces-vae"), "faces", limit=images, only=("fairness",))
    factors = DATASETS["faces"].load("test").factors[:images]
    groups = {  # of the images that have an attribute
        name: factors[np.isin(factors[:, k], values), 2]
        for name, (k, values) in compared_attributes(DATASETS["faces"]).items()
    }
    had = {name for name, found in groups.items() if len(found)}
    assert figures.keys() == protocol.keys() | ({"attribute_lost_gap"} if had else set())
    assert set(figures.get("attribute_lost", ())) == had
    if images == 40:
        smallest = min(np.unique(found, return_counts=True)[1].min() for found in groups.values())
        assert f"each share is of at least {smallest} images" in protocol["attribute_lost"]


def test_reconstructions_are_read_once(monkeypatch):
    model, calls = vae.load("faces-vae"), []
    reconstruct = model.reconstruct
    monkeypatch.setattr(model, "reconstruct", lambda x: calls.append(len(x)) or reconstruct(x))
    evaluate(model, "faces", limit=30, only=("fairness", "factors_kept"))
    assert calls == [30]
