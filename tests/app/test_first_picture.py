"""The first picture of a page needs neither torch nor scikit-learn."""

import subprocess
import sys

import pytest

from tests.app.test_pages import ROOT

# Streamlit shows what a page sent before its import failed
RUN = """
import json, sys
from streamlit.testing.v1 import AppTest

for name in ("torch", "sklearn"):
    sys.modules[name] = None  # an import of it raises

app = AppTest.from_file({app!r}, default_timeout=60)
for key, value in {query!r}.items():
    app.query_params[key] = value
app.run()
if {page!r} != "home":
    app.switch_page("pages/{page}.py").run()
shown = [json.loads(json.loads(e.proto.json)["props"]) for e in app.get("bidi_component") if e.proto.json]
print(json.dumps({{
    "props": shown, "pictures": len(app.get("image")), "buttons": [b.label for b in app.button],
    "error": [e.message for e in app.exception], "z": app.session_state.z,
}}))
"""
MODELS = ["mnist-vae-16d", "sprites-btcvae", "faces-vae", "glyphs-cvae", "mnist-ladder", "mnist-iaf"]


def first(page, **query):
    import json

    code = RUN.format(app=str(ROOT / "app.py"), page=page, query=query)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not found["error"] or "import of torch halted" in done.stderr
    return found


@pytest.mark.parametrize("page", ["sliders", "sample", "map"])
@pytest.mark.parametrize("model", MODELS)
def test_a_page_sends_its_picture_before_torch_is_needed(page, model):
    found = first(page, model=model)
    (props,) = [p for p in found["props"] if "files" in p and "z" in p]
    assert props["files"].keys() == {"network", "weights", "samples"} and props["pixels"] == ""
    assert props["z"] == list(found["z"]) and any(props["z"])
    # and then the page goes on to what computes
    assert found["error"]


@pytest.mark.parametrize("model", ["mnist-vae-2d", "mnist-vae-16d", "sprites-btcvae", "faces-vae", "glyphs-cvae"])
def test_inside_sends_its_picture_before_torch_is_needed(model):
    found = first("inside", model=model)
    (props,) = [p for p in found["props"] if "drawing" in p]
    assert props["files"].keys() == {"network", "weights", "samples"} and props["code"]["q"]["source"]
    assert props["drawing"] == (model != "faces-vae") and (props["x"] is None) == props["drawing"]
    assert found["error"]


def test_home_needs_no_torch_at_all():
    found = first("home")
    assert not found["error"]
    assert found["buttons"].count("Explore") == 36 and found["pictures"] == 36
    (props,) = [p for p in found["props"] if "images" in p]
    assert props["model"] == "mnist-vae-2d" and props["files"].keys() == {"network", "weights", "samples"}
    assert props["z"] == list(found["z"]) and len(props["images"]) == 6 and props["draw"]


def test_the_start_of_a_link_without_z_is_the_code_of_the_first_image():
    """What network.json says of it, and what the encoder says."""
    import numpy as np
    import torch

    import vae
    from vae import store
    from vae.data import DATASETS

    for card in store.shipped().available():
        start = store.shipped().first_view(card)["start"]
        model, info = vae.load(card.name), DATASETS[card.data]
        x, labels = info.load("test").batch([info.start])
        with torch.no_grad():
            z = model.encode(x, labels if model.num_classes else None).mean[0]
        np.testing.assert_allclose(start["z"], z.numpy(), atol=1e-5, err_msg=card.name)
        assert start["y"] == (int(labels[0]) if model.num_classes else 0)
