"""What a handout holds, how large it is, and what it refuses."""

import base64
import gzip
import json
import re
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vae
from vae import __main__, lessons, store
from vae.browser.bundle import FOLDER
from vae.browser.handout import VIEWS, handout, obstacle, site
from vae.data import DATASETS
from vae.glossary import TERMS

from ...long import some_long

PAIR = ("mnist-vae-16d", "rooms-ada")
LESSON = Path(__file__).parents[2] / "lessons/example.toml"


def unpacked(content: bytes):
    """Return the header of packed content, and the function that returns its bytes by name."""
    packed = gzip.decompress(content)
    (size,) = struct.unpack("<I", packed[:4])
    header, payload = json.loads(packed[4 : 4 + size]), packed[4 + size :]
    return header, lambda name: payload[slice(*header["blobs"][name])]


def content_of(page: str):
    return unpacked(base64.b64decode(re.search(r'id="content">([^<]*)<', page)[1]))


@pytest.fixture(scope="module")
def page():
    return handout(PAIR, {"kl": lessons.read_lesson(LESSON)}, "https://explorer.example")


def test_it_holds_the_weights_bit_for_bit_and_is_small(page):
    header, read = content_of(page)
    weights = [store.Store().read_weight_bytes(store.Store().read_card(name)) for name in PAIR]
    assert [read(model["blobs"]["weights"]) for model in header["models"]] == weights
    assert len(page.encode()) <= 1.35 * sum(map(len, weights)) + 0.8e6


def test_its_images_are_test_images(page):
    header, read = content_of(page)
    for name, described in header["data"].items():
        info = DATASETS[name]
        images = np.frombuffer(read(described["blobs"]["images"]), np.uint8).reshape(-1, *info.image_shape)
        split = info.load("test", download=False)
        np.testing.assert_array_equal(images, split.render(np.array(described["rows"])))
        assert described["rows"][0] == info.start and described["labels"] == split.labels[described["rows"]].tolist()
        assert set(described["labels"]) == set(range(len(info.classes))) or len(info.classes) > len(images)


def test_it_names_model_data_and_licences(page):
    header, _ = content_of(page)
    for model in header["models"]:
        card = store.Store().read_card(model["name"])
        assert (model["title"], model["licence"]) == (card.title, card.licence)
        assert header["data"][card.data]["licence"] == DATASETS[card.data].licence
    assert header["app"] == "https://explorer.example"


def test_the_same_models_give_the_same_file(page):
    assert handout(PAIR, {"kl": lessons.read_lesson(LESSON)}, "https://explorer.example") == page


def test_views_have_every_part_that_a_lesson_looks_at():
    views = {name: (FOLDER / f"host/views/{name}.js").read_text(encoding="utf-8") for name in VIEWS}
    parts = {name: re.findall(r"(\w+): '", re.search(r"parts: \{(.*?)\}", text, re.DOTALL)[1])
             for name, text in views.items() if "parts: {" in text}
    for key, lesson in lessons.read()[0].items():
        for number, step in enumerate(lesson.steps, 1):
            if step.try_.page in VIEWS and not step.try_.app_only:
                assert step.try_.look_at in parts[step.try_.page], f"{key}.{number}"


def test_a_lesson_has_its_figures_and_the_steps_that_fit(page):
    (lesson,) = content_of(page)[0]["lessons"]
    card = vae.load("mnist-vae-16d").card
    assert f"{card.figures['recon']:.1f} nats" in lesson["steps"][0]["reveal"]
    assert lesson["order"] == 2 and [step["number"] for step in lesson["steps"]] == [1, 2]
    assert {step["page"] for step in lesson["steps"]} <= set(VIEWS)
    assert {step["model"] for step in lesson["steps"]} <= set(PAIR)
    assert (len(lesson["steps"]), lesson["more"]) == (2, 2), "one compares models, one asks for a chart"
    with pytest.raises(store.ModelUnavailable, match="lesson kl has no step .* needs mnist-beta4, mnist-vae-16d"):
        handout(["rooms-ada"], {"kl": lessons.read_lesson(LESSON)})


