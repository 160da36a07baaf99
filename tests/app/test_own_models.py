"""Models in the user's own folder, which come, change and go while the app runs."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from tests.app.test_pages import PAGES, components, start
from vae import store
from vae.models import FAMILIES

SHIPPED = ("mnist-vae-2d", "mnist-vae-16d")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """An empty user's folder, and two shipped models."""
    from pages.components.shell import cached

    for name in SHIPPED:
        shutil.copytree(store.PRETRAINED / name, tmp_path / "pretrained" / name)
    monkeypatch.setattr(store, "PRETRAINED", tmp_path / "pretrained")
    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    cached.refresh()
    yield tmp_path / "home"
    monkeypatch.undo()
    cached.refresh()


def add(own, name, source="mnist-vae-2d", **changes):
    """Copy a shipped model into the user's folder under another name."""
    shutil.copytree(store.PRETRAINED / source, own / name)
    path = own / name / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**card, "name": name, "title": f"Mine: {name}", **changes}), encoding="utf-8")


def a_page():
    """What every run of app.py does around a page. (After AppTest.switch_page, app.py itself is not run again.)"""
    from pages.components.shell import link
    from pages.components.shell.model_picker import model_picker

    link.begin_run()
    link.show_warnings()
    model_picker()


def session(**query):
    app = AppTest.from_function(a_page, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    return rerun(app)


def rerun(app):
    app.run()
    assert not app.exception, app.exception
    return app


def visit_every_page(**query):
    """Yield a visitor's session on each page: one session, since most of a new one's time goes into Home."""
    app = start(**query)
    for page in PAGES:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, (page, app.exception)
        yield app


def titles(app):
    return [text.split(" · ")[0] for text in app.selectbox(key="model_picker").options]


def test_a_model_appears_while_the_app_runs_and_goes_with_a_sentence(own):
    app = session(model="mnist-vae-16d")
    assert not any("Mine" in title for title in titles(app))
    add(own, "mine")
    rerun(app)
    assert "Mine: mine" in titles(app) and not app.warning
    app.selectbox(key="model_picker").set_value("mine").run()
    assert app.session_state.model == "mine"
    assert all(visit.session_state.model == "mine" for visit in visit_every_page(model="mine"))
    shutil.rmtree(own / "mine")
    rerun(app)
    assert app.session_state.model == "mnist-vae-2d"
    assert [w.value for w in app.warning] == ["The model mine was removed. You see mnist-vae-2d instead."]
    assert not rerun(app).warning
    assert not any("Mine" in title for title in titles(app))


def test_a_fragment_of_a_removed_model_reruns_the_page_which_says_so(own):
    """Streamlit reruns a fragment, and calls its component's callback, without the page around it."""
    add(own, "mine")
    app = AppTest.from_function(a_fragment, default_timeout=60)
    app.query_params["model"] = "mine"
    rerun(app)
    assert [text.value for text in app.markdown] == ["mine has 2 dimensions"]
    shutil.rmtree(own / "mine")
    app.session_state["alone"] = True
    rerun(app)
    assert [text.value for text in app.markdown] == ["mnist-vae-2d has 2 dimensions"]
    assert [w.value for w in app.warning] == ["The model mine was removed. You see mnist-vae-2d instead."]
    assert app.session_state["called"] == ["mine"]


def a_fragment():
    """A page whose run may begin at its fragment, after another session has noticed that a model is gone."""
    import streamlit as st

    from pages.components.bridge.rerun import rerun_if_requested, unless_removed
    from pages.components.shell import cached, link, state

    call = unless_removed(lambda: st.session_state.setdefault("called", []).append(state.card().name))
    if st.session_state.pop("alone", False):
        cached.refresh()
        call()
    else:
        link.begin_run()
        link.show_warnings()
        if not st.session_state.get("called"):
            call()
    rerun_if_requested("a panel")
    st.write(f"{state.card().name} has {state.card().latent_dim} dimensions")


def test_a_map_that_is_fitted_again_changes_what_a_tab_keeps(own):
    """Its weights stay the same, but the posterior samples and the places of the points do not."""
    add(own, "mine")
    path = own / "mine" / "map.npz"

    def kept():
        (panel,) = (d for d in components(start("sliders", model="mine")).values() if "dims" in d)
        (points,) = (d for d in components(start("map", model="mine")).values() if "collection" in d)
        return panel["weights"], panel["files"]["weights"], points["weights"], points["collection"]

    before = kept()
    assert kept() == before
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "sigmas": arrays["sigmas"] * 1.5, "umap": arrays["umap"] + 1})
    after = kept()
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, False, False]


def test_a_model_that_is_damaged_during_the_session_says_why(own):
    add(own, "mine")
    app = session(model="mine")
    weights = own / "mine" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    rerun(app)
    assert "cannot be used any more: its weights are damaged" in app.warning[0].value


