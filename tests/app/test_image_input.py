"""The picture component on the server: what the browser sends is checked, used, and told apart from test images."""

import base64
import io
import math
import re
import struct

import numpy as np
import pytest
import torch
from PIL import Image

import vae
from pages.components.bridge import messages
from pages.components.shell import state
from pages.components.widgets import image_input
from vae import store
from vae.data import DATASETS
from vae.metrics.reconstruction import pixel_entropy

from .events import emit, own_picture, send_picture
from .test_pages import components, png, start

NAME = "mnist-vae-16d"


def props(app, key):
    return next(data for data in components(app).values() if data.get("key") == key)


def digit(row=7, data="mnist"):
    return DATASETS[data].load("test").batch([row])[0]


def send(app, key, x, **fields):
    return send_picture(app, key, to_pixels(x), **fields)


def to_pixels(x):
    return (x[0] * 255).round().byte().numpy()


def new_warnings(app):
    """The sentences that app.py shows above the page; a test runs the page alone."""
    found = app.session_state["warnings"] if "warnings" in app.session_state else []
    app.session_state["warnings"] = []
    return found


def frames(app):
    return next(d["sheet"] for d in components(app).values() if d.get("name") == "interpolation in latent space")


def pixels_of(sheet):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet.split(",")[1]))))


def test_the_visitors_picture_is_the_end_of_the_interpolation():
    x = digit()
    app = send(start("interpolate", model=NAME), "interpolate_A", x)
    model = vae.load(NAME)
    first = (model.decode(model.encode(x).mean)[0, 0] * 255).numpy()
    np.testing.assert_allclose(pixels_of(frames(app))[:, :28], first, atol=1)
    assert props(app, "interpolate_A")["choice"] == {"kind": "own", "id": "own-1", "prepared": True}
    assert props(app, "interpolate_A")["caption"] == "your picture"
    assert props(app, "interpolate_B")["choice"]["kind"] == "none"


def code_fields(name=NAME, **fields):
    """What the picture component adds where the browser has encoded the picture: here a code of no image."""
    z = np.linspace(-2, 2, vae.Store().read_card(name).latent_dim).tolist()
    return {"weights": messages.model_id(name), "z": z, "y": None, **fields}


def test_a_code_from_the_browser_is_used_and_nothing_is_encoded(monkeypatch):
    app = start("interpolate", model=NAME)
    encoded = []
    encode = state.encode
    monkeypatch.setattr(state, "encode", lambda x, ys=None: encoded.append(x) or encode(x, ys))
    send(app, "interpolate_A", digit(), **code_fields())
    assert len(encoded) == 1, "image B alone"
    z = torch.tensor([code_fields()["z"]])
    first = (vae.load(NAME).decode(z)[0, 0] * 255).numpy()
    np.testing.assert_allclose(pixels_of(frames(app))[:, :28], first, atol=1)
    app.selectbox(key="model_picker").select("mnist-beta4").run()
    expected = send(start("interpolate", model="mnist-beta4"), "interpolate_A", digit())
    assert frames(app) == frames(expected), "another model encodes the pixels"


FORGED_CODES = {
    "of another model": code_fields("mnist-beta4"), "no weights": code_fields(weights=None),
    "weights are a list": code_fields(weights=[]), "too short": code_fields(z=[0.0] * 15), "no list": code_fields(z=0),
    "not finite": code_fields(z=[None] * 16), "NaN": code_fields(z=[math.nan] * 16),
    "too large": code_fields(z=[1e9] * 16), "texts": code_fields(z=["1"] * 16),
}  # fmt: skip


@pytest.fixture(scope="module")
def frames_without_code():
    return frames(send(start("interpolate", model=NAME), "interpolate_A", digit()))


@pytest.mark.parametrize("fields", FORGED_CODES.values(), ids=FORGED_CODES)
def test_a_forged_code_is_not_used(fields, frames_without_code):
    app = send(start("interpolate", model=NAME), "interpolate_A", digit(), **fields)
    assert frames(app) == frames_without_code and not new_warnings(app)