def test_a_prior_that_is_not_gaussian_comes_as_samples():
    header, read = content_of(handout(["mnist-vamp"]))
    (model,) = header["models"]
    samples = np.frombuffer(read(model["blobs"]["prior"]), np.float32).reshape(-1, model["network"]["latent_dim"])
    assert not model["prior"]["gaussian"] and len(samples) == 400 and np.isfinite(samples).all()


@pytest.mark.slow
@pytest.mark.parametrize("card", some_long(vae.available(), vae.available()[::6]), ids=lambda card: card.name)
def test_every_model_has_a_handout_or_a_reason(card):
    reason = obstacle(store.Store().read_network(card.name))
    if reason:
        with pytest.raises(store.ModelUnavailable, match="cannot be in a handout"):
            handout([card.name])
    else:
        page = handout([card.name])
        assert content_of(page)[0]["models"][0]["name"] == card.name
        weights = (store.PRETRAINED / card.name / "model.safetensors").stat().st_size
        assert len(page.encode()) <= 1.35 * weights + 0.8e6


def test_what_cannot_be_in_it_is_named_with_what_would_work():
    with pytest.raises(store.ModelUnavailable, match="mnist-vqvae .* codebook indices.* Choose a model with a cont"):
        handout(["mnist-vqvae"])
    network = {"not_portable": {"encode": "the layer blocks.1 (LSTM) has no translation"}, "capabilities": {}}
    assert "blocks.1 (LSTM)" in obstacle(network) and "would work" in obstacle(network)
    with pytest.raises(store.ModelUnavailable, match="no model named 'missing'"):
        handout(["missing"])


def test_a_small_map_and_a_title_with_markup(tmp_path):
    """As a model of a user's own may have them."""
    folder = tmp_path / "mnist-vae-2d"
    shutil.copytree(store.PRETRAINED / folder.name, folder)
    own = store.Store([tmp_path])
    own.write_map(folder.name, own.read_map(folder.name).take(slice(30)))
    own.write_card(replace(own.read_card(folder.name), title="</title><script>alert(1)</script>"))
    page = handout([folder.name], store=own)
    header, _ = content_of(page)
    assert "<script>alert" not in page and header["title"].startswith("</title>")
    assert [layout["error"] for layout in header["models"][0]["map"]["layouts"]] == [None, None, None]


def test_a_site_has_a_file_for_each_model(tmp_path):
    index, *models, reference = site(PAIR, tmp_path / "site")
    header, _ = content_of(index.read_text(encoding="utf-8"))
    assert header["reference"] == reference.name == "api.html"
    described = [*header["models"], *header["data"].values()]
    assert [one["file"] for one in described] == [path.name for path in models]
    for path, name in zip(models, PAIR, strict=False):
        _, read = unpacked(path.read_bytes())
        assert read("weights") == store.Store().read_weight_bytes(store.Store().read_card(name))
    assert "connect-src 'self'" in index.read_text(encoding="utf-8")


def test_the_command_writes_a_file_and_refuses_in_one_sentence(tmp_path, capsys):
    path = tmp_path / "one.html"
    fits = lambda step: step.try_.page in VIEWS and not step.try_.app_only and lessons.step_models(step) == [PAIR[0]]  # noqa: E731
    key = next(key for key, lesson in lessons.read()[0].items() if any(map(fits, lesson.steps)))
    assert __main__.main(["handout", PAIR[0], "-o", str(path), "--lesson", key]) == 0
    assert path.stat().st_size > 1e5 and "one.html" in capsys.readouterr().out
    assert __main__.main(["handout", "rooms-vqvae", "-o", str(path)]) == 1
    assert capsys.readouterr().err.startswith("error: rooms-vqvae cannot be in a handout: its code is a grid")


def test_each_view_of_the_host_is_a_file_that_goes_by_its_name():
    names = (FOLDER / "host/views.js").read_text(encoding="utf-8")
    listed = re.findall(r"view as (\w+) \} from './views/(\w+)\.js'", names)
    assert {stem for _, stem in listed} == VIEWS and len(listed) == len(VIEWS)
    for name, stem in listed:
        text = (FOLDER / f"host/views/{stem}.js").read_text(encoding="utf-8")
        assert name == stem and f"  name: '{stem}'," in text
        (terms,) = re.findall(r"terms: \[([^]]*)\]", text)
        assert set(re.findall("'([^']+)'", terms)) <= TERMS.keys()
