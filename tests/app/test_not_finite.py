"""A model that returns NaN or infinity: the page says so, shows no number of an earlier image and goes on."""

import io
import json
import math
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from pages.components.bridge import messages
from pages.components.map import scatter
from pages.components.shell import cached, state
from pages.components.uses import anomalies
from pages.components.widgets import collection
from vae.browser.messages import without_nan
from vae.data import DATASETS, pictures
from vae.models.base import diagonal_normal

from .events import send_picture
from .test_map import the_map
from .test_map import upload as upload_to_map
from .test_pages import components, payload, png, start

SENTENCE = "returns a value that is not a finite number"
NAME = "mnist-vae-2d"
BRIGHT = np.zeros((28, 28), np.uint8)  # no digit is so bright: the encoders below break on it
BRIGHT[2:-2, 2:-2] = 255
BRIGHT = png(Image.fromarray(BRIGHT))


def digit(row=3):
    x, _ = DATASETS["mnist"].load("test").batch([row])
    return png(pictures.to_image(pictures.to_uint8(x)[0]))


def break_encoder(monkeypatch, name, value=math.nan):
    """Let a model's posterior means be `value` for bright images."""
    model = cached.model(name)
    encode = model.encode

    def broken(x, y=None):
        q = encode(x, y)
        bright = x.mean((1, 2, 3), keepdim=True)[..., 0, 0] > 0.5  # (B, 1)
        return diagonal_normal(q.mean.masked_fill(bright, value), q.stddev)

    monkeypatch.setitem(model.__dict__, "encode", broken)


def break_decoder(monkeypatch, name):
    """Let a model's logits be NaN where the first dimension of z is above 3."""
    model = cached.model(name)
    decode_logits = model.decode_logits

    def broken(z, y=None):
        return torch.where(z[:, :1, None, None] > 3, math.nan, decode_logits(z, y))

    monkeypatch.setitem(model.__dict__, "decode_logits", broken)


def said(app):
    return [element.value for element in app.warning if SENTENCE in element.value]


def complaints(app):
    """What app.py will say above the page: AppTest runs it once, and then pages alone."""
    return app.session_state.warnings if "warnings" in app.session_state else []


def grid(app, name):
    return next((data for data in components(app).values() if data.get("name", "").startswith(name)), None)


def headers(app):
    """What the browser gets besides pictures; fails on JSON that it would refuse."""
    refuse = lambda name: pytest.fail(f"{name} was sent to the browser")  # noqa: E731
    found = []
    for element in app.get("bidi_component"):
        if element.proto.json:
            json.loads(json.loads(element.proto.json)["props"], parse_constant=refuse)
        elif element.proto.bytes:
            (size,) = struct.unpack("<I", element.proto.bytes[:4])
            found.append(json.loads(element.proto.bytes[4 : 4 + size], parse_constant=refuse))
    return found


def upload(app, key, content):
    return send_picture(app, key, np.asarray(Image.open(io.BytesIO(content)))[None])


both = pytest.mark.parametrize("value", [math.nan, math.inf])


def with_images(app):
    """Sliders with its popover of images open."""
    app.session_state.sliders_image = True
    return app.run()


@both
def test_sliders_keeps_the_visitors_point(monkeypatch, value):
    break_encoder(monkeypatch, NAME, value)
    app = start("sliders", model=NAME)
    before = app.session_state.z
    upload(with_images(app), "sliders_start", BRIGHT)
    assert app.session_state.z == before
    (sentence,) = complaints(app)
    assert "not a finite number" in sentence and "z did not change" in sentence
    headers(app)
    app.switch_page("app.py").run()
    assert [w.value for w in app.warning] == [sentence]
    app.run()
    assert not app.warning  # said once
    app.switch_page("pages/sliders.py").run()
    upload(with_images(app), "sliders_start", digit())
    assert not complaints(app) and app.session_state.z != before