def test_a_conditional_model_takes_the_code_under_its_class():
    fields = code_fields("mnist-cvae", y=4)
    app = send(start("interpolate", model="mnist-cvae", y=0), "interpolate_A", digit(), **fields)
    (classes,) = [box for box in app.selectbox if box.label == "Class" and "interpolate_A_class" in box.key]
    assert classes.value == 4
    first = (vae.load("mnist-cvae").decode(torch.tensor([fields["z"]]), torch.tensor([0]))[0, 0] * 255).numpy()
    np.testing.assert_allclose(pixels_of(frames(app))[:, :28], first, atol=1)
    mine = frames(app)
    classes.select(5).run()
    assert frames(app) != mine, "under another class the server encodes"
    for y in (None, 10, -1, True, "4"):
        app = send(start("interpolate", model="mnist-cvae", y=0), "interpolate_A", digit(), **{**fields, "y": y})
        assert [box.value for box in app.selectbox if box.label == "Class" and "interpolate_A_class" in box.key] == [9]


@pytest.mark.parametrize("name", [NAME, "mnist-cvae"])
def test_map_places_the_code_from_the_browser_and_encodes_nothing(name, monkeypatch):
    app = start("map", model=name)
    encode = state.encode
    monkeypatch.setattr(state, "encode", lambda x, ys=None: pytest.fail("encoded on the server"))
    fields = code_fields(name, y=4 if name == "mnist-cvae" else None)
    send(app, "map_image", digit(), **fields)
    assert app.session_state.z == pytest.approx(fields["z"], abs=1e-4)
    placed = app.session_state.map_placed[1]
    assert placed.codes.tolist() == [pytest.approx(fields["z"])] and placed.ys.tolist() == [fields["y"] or 0]
    monkeypatch.setattr(state, "encode", encode)
    send(app, "map_image", digit())
    expected = vae.load(name).encode(digit(), placed.ys.new_tensor([9]) if name == "mnist-cvae" else None).mean
    torch.testing.assert_close(app.session_state.map_placed[1].codes, expected, atol=1e-5, rtol=0)


def test_sliders_start_at_the_code_from_the_browser():
    app = start("sliders", model=NAME)
    app.session_state.sliders_image = True  # the expander is open
    app.run()
    send(app, "sliders_start", digit(), **code_fields())
    assert app.session_state.z == pytest.approx(code_fields()["z"], abs=1e-4)
    app.session_state.sliders_image = True  # an AppTest does not keep it open
    app.run()
    send(app, "sliders_start", digit(), **code_fields(z=[None] * 16))
    assert app.session_state.z == pytest.approx(vae.load(NAME).encode(digit()).mean[0].tolist(), abs=1e-4)


def test_test_images_are_picked_and_turned_over():
    app = start("interpolate", model=NAME)
    before = props(app, "interpolate_A")
    assert before["selected"] == 0 and before["caption"] == "test image 0: 7" and before["gallery"]["n"] == 12
    emit(app, "interpolate_A_picture", "pick", 4)
    now = props(app, "interpolate_A")
    assert now["selected"] == 4 and now["caption"].startswith("test image 4: ") and now["choice"]["kind"] == "row"
    assert app.session_state.interpolate_A_row_mnist == 4
    assert now["files"] == messages.model_files(NAME) and now["weights"] == messages.model_id(NAME)
    emit(app, "interpolate_A_picture", "more", True)
    now = props(app, "interpolate_A")
    assert now["selected"] is None and now["gallery"]["labels"][0].endswith("test image 12")
    emit(app, "interpolate_A_picture", "pick", 11)
    assert props(app, "interpolate_A")["caption"].startswith("test image 23: ")


EMPTY = np.zeros((1, 28, 28), np.uint8)
FORGED = {
    "nothing": None, "a text": "x", "a list": [1], "no x": {"data": "mnist"}, "x is a number": own_picture(EMPTY, x=7),
    "no base64": own_picture(EMPTY, x="é!"), "a bomb": own_picture(EMPTY, x="A" * 10**6),
    "too short": own_picture(EMPTY[:, :27]), "too long": own_picture(np.zeros((1, 28, 29), np.uint8)),
    "another shape": own_picture(np.zeros((3, 64, 64), np.uint8)),
}  # fmt: skip


