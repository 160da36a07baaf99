"""Pages ask a data set for what they need: they serve one that they have never heard of, and do without one
that is gone."""

import json
import shutil

import pytest

from pages.components.shell import cached
from vae import store

from .test_pages import PAGES, start


@pytest.fixture
def a_store(tmp_path, monkeypatch):
    """Two models whose cards name another data set, and one of digits."""
    root = tmp_path / "pretrained"
    for name in ("mnist-vae-16d", "mnist-cvae", "mnist-vae-2d"):
        shutil.copytree(store.PRETRAINED / name, root / name)
    for name in ("mnist-vae-16d", "mnist-cvae"):
        path = root / name / "card.json"
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "data": "stripes"}),
            encoding="utf-8")
    monkeypatch.setattr(store, "PRETRAINED", root)
    cached.st.cache_resource.clear()
    cached.st.cache_data.clear()
    yield root
    cached.st.cache_resource.clear()
    cached.st.cache_data.clear()


def test_a_model_of_a_data_set_that_is_not_registered_is_listed_with_its_reason(a_store):
    app = start("home", model="mnist-vae-16d")
    assert app.session_state.model == "mnist-vae-2d"
    for name in ("mnist-vae-16d", "mnist-cvae"):
        reason = "its test images cannot be read (stripes.npz is missing)"
        assert any(f"**{name}** is unavailable: {reason}" in i.value for i in app.info)
    for page in PAGES:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, app.exception
    app.switch_page("pages/sliders.py").run()
    assert list(app.selectbox(key="model_picker").options) == ["Digits, VAE, 2-D · MNIST · mnist-vae-2d"]


def test_a_model_of_other_images_than_its_data_sets_is_listed_with_its_reason(a_store):
    path = a_store / "mnist-cvae" / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "data": "rooms"}), encoding="utf-8")
    app = start("home")
    assert any("its images are (1, 28, 28), and those of its data set" in i.value for i in app.info)


@pytest.mark.parametrize("name", ["mnist-vae-16d", "mnist-cvae"])
def test_every_page_serves_a_data_set_that_it_has_never_heard_of(a_store, stripes, name):
    app = start("home", model=name)
    assert app.session_state.model == name and not app.info
    assert "Stripes" in app.pills(key="home_data").options
    for page in PAGES:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, (page, app.exception)
    for use in ("anomalies", "denoising", "filling", "labels", "augmentation", "memory"):
        app = start("uses", model=name, use=use)
