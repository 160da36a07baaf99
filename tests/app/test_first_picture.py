"""The first picture of a page needs neither torch nor what takes long to import."""

import json
import subprocess
import sys

import pytest

from tests.app.test_pages import ROOT

PAGES = ["sliders", "sample", "map"]
MODELS = ["mnist-vae-16d", "sprites-btcvae", "faces-vae", "glyphs-cvae", "mnist-ladder", "mnist-iaf"]
# One process opens every page with every model: what one needs of torch cannot have come with another.
RUN = f"""
import json, sys
from streamlit.testing.v1 import AppTest

for name in ("torch", "sklearn", "scipy", "segno"):
    sys.modules[name] = None  # an import of it raises

def shown(app):
    sent = [json.loads(json.loads(e.proto.json)["props"]) for e in app.get("bidi_component") if e.proto.json]
    return {{
        "props": sent, "pictures": len(app.get("image")), "buttons": [b.label for b in app.button],
        "error": [e.message for e in app.exception], "z": app.session_state.z,
    }}

found = {{}}
for model in {MODELS!r}:
    app = AppTest.from_file({str(ROOT / "app.py")!r}, default_timeout=60)
    app.query_params["model"] = model
    found[f"{{model}} home"] = shown(app.run())
    for page in [*{PAGES!r}, "inside"]:
        # Streamlit shows what a page sent before its import failed
        found[f"{{model}} {{page}}"] = shown(app.switch_page(f"pages/{{page}}.py").run())
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found():
    """What pages show in a process where torch cannot be imported, by "model page"."""
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, encoding="utf-8", cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    errors = {error for shown in found.values() for error in shown["error"]}
    assert not errors or "import of torch halted" in done.stderr
    return found


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("model", MODELS)
def test_a_page_sends_its_picture_before_torch_is_needed(found, page, model):
    shown = found[f"{model} {page}"]
    (props,) = [p for p in shown["props"] if "files" in p and "z" in p]
    assert props["files"].keys() == {"network", "weights", "samples"} and props["pixels"] == ""
    assert props["weights"].startswith(f"{model} ")
    assert props["z"] == list(shown["z"]) and any(props["z"])
    # and then the page goes on to what computes
    assert shown["error"]


@pytest.mark.parametrize("model", MODELS)
def test_inside_sends_its_picture_before_torch_is_needed(found, model):
    shown = found[f"{model} inside"]
    if model in ("mnist-ladder", "mnist-iaf"):  # a posterior of another kind: torch encodes for the stand-in
        assert shown["error"] and not [p for p in shown["props"] if "drawing" in p]
        return
    (props,) = [p for p in shown["props"] if "drawing" in p]
    assert props["files"].keys() == {"network", "weights", "samples"} and props["code"]["q"]["source"]
    assert props["drawing"] == (model != "faces-vae") and (props["x"] is None) == props["drawing"]
    assert shown["error"]


@pytest.mark.parametrize("model", MODELS)
def test_home_needs_no_torch_at_all(found, model):
    shown = found[f"{model} home"]
    assert not shown["error"]
    assert shown["pictures"] == 6 and len([b for b in shown["buttons"] if b.startswith("Open ")]) == 6
    (props,) = [p for p in shown["props"] if "images" in p]
    assert props["files"].keys() == {"network", "weights", "samples"}
    if model == props["model"]:
        assert props["z"] == list(shown["z"])
    assert len(props["images"]) == 8


@pytest.mark.slow
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