@pytest.mark.parametrize("message", FORGED.values(), ids=FORGED)
def test_a_forged_picture_is_refused_and_the_session_lives(message):
    app = send(start("interpolate", model=NAME), "interpolate_A", digit(3))
    before = frames(app)
    emit(app, "interpolate_A_picture", "own", message)
    assert not app.exception
    assert new_warnings(app) == [image_input.REFUSED]
    assert frames(app) == before and props(app, "interpolate_A")["caption"] == "your picture"


@pytest.mark.parametrize("index", [-1, 12, 10**30, "3", None, 1.5, [2], True])
def test_a_forged_pick_changes_nothing(index):
    app = start("interpolate", model=NAME)
    before = frames(app)
    emit(app, "interpolate_A_picture", "pick", index)
    assert not app.exception and frames(app) == before


def test_a_picture_for_the_model_before_is_ignored():
    app = start("interpolate", model=NAME)
    before = frames(app)
    sprite = np.zeros((1, 64, 64), np.uint8)
    emit(app, "interpolate_A_picture", "own", own_picture(sprite, data="sprites"))
    assert not app.exception and not new_warnings(app) and frames(app) == before


def test_a_picture_stays_through_other_pages_and_models():
    app = send(start("interpolate", model=NAME), "interpolate_A", digit())
    mine = frames(app)
    app.switch_page("pages/sample.py").run()
    app.switch_page("pages/interpolate.py").run()
    assert frames(app) == mine
    app.selectbox(key="model_picker").select("sprites-vae").run()
    # until the browser has prepared it for these data, a test image is in use and named
    now = props(app, "interpolate_A")
    assert now["caption"].startswith("test image 9305")
    assert now["choice"] == {"kind": "own", "id": "own-1", "prepared": False}
    sprite = digit(5, "sprites")
    send(app, "interpolate_A", sprite, data="sprites", restored=True)
    assert props(app, "interpolate_A")["caption"] == "your picture"
    app.selectbox(key="model_picker").select(NAME).run()
    assert frames(app) == mine  # which the server still has


def test_a_link_to_a_test_image_comes_before_the_visitors_picture():
    app = send(start("interpolate", model=NAME), "interpolate_A", digit())
    app.session_state.pending_parameters = {"interpolate_a": "9"}
    app.run()
    now = props(app, "interpolate_A")
    assert now["caption"].startswith("test image 9: ") and now["choice"]["kind"] == "row" and now["selected"] == 9


def test_sliders_starts_from_the_picture_at_once_but_not_from_a_restored_one():
    app = start("sliders", model=NAME)
    app.session_state.sliders_image = True  # the popover is open
    app.run()
    before = app.session_state.z
    send(app, "sliders_start", digit(), restored=True)
    assert app.session_state.z == before
    send(app, "sliders_start", digit())
    z = vae.load(NAME).encode(digit()).mean[0]
    np.testing.assert_allclose(app.session_state.z, z, atol=1e-3)
    app.session_state.sliders_image = True  # an AppTest does not keep it open
    app.run()
    emit(app, "sliders_start_picture", "pick", 3)
    np.testing.assert_allclose(app.session_state.z, vae.load(NAME).encode(digit(3)).mean[0], atol=1e-3)


def test_the_class_of_a_picture_is_the_likeliest_until_another_is_chosen():
    app = send(start("compare", model="mnist-cvae"), "compare_image", digit(3))  # a nought
    (select,) = [s for s in app.selectbox if s.label == "Class"]
    assert select.value == 0
    select.select(4).run()
    assert not app.exception
    assert next(s for s in app.selectbox if s.label == "Class").value == 4


