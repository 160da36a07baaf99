"""Home's model at work: which one it shows, with what, and what is taken along to Sliders."""

import base64
from types import SimpleNamespace

import numpy as np
import pytest

import vae
from pages.components.bridge import messages
from pages.components.home import autoencoder as home
from pages.components.shell import cached, navigation, state
from vae.data import DATASETS

from .test_pages import payload, start


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
