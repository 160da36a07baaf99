"""Files that pages offer: what is in them, and whose they are."""

import csv
import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import vae
from pages.components.shell import state
from pages.components.widgets import exports

NAME = "mnist-vae-2d"


@pytest.fixture
def files(monkeypatch):
    """{key: content} of the files that a session on a model offers."""
    session = SimpleNamespace(model=NAME, z=(0.5, -1.25), y=0)
    for module in (state, exports):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=session))
    monkeypatch.setattr(state, "ensure_entry_point", lambda: None)
    found = {}
    monkeypatch.setattr(exports, "download", lambda label, make, name, mime, key: found.update({key: make()}))
    return found


def test_a_picture_and_an_animation_name_the_model_and_its_licence(files):
    exports.download_picture("picture")
    exports.download_sheet(np.zeros((4, 1, 28, 28), np.float32), 2, "samples", "sheet")
    card = vae.load(NAME).card
    for key in ("picture", "sheet"):
        text = Image.open(io.BytesIO(files[key])).text["Copyright"]
        assert card.title in text and NAME in text and card.licence in text
    pixels = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.full((1, 8, 8, 1), 100, np.uint8)
    image = Image.open(io.BytesIO(exports.gif(pixels, scale=1, credit=exports.credit())))
    assert image.n_frames == 4 and image.info["comment"].decode() == exports.credit()


def test_a_code_is_a_row_of_numbers_followed_by_the_model_and_its_licence(files):
    exports.download_z("z")
    header, row = csv.reader(io.StringIO(files["z"].decode()))
    assert header == ["z0", "z1", "model", "licence"]
    assert row == ["0.5", "-1.25", NAME, vae.load(NAME).card.licence]