@both
def test_interpolate_shows_nothing_until_the_next_image(monkeypatch, value):
    break_encoder(monkeypatch, NAME, value)
    app = upload(start("interpolate", model=NAME), "interpolate_B", BRIGHT)
    assert said(app) == [state.NOT_FINITE.format("for image B")]
    assert grid(app, "interpolation") is None and not app.get("plotly_chart")
    headers(app)
    upload(app, "interpolate_B", digit())
    assert not app.warning and grid(app, "interpolation")["missing"] == []


@both
def test_map_leaves_the_image_out_and_places_the_others(monkeypatch, value):
    break_encoder(monkeypatch, NAME, value)
    app = start("map", model=NAME)
    before = app.session_state.z
    upload_to_map(app, ("bright.png", BRIGHT))
    assert said(app) == [f"bright.png: {state.NOT_FINITE.format('for this image')}"]
    assert app.session_state.z == before and not the_map(app)["marks"]
    headers(app)
    upload_to_map(app, ("bright.png", BRIGHT), ("digit.png", digit()), ("again.png", BRIGHT))
    assert said(app) == [f"bright.png, again.png: {state.NOT_FINITE.format('for these images')}"]
    assert len(the_map(app)["marks"]) == 1 and app.session_state.z != before
    assert any(m.value.startswith("**digit.png**: ") for m in app.markdown)


@both
def test_compare_says_it_in_the_models_own_column(monkeypatch, value):
    break_encoder(monkeypatch, NAME, value)
    app = upload(start("compare", model=NAME, beside="mnist-ae-2d"), "compare_image", BRIGHT)
    assert said(app) == [state.NOT_FINITE.format("for this image")]
    assert grid(app, "Digits, VAE, 2-D")["n"] == 1  # the image alone
    assert grid(app, "Digits, autoencoder, 2-D: image and reconstruction")["n"] == 3
    assert sum("Reconstruction error **" in m.value for m in app.markdown) == 1
    headers(app)
    upload(app, "compare_image", digit())
    assert not app.warning and grid(app, "Digits, VAE, 2-D: image and reconstruction")["n"] == 3


@both
def test_an_outlier_score_that_is_no_number_is_none(monkeypatch, value):
    name = "mnist-vae-16d"
    anomalies._scored_images.clear()
    app = start("uses", model=name, use="anomalies")
    break_encoder(monkeypatch, name, value)
    upload(app, "anomaly_image", BRIGHT)
    assert said(app) == [state.NOT_FINITE.format("for this image")]
    assert not any("of 400 test images" in m.value for m in app.markdown)
    upload(app, "anomaly_image", digit())
    assert not app.warning and any("of 400 test images" in m.value for m in app.markdown)
    assert anomalies._text(anomalies.NO_SCORE) == "not a finite number"


def test_denoising_leaves_the_picture_out_with_its_decibels(monkeypatch):
    name = "mnist-vae-16d"
    break_encoder(monkeypatch, name)
    app = start("uses", model=name, use="denoising")
    app.slider(key="denoise_std").set_value(0.0).run()
    upload(app, "denoise_image", BRIGHT)
    shown = grid(app, "the original, with noise, and denoised")
    assert [shown["labels"][i] for i in shown["missing"]] == ["Digits, VAE, 16-D"]
    assert "1 of these 4 images holds a value that is not a finite number" in shown["note"]
    assert not any("nan" in caption for caption in shown["captions"])
    headers(app)


def test_a_model_without_a_code_for_the_picture_starts_at_the_priors_mean(monkeypatch):
    model = cached.model("mnist-vae-16d")
    encode = model.encode
    monkeypatch.setitem(
        model.__dict__, "encode", lambda x, y=None: diagonal_normal(encode(x).mean * math.nan, encode(x).stddev)
    )
    app = start("sliders", model=NAME)
    app.selectbox(key="model_picker").select("mnist-vae-16d").run()
    assert not app.exception and app.session_state.z == (0.0,) * 16
    (sentence,) = complaints(app)
    assert "z starts at the mean of the prior" in sentence
    # a link of its own finds no code of the first image either, unless it was encoded when the model was saved
    monkeypatch.setattr(cached, "first_view", lambda name, card: {})
    assert start("sliders", model="mnist-vae-16d").session_state.z == (0.0,) * 16
    app.selectbox(key="model_picker").select(NAME).run()
    assert not app.exception and len(complaints(app)) == 1 and len(app.session_state.z) == 2