def test_the_remark_compares_the_picture_with_test_images():
    model = vae.load(NAME)
    encoded = store.Store().read_map(NAME)
    x, _ = DATASETS["mnist"].load("test").batch(encoded.rows)
    excesses = encoded.recon - pixel_entropy(x).numpy()
    for x in (digit(), torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))):
        x = (x * 255).round() / 255
        error = float(-model.likelihood(model.encode(x).mean).log_prob(x))
        excess = error - float(pixel_entropy(x))
        remark = props(send(start("interpolate", model=NAME), "interpolate_A", x), "interpolate_A")["remark"]
        assert f"{error:.0f} nats (excess {excess:.0f})" in remark
        percentile = 100 * (excesses < excess).mean()
        assert remark.startswith("Unusually high") == (percentile > 99)
        share = 100 if "all test images" in remark else int(re.search(r"(\d+) % of test images", remark)[1])
        assert abs(share - percentile) < 3, "compared with a sample of them"


def test_a_drawing_of_few_greys_has_an_unusual_error_for_faces():
    """Its cross-entropy is lower than that of most faces, whose many grey pixels cost nats in any reconstruction."""
    x = torch.ones(1, 3, 64, 64)
    x[..., 20:24, 20:44] = x[..., 24:50, 36:40] = 0.0625
    app = send(start("interpolate", model="faces-vae"), "interpolate_A", x, data="faces")
    assert props(app, "interpolate_A")["remark"].startswith("Unusually high")


def test_a_test_image_has_no_remark():
    assert props(start("interpolate", model=NAME), "interpolate_A")["remark"] == ""


def decoded_message(app):
    found = [e.proto.bytes for e in app.get("bidi_component") if e.proto.component_name == "picture_decoded"]
    return next((content for content in found if content), b"")


def test_a_file_is_decoded_for_a_browser_that_alters_pixels():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))
    app = start("interpolate", model=NAME)
    emit(app, "interpolate_A_picture", "file", {
        "id": "f1", "name": "photo.png", "content": base64.b64encode(png(image)).decode(),
    })  # fmt: skip
    assert not app.exception and not new_warnings(app)
    assert props(app, "interpolate_A")["answer"] == {"id": "f1", "error": "", "width": 60, "height": 40}
    content = decoded_message(app)
    (size,) = struct.unpack("<I", content[:4])
    assert content[4 + size :] == image.tobytes()
    assert props(app, "interpolate_A")["caption"].startswith("test image 0")  # until the browser sends x


def test_a_file_that_cannot_be_used_is_answered_with_a_sentence():
    app = start("interpolate", model=NAME)
    emit(app, "interpolate_A_picture", "file", {"id": "f1", "content": base64.b64encode(b"%PDF-1.7 x").decode()})
    answer = props(app, "interpolate_A")["answer"]
    assert answer["id"] == "f1" and answer["error"].endswith(".") and decoded_message(app) == b""
    for forged in (None, {}, {"content": 3}, {"content": "é"}):
        emit(app, "interpolate_A_picture", "file", forged)
        assert new_warnings(app) == [image_input.REFUSED]


def test_binary_data_get_binary_pixels():
    x = torch.full((1, 1, 28, 28), 0.6)
    app = send(start("interpolate", model="mnist-vae-bin"), "interpolate_A", x, data="mnist-binary")
    assert set(base64.b64decode(props(app, "interpolate_A")["x"])) == {255}


def test_the_map_places_the_picture(monkeypatch):
    app = send(start("map", model=NAME), "map_image", digit())
    np.testing.assert_allclose(app.session_state.z, vae.load(NAME).encode(digit()).mean[0], atol=1e-3)
    assert any(m.value.startswith("**Your picture**: excess reconstruction error of") for m in app.markdown)


def test_errors_are_the_negative_log_likelihood_of_each_image(monkeypatch):
    model = vae.load(NAME)
    monkeypatch.setattr(state, "model", lambda: model)
    x = torch.cat([digit(1), digit(2)])
    z = model.encode(x).mean
    logits = model.decode_logits(z)
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum((1, 2, 3))
    np.testing.assert_allclose(state.reconstruction_errors(x, z), wanted, rtol=1e-5)
