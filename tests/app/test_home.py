"""Home: the model at work, the ideas, the filters over all models, and what each page is for."""

import base64
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import vae
from pages.components.bridge import messages
from pages.components.home import autoencoder as home
from pages.components.home import catalogue, idea_pictures
from pages.components.home.guide import PURPOSES
from pages.components.home.ideas import IDEAS, PICTURES
from pages.components.shell import cached, navigation, state
from vae.data import DATASETS

from .test_pages import ROOT, payload, start


@pytest.mark.parametrize("name", ["mnist-vae-2d", "glyphs-cvae", "faces-vae", "mnist-ladder", "mnist-ae-16d"])
def test_the_current_model_and_point_are_shown(name):
    app = start(model=name)
    data, card = payload(app, "images", "dims"), vae.load(name).card
    assert data["model"] == name and data["z"] == list(app.session_state.z) and data["y"] == app.session_state.y
    assert [dim["index"] for dim in data["dims"]] == cached.dimension_order(name)[:2]
    assert all(dim["low"] < dim["high"] for dim in data["dims"])
    assert data["gaussian"] == (name not in ("mnist-ladder", "mnist-ae-16d")) and data["draw"] == (name != "faces-vae")
    split, info = DATASETS[card.data].load("test"), DATASETS[card.data]
    assert len(data["images"]) == home.N_IMAGES
    assert base64.b64decode(data["images"][0]["x"]) == split.render(np.array([info.start])).tobytes()
    labels = {image["label"].partition(": ")[2] for image in data["images"]}
    assert len(labels) == min(home.N_IMAGES, len(set(split.labels.tolist())))
    assert bool(data["classes"]) == (name == "glyphs-cvae")


def test_a_model_of_whole_numbers_gives_way_to_the_default_one():
    app = start(model="mnist-vqvae")
    data = payload(app, "images", "dims")
    assert app.session_state.model == "mnist-vqvae" and data["model"] == "mnist-vae-2d"
    assert data["z"] == pytest.approx(vae.store.Store().first_view(vae.load("mnist-vae-2d").card)["start"]["z"])


class Session(dict):
    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__


@pytest.mark.parametrize("current", ["mnist-cvae", "mnist-vae-2d"])
def test_z_is_taken_along_to_sliders(monkeypatch, current):
    session = Session(model=current, weights="", y=3, z=(0.0,) * vae.load(current).latent_dim)
    for module in (state, home, navigation):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=session))
    monkeypatch.setattr(state, "ensure_entry_point", lambda: None)
    card = cached.card("mnist-cvae")
    sent = {"model": "mnist-cvae", "z": [0.25] * card.latent_dim, "y": 7}
    wild = [None, {}, {**sent, "model": "mnist-vae-2d"}, {**sent, "z": [1.0]}, {**sent, "z": "0.25"}]
    for value in wild:
        monkeypatch.setattr(messages, "sent", lambda key, event, value=value: value)
        home._open(card)
        assert session.model == current and set(session.z) == {0.0} and "next_page" not in session
    monkeypatch.setattr(messages, "sent", lambda key, event: sent)
    home._open(card)
    assert session.model == "mnist-cvae" and session.z == (0.25,) * card.latent_dim and session.y == 7
    assert session.next_page == "pages/sliders.py"
    assert session.weights == (card.weights_hash if current != card.name else "")


@pytest.mark.parametrize("key", IDEAS)
def test_an_idea_opens_its_page_with_its_model(key):
    idea = IDEAS[key]
    app = start()
    next(b for b in app.button if b.key == f"open_{key}").click().run()
    assert app.session_state.model == idea.model and not app.exception and not app.warning
    assert app.session_state.y == int(idea.parameters.get("y", app.session_state.y))
    # AppTest stays on the script it runs; the page itself takes the rest of the parameters
    app.switch_page(f"pages/{idea.page}.py").run()
    assert not app.exception and not app.error and not app.warning, idea.page
    for parameter, value in idea.parameters.items():
        if parameter != "y":
            assert str(app.session_state[f"{parameter}_row_fashion-mnist"]) == value


@pytest.mark.parametrize("key", IDEAS)
def test_the_picture_of_an_idea_is_what_its_model_decodes(key):
    made = np.asarray(idea_pictures.picture(key).convert("RGB"), float)
    stored = np.asarray(Image.open(PICTURES / f"{key}.webp").convert("RGB"), float)
    assert stored.shape == made.shape and np.abs(stored - made).mean() < 6  # of 255; WebP is lossy


def shown_models(app):
    return {b.key.removeprefix("explore_") for b in app.button if b.label == "Explore"}


def test_filters_and_search_find_models():
    app = start()
    assert not shown_models(app) and next(s for s in app.header if s.value.startswith("All "))
    cards = {card.name: card for card in vae.available()}
    app.session_state.home_data = "rooms"
    app.run()
    assert shown_models(app) == {name for name, card in cards.items() if card.data == "rooms"}
    app.session_state.home_family = "ae"
    app.run()
    assert shown_models(app) == {"rooms-ae"}
    app.session_state.home_data = app.session_state.home_family = None
    app.session_state.home_search = "ADA 10-d"
    app.run()
    assert shown_models(app) == {"rooms-ada", "sprites-ada"}
    app.session_state.home_search = "no such word"
    app.run()
    assert not shown_models(app) and any("No model matches" in i.value for i in app.info)


@pytest.mark.parametrize(
    ("label", "some", "none"),
    [
        ("A latent space of two dimensions", "mnist-ae-2d", "mnist-vae-16d"),
        ("Disentanglement", "sprites-vae", "mnist-vae-2d"),
        ("Class-conditional samples", "glyphs-cvae", "mnist-vae-2d"),
        ("Attribute directions", "faces-vae", "rooms-vae"),
        ("Discrete codes", "mnist-vqvae", "mnist-vae-2d"),
        ("Several levels of latent codes", "mnist-ladder", "mnist-vae-2d"),
        ("No prior", "mnist-ae-2d", "mnist-vae-2d"),
        ("A bound on log p(x)", "mnist-vamp", "mnist-vae-2d"),
    ],
)
def test_what_a_model_shows(label, some, none):
    keep = catalogue.SHOWS[label]
    assert keep(cached.card(some)) and not keep(cached.card(none))


def test_every_label_of_what_models_show_is_tested():
    (mark,) = test_what_a_model_shows.pytestmark
    assert {label for label, _, _ in mark.args[1]} == set(catalogue.SHOWS)


def test_the_guide_names_every_page():
    assert {*PURPOSES, "home"} == {path.stem for path in (ROOT / "pages").glob("*.py")}
    captions = [c.value for c in start().caption]
    assert [purpose for purpose in captions if purpose in PURPOSES.values()] == list(PURPOSES.values())
