"""The page Uses: each section on the models it was measured on, its figures their cards'."""

import json

import numpy as np
import pytest
import torch

import vae
from pages.components.shell import cached
from pages.components.uses import anomalies, augmentation, denoising, fairness, filling, labels, memory
from vae import metrics, store
from vae.data import DATASETS
from vae.evaluation import downstream
from vae.evaluation.measures.augmentation import VARIANTS
from vae.latent import inpainting

from .test_pages import components, start

SECTIONS = {
    "anomalies": anomalies, "denoising": denoising, "filling": filling,
    "labels": labels, "augmentation": augmentation, "memory": memory, "fairness": fairness,
}  # fmt: skip
# one model of each family on each data set that a section speaks of; of the many that can fill in, those
# that differ in more than weights
FILLING = ["mnist-vae-16d", "mnist-m2", "mnist-vamp", "mnist-iaf", "mnist-ladder", "glyphs-cvae", "rooms-ada"]


def differ(names):
    cards = map(store.Store().read_card, names)
    return {(card.family, card.data): card.name for card in cards}.values()


SERVED = [
    (use, name) for use,
    section in SECTIONS.items() for name in (FILLING if use == "filling" else differ(section.models()))
]


def stand_in_sentences(app):
    """What the page says of a model that it shows in place of the visitor's own."""
    return [caption.value for caption in app.caption if "until you leave" in caption.value]