def retrain(folder, latent_dim):
    """Replace a model's weights by those of an untrained network of another size."""
    card = store.Store([folder.parent]).read_card(folder.name)
    config = dataclasses.replace(card.model_config(), latent_dim=latent_dim)
    torch.manual_seed(0)
    changed = dataclasses.replace(card, config=dataclasses.asdict(config), latent_dim=latent_dim)
    (folder / "map.npz").unlink()
    store.Store([folder.parent]).save(FAMILIES[card.family](config), changed)


@pytest.mark.parametrize("latent_dim", [2, 5])
def test_a_model_trained_again_during_the_session_shows_its_new_weights(own, latent_dim):
    add(own, "mine")
    app = session(model="mine", z="1,1")
    retrain(own / "mine", latent_dim)
    rerun(app)
    assert len(app.session_state.z) == latent_dim
    assert app.session_state.weights == store.Store().read_card("mine").weights_hash
    assert "has been trained again" in app.warning[0].value
    assert not rerun(app).warning


def test_a_link_to_replaced_weights_says_so_once_and_shows_the_new_ones(own):
    card = store.Store().read_card("mnist-vae-2d")
    app = session(model="mnist-vae-2d", weights="0123abcd", z="1,1")
    assert app.session_state.z == (1.0, 1.0)
    assert [w.value for w in app.warning] == [
        f"{card.title} has been trained again since this link was made, so the images may "
        "differ."
    ]
    assert app.session_state.weights == card.weights_hash
    assert not rerun(app).warning
    assert not session(model="mnist-vae-2d", weights=card.weights_hash, z="1,1").warning


def test_a_data_set_that_only_the_card_describes_is_shown(own):
    rng = np.random.default_rng(0)
    add(own, "mine", data="letters", dataset={"title": "Letters of mine", "classes": ["a", "b"], "noun": "letters"},
        figures={}, protocol={}, recipe={})  # fmt: skip
    app = start("home")
    assert any("letters.npz is missing" in info.value for info in app.info), [i.value for i in app.info]
    (own / "galleries").mkdir()
    images, labels = rng.integers(0, 256, (5000, 28, 28), dtype=np.uint8), np.arange(5000) % 2
    np.savez(own / "galleries" / "letters.npz", images=images, labels=labels)
    app = start("home", model="mine")
    assert "Letters of mine" in app.pills(key="home_data").options
    for visit in visit_every_page(model="mine"):  # on a page that needs known factors another one stands in
        own = visit.session_state["own_place"] if "own_place" in visit.session_state else visit.session_state
        assert own["model"] == "mine"


@pytest.mark.parametrize("change", [
    {"latent_dim": 7}, {"capabilities": {}}, {"networks": {"decode": {}}}, {"first_view": {"place": "1"}},
])  # fmt: skip
def test_a_bad_network_file_is_exported_again(own, change):
    add(own, "mine")
    path = own / "mine" / "network.json"
    network = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**network, **change}), encoding="utf-8")
    app = start("sliders", model="mine", z="1,1")
    assert app.session_state.z == (1.0, 1.0) and "Mine: mine" in titles(app)


def test_a_model_with_fewer_dimensions_than_before_loses_their_names_and_locks(own):
    add(own, "mine", "mnist-vae-16d")
    app = session(model="mine", names="0:slant;12:width")
    app.session_state["locked"] = {"mine": {0, 12}}
    retrain(own / "mine", 5)
    rerun(app)
    assert app.session_state["names"]["mine"] == {0: "slant"} and app.session_state["locked"]["mine"] == {0}


@pytest.mark.parametrize("damage", ["missing", "a file", "rubbish"])
def test_a_bad_folder_leaves_the_shipped_models_and_one_sentence(own, monkeypatch, damage):
    if damage == "missing":
        own.rmdir()
        said = "does not exist"
    elif damage == "a file":
        own.rmdir()
        own.write_text("not a folder", encoding="utf-8")
        said = "cannot be read"
    else:
        (own / "Holiday photos").mkdir()
        (own / "Holiday photos" / "card.json").write_bytes(os.urandom(1000))
        (own / "letters.txt").write_text("rubbish", encoding="utf-8")
        said = "a-z, 0-9 and hyphens"
    app = start("home")
    assert not app.exception and app.session_state.model == "mnist-vae-2d"
    assert [said in info.value for info in app.info] == [True]


def test_the_users_folder_is_not_written(own):
    own.rmdir()
    own.parent.joinpath("home").mkdir()
    assert len(list(visit_every_page())) == len(PAGES)
    assert not list(own.iterdir())


def test_a_shipped_model_is_not_replaced_by_one_of_the_same_name(own):
    add(own, "mnist-vae-2d")
    app = start("sliders", model="mnist-vae-2d")
    assert "Mine: mnist-vae-2d" not in titles(app)
    app.session_state["about"] = True  # the popover is open
    assert any("has the name of another model" in info.value for info in app.run().info)