def test_true_factors_are_not_remembered_of_a_code_that_was_refused(monkeypatch):
    app = start("disentangle", model="sprites-vae")
    model = cached.model("sprites-vae")
    encode, before = model.encode, app.session_state.z
    monkeypatch.setitem(
        model.__dict__, "encode", lambda x, y=None: diagonal_normal(encode(x).mean * math.nan, encode(x).stddev)
    )
    x = app.select_slider(key="factor_sprites_3")
    x.set_value(x.options[-1] if str(x.options[-1]) != str(x.value) else x.options[0]).run()
    assert not app.exception and app.session_state.z == before
    assert said(app) == [state.NOT_FINITE.format("for one of these images")]
    assert "z did not change" in complaints(app)[0]
    assert "factors" not in app.session_state


def test_a_decoder_that_fails_at_a_point(monkeypatch):
    break_decoder(monkeypatch, NAME)
    app = start("sliders", model=NAME, z="4,0")
    panel = payload(app, "dims", "pixels")
    assert panel["pixels"] == "" and SENTENCE in panel["no_number"]
    strips = grid(app, "traversals")
    assert len(strips["missing"]) >= 9 and "hold a value that is not a finite number" in strips["note"]
    assert said(app) == [state.NOT_FINITE.format("for this image")]  # of what the encoder says of it
    headers(app)
    app.switch_page("pages/sample.py").run()
    assert not app.exception and not said(app)
    assert payload(app, "caption", "files")["no_number"] == state.NOT_FINITE.format("at the current z")
    assert not start("sliders", model=NAME, z="0,0").warning


def test_a_picture_that_is_none_is_not_taken_to_another_model(monkeypatch):
    break_decoder(monkeypatch, NAME)
    app = start("sliders", model=NAME, z="4,0")
    app.selectbox(key="model_picker").set_value("mnist-vae-16d").run()
    assert not app.exception and app.session_state.model == "mnist-vae-16d"
    app.selectbox(key="model_picker").set_value(NAME).run()
    assert not app.exception and not complaints(app)


def test_answers_list_the_pictures_that_are_missing():
    drawn = torch.rand(3, 1, 2, 2)
    drawn[1, 0, 0, 0] = math.nan
    message = messages.pictures_message({"panel": "a", "seq": math.inf}, lambda: drawn)
    (size,) = struct.unpack("<I", message[:4])
    header = json.loads(message[4 : 4 + size], parse_constant=pytest.fail)
    assert header["missing"] == [1] and header["seq"] is None
    assert pictures.to_uint8(drawn)[1, 0, 0, 0] == 128  # grey, as gaps are
    assert without_nan({"a": (1, math.nan, [-math.inf, 2.5]), "b": "x"}) == {"a": [1, None, [None, 2.5]],
        "b": "x"}


def test_errors_of_an_own_map_that_are_not_finite():
    shown = collection.from_test_images(NAME)
    recon = shown.encoded.recon.copy()
    recon[:3] = math.nan, math.inf, -math.inf
    own = replace(shown, encoded=replace(shown.encoded, recon=recon))
    message = collection.points_message(own)
    (size,) = struct.unpack("<I", message[:4])
    start_of = 4 + size + 4 * own.encoded.codes.size
    assert np.frombuffer(message[start_of : start_of + 8], np.float32).tolist() == [math.inf, math.inf]
    colouring = scatter._colouring(own, "reconstruction error")
    assert math.isfinite(colouring["low"]) and colouring["low"] < colouring["high"] < math.inf
    own = replace(shown, encoded=replace(shown.encoded, recon=np.full_like(recon, math.nan)))
    assert scatter._colouring(own, "reconstruction error")["high"] == 0