def charts(app):
    return {chart.proto.id.split("-")[-1]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


@pytest.mark.parametrize("use, name", SERVED)
def test_every_section_with_its_models(use, name):
    app = start("uses", model=name, use=use)
    assert not app.error and not app.warning and not app.info
    assert stand_in_sentences(app) == []
    assert app.segmented_control(key="use").value == use and app.session_state.model == name
    assert len(components(app)) or app.get("plotly_chart")


def test_the_link_says_which_use():
    app = start("uses", model="mnist-few", use="memory")
    assert app.session_state.page_parameters == {"use": "memory"}
    app.segmented_control(key="use").set_value("labels").run()
    assert not app.exception
    assert app.session_state.page_parameters == {"use": "labels"} and app.session_state.model == "mnist-few"
    assert start("uses").segmented_control(key="use").value == "denoising", "Uses opens with Denoise"
    assert start("uses", use="everything").segmented_control(key="use").value == "denoising"


@pytest.mark.parametrize("use", ["anomalies", "denoising", "filling", "labels", "augmentation", "memory", "fairness"])
def test_a_section_that_cannot_use_the_model_says_which_it_shows(use):
    name = "mnist-vqvae" if use == "filling" else "rooms-vae"
    app = start("uses", model=name, use=use)
    shown = SECTIONS[use].models()[0]
    assert not app.exception and app.session_state.model == shown
    (sentence,) = stand_in_sentences(app)
    assert SECTIONS[use].NEEDS in sentence
    assert cached.card(name).title in sentence and cached.card(shown).title in sentence


def test_a_section_that_no_installed_model_has_says_what_it_needs(monkeypatch):
    only = {"rooms-vae": cached.zoo_scan()[0]["rooms-vae"]}
    monkeypatch.setattr(cached, "zoo_scan", lambda: (only, {}))
    for use in SECTIONS:
        app = start("uses", model="rooms-vae", use=use)  # no exception
        if use != "filling":
            assert SECTIONS[use].NEEDS in app.info[0].value and "No installed model" in app.info[0].value


@pytest.mark.parametrize("name, kind, score", [
    ("fashion-vae-16d", "mnist", "negative_elbo"), ("mnist-vae-16d", "blurred", "squared_error"),
    ("mnist-cvae", "empty", "negative_elbo"), ("fashion-vae-16d", "blurred", "excess"),
])  # fmt: skip
def test_auroc_and_curve_are_the_cards(name, kind, score):
    app = start("uses", model=name, use="anomalies")
    app.pills(key="anomaly_kind").set_value(kind).run()
    app.segmented_control(key="anomaly_score").set_value(score).run()
    assert not app.exception
    figures = store.Store().read_card(name).figures
    auroc = figures[f"auroc_{score}_{kind}"]
    assert any(f"**AUROC {auroc:.3f}**" in m.value for m in app.markdown)
    (curve,) = [c["data"] for c in charts(app).values() if c["data"][0].get("name", "").startswith("AUROC")]
    np.testing.assert_allclose(curve[0]["y"], figures[f"roc_{score}_{kind}"])
    table = app.dataframe[0].value
    assert table.set_index("outliers")[f"AUROC by {anomalies.SCORES[score]}"][
        anomalies.kind_labels()[kind]
    ] == auroc  # fmt: skip
    if auroc < 0.5:
        assert any("Worse than chance" in m.value for m in app.markdown)


def test_a_failure_is_one_click():
    app = start("uses", model="mnist-vae-2d", use="anomalies")
    next(b for b in app.button if b.label == "Show a failure").click().run()
    assert not app.exception and app.session_state.model == "fashion-vae-16d"
    assert any("Worse than chance" in m.value for m in app.markdown)


def test_images_are_ranked_by_the_models_own_scores():
    app = start("uses", model="mnist-vae-16d", use="anomalies")
    model = vae.load("mnist-vae-16d")
    splits = [DATASETS[name].load("test") for name in ("mnist", "fashion-mnist")]
    rows = np.arange(anomalies.N_RANKED)
    x = torch.cat([split.batch(rows)[0] for split in splits])
    scores = np.concatenate([
        metrics.outlier_scores(model, part, torch.Generator().manual_seed(0)).excess for part in x.split(len(rows))
    ])  # fmt: skip
    order = np.argsort(-scores, kind="stable")
    most = next(d for d in components(app).values() if d["name"] == "images with the highest scores")
    expected = [f"{'outlier' if i >= len(rows) else 'test image'}, {scores[i]:.4g}" for i in order[: anomalies.SHOWN]]
    assert most["labels"] == expected


def test_denoising_says_each_pictures_decibels():
    app = start("uses", model="mnist-vae-16d", use="denoising")
    shown = next(d for d in components(app).values() if d["name"].endswith("and denoised"))
    values = {c.rsplit(", ", 1)[0]: float(c.split(", ")[-1].removesuffix(" dB")) for c in shown["captions"]
        if "dB" in c}
    assert values["Digits, denoising VAE, 16-D"] > values["with noise"] + 5
    app.slider(key="denoise_std").set_value(0.0).run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table.iloc[0].tolist() == ["Digits, denoising VAE, 16-D",
        store.Store().read_card("mnist-dvae").figures["psnr_denoised"]]


def test_samples_are_kept_until_what_is_visible_changes(monkeypatch):
    fill_in = inpainting.fill_in
    app = start("uses", model="mnist-vae-16d", use="filling")
    calls = []
    monkeypatch.setattr(inpainting, "fill_in", lambda *args: calls.append(1) or fill_in(*args))
    app.run()
    assert not app.exception and not calls
    app.pills(key="fill_hidden").set_value("everything").run()
    assert not app.exception and len(calls) == 1
    z = app.session_state.filled[1].z
    assert app.session_state.filled[1].log_evidence == pytest.approx(0, abs=1e-6)  # nothing was seen
    assert abs(float(z.mean())) < 0.2 and 0.85 < float(z.std()) < 1.15  # the prior
    samples = next(d for d in components(app).values() if d["name"] == "inpainted samples")
    assert samples["n"] == filling.SHOWN


@pytest.mark.parametrize("hidden", filling.HIDDEN)
def test_what_is_hidden(hidden):
    for size in (28, 64):
        visible = filling._visible(hidden, (size, size))
        assert visible.shape == (size, size) and visible.dtype == torch.bool
        share = float(visible.float().mean())
        expected = {"everything": 0, "three pixels of four": 0.25, "a band": 0.75, "all but a window": 0.09}
        assert share == pytest.approx(expected.get(hidden, 0.5), abs=0.05)
    assert filling._visible("lower half", (4, 4)).tolist() == [[True] * 4] * 2 + [[False] * 4] * 2


def test_accuracies_are_the_cards():
    app = start("uses", model="mnist-m2", use="labels")
    f, codes = store.Store().read_card("mnist-m2").figures, store.Store().read_card("mnist-vae-16d").figures
    (bars,) = [c["data"][0] for c in charts(app).values() if c["data"][0].get("orientation") == "h"]
    shown = dict(zip(bars["y"], bars["x"], strict=False))
    (classes,) = [c["data"][0] for c in charts(app).values() if c["data"][0].get("orientation") != "h"]
    x, _ = DATASETS["mnist"].load("test").batch([labels.UNSURE])
    np.testing.assert_allclose(classes["y"], vae.load("mnist-m2").classify(x).exp()[0], atol=1e-4)
    assert max(classes["y"]) < 0.7
    assert shown["Digits, semi-supervised M2, 16-D: q(y|x)"] == pytest.approx(100 * f["accuracy_with_model"])
    assert shown["same classifier, labelled images only, augmented"] == pytest.approx(100 * f["accuracy_labels_alone"])
    assert shown["Digits, VAE, 16-D: linear classifier on z"] == pytest.approx(100 * codes["accuracy_codes"])
    assert shown["linear classifier on pixels"] == pytest.approx(100 * codes["accuracy_pixels"])


def test_lost_attributes_are_the_cards_and_the_picture_is_the_models():
    app = start("uses", model="faces-vae", use="fairness")
    lost = store.Store().read_card("faces-vae").figures["attribute_lost"]
    assert app.pills(key="fair_attribute").options == ["glasses", "beard", "smile", "long hair"] == list(lost)
    for attribute in ("smile", "beard"):
        app.pills(key="fair_attribute").set_value(attribute).run()
        app.number_input(key="fair_image").set_value(7).run()
        assert not app.exception
        drawn = list(charts(app).values())
        lines = {c["layout"]["yaxis"]["title"]["text"]: c["data"] for c in drawn if c["data"][0]["type"] == "scatter"}
        (bars,) = [c["data"][0] for c in drawn if c["data"][0]["type"] == "bar"]
        for title, value in [
            (f"{attribute}: lost (%)", lambda f: {g: 100 * v for g, v in f["attribute_lost"][attribute].items()}),  # noqa: B023
            ("error above the minimum (nats)", lambda f: f["group_excess"]),
        ]:
            for line in lines[title]:
                of_card = next(c for c in store.Store().scan()[0] if c.title == line["name"])
                assert dict(zip(line["x"], line["y"], strict=True)) == pytest.approx(value(of_card.figures))
            assert len(lines[title]) == len({line["name"] for line in lines[title]}) >= 1
        info = DATASETS["faces"]
        x, contrast = fairness._images("faces", attribute, 7)
        read = metrics.load_classifier("faces", info.image_shape, info.grid.sizes)(x)
        factors = torch.stack([logits.argmax(1) for logits in read], 1)
        k = info.grid.names.index(attribute)
        assert factors[:, k].tolist() == [1] * 6 and factors[:, 2].tolist() == [*range(6)]  # one face, every skin
        assert len(factors.unique(dim=0)) == 6 and (factors[:, [0, 1, 3]] == factors[0, [0, 1, 3]]).all()
        np.testing.assert_allclose(bars["x"], contrast[::-1])
        assert contrast[0] > 2 * contrast[-1] if attribute == "smile" else True
        sentence = next(m.value for m in app.markdown if attribute.capitalize() in m.value)
        most = max(lost[attribute], key=lost[attribute].get)
        assert f"lost in {100 * lost[attribute][most]:.1f} % of {most} and" in sentence


def test_an_attribute_that_no_group_loses_is_said_in_one_number():
    app = start("uses", model="faces-vae", use="fairness")
    app.pills(key="fair_attribute").set_value("glasses").run()
    assert any("lost in 0.0 % of faces of every skin colour that have it" in m.value for m in app.markdown)


def test_what_is_lost_is_said_by_the_classifier_and_by_nobody_without_one(monkeypatch):
    x, _ = fairness._images("faces", "smile", 18)
    reconstructed = vae.load("faces-vae").reconstruct(x)
    assert fairness._judged("faces", "smile", x) == ["kept"] * 6
    assert fairness._judged("faces", "smile", reconstructed) == ["kept"] * 4 + ["lost"] * 2
    monkeypatch.setattr(cached, "classifier", lambda data: None)
    assert fairness._judged("faces", "smile", x) == [""] * 6
    assert not start("uses", model="faces-vae", use="fairness").exception


def test_augmentation_is_the_cards():
    app = start("uses", model="fashion-vae-16d", use="augmentation")
    found = store.Store().read_card("fashion-vae-16d").figures["augmentation"]
    (lines,) = [c["data"] for c in charts(app).values()]
    keys = {label: key for key, label in VARIANTS.items()}
    assert {line["name"] for line in lines} == keys.keys()
    for line in lines:
        np.testing.assert_allclose(line["y"], [100 * found[f"{n} {keys[line['name']]}"] for n in downstream.LABELS])


def test_a_damaged_memory_is_told(monkeypatch, tmp_path):
    import shutil

    shutil.copytree(store.PRETRAINED, tmp_path / "pretrained",
        ignore=shutil.ignore_patterns("sprites*", "faces*", "rooms*"))
    (tmp_path / "pretrained" / "mnist-few" / "memory.npz").write_bytes(b"PK")
    memory._memory.clear()
    monkeypatch.setattr(store, "PRETRAINED", tmp_path / "pretrained")
    app = start("uses", model="mnist-few", use="memory")
    assert "memory.npz is missing or damaged" in app.warning[0].value
    memory._memory.clear()


def test_a_visitors_model_comes_back_where_it_was_measured():
    app = start("uses", model="mnist-dvae")
    app.segmented_control(key="use").set_value("memory").run()
    assert app.session_state.model == "mnist-few"
    assert "Digits, denoising VAE" in stand_in_sentences(app)[0]
    app.segmented_control(key="use").set_value("anomalies").run()
    assert app.session_state.model == "mnist-dvae" and not app.exception and not stand_in_sentences(app)
    app.segmented_control(key="use").set_value("memory").run()
    app.selectbox(key="model_picker").select("mnist-vae-16d").run()  # chosen by hand
    app.segmented_control(key="use").set_value("anomalies").run()
    assert app.session_state.model == "mnist-vae-16d"
