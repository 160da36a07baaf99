"""Every page with every family of models, and links of every kind, without a browser."""

import base64
import dataclasses
import io
import json
import math
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

import vae
from pages.components.shell import cached, model_picker
from vae import store
from vae.data import DATASETS, pictures
from vae.evaluation.figures import FIGURES

from .events import emit

ROOT = Path(__file__).parents[2]

NAMES = [card.name for card in vae.available()]
PAGES = ["home", "lessons", "sample", "sliders", "interpolate", "map", "train", "disentangle", "inside", "uses",
    "compare", "match", "glossary"]


def start(page="home", **query):
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    if page != "home":
        app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
    return app


def components(app):
    """{key: data} of the browser components on a page."""
    found = {}
    for element in app.get("bidi_component"):
        props = json.loads(json.loads(element.proto.json)["props"]) if element.proto.json else {}  # else bytes
        if props:
            found[element.proto.id] = props
    return found


def payload(app, *fields):
    """The data of the component that has all these fields."""
    (data,) = [d for d in components(app).values() if set(fields) <= d.keys()]
    return data


# one model of each family, a code of two dimensions, and a grid of codes in colour
FIRST = sorted(
    {*{card.family: card.name for card in reversed(vae.available())}.values(), "mnist-vae-2d", "rooms-vqvae"}
)
OF_DATA = {card.data: card.name for card in reversed(vae.available())}
HERE = [page for page in PAGES if page not in ("lessons", "uses", "match")]  # those have files of their own


OFTEN = ("mnist-vae-2d", "mnist-cvae", "rooms-vqvae")  # a plane, classes, a grid of indices; the others are slow


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in OFTEN)) for name in FIRST]
)
def test_every_page_with_every_family(name):
    """One visitor opens one page after the other, as AppTest's runs of the front door cost most."""
    app = start(model=name)
    for page in HERE:
        if page != "home":
            app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, (page, app.exception)
        assert app.title[0].value
        assert not app.error and not app.warning, page
        own = app.session_state["own_place"] if "own_place" in app.session_state else app.session_state
        assert own["model"] == name, page


@pytest.mark.parametrize("name", sorted({*OF_DATA.values()} - {*FIRST}))
def test_sliders_with_every_data_set(name):
    app = start("sliders", model=name)
    assert not app.error and not app.warning and app.session_state.model == name


@pytest.mark.parametrize("name", NAMES)
def test_sliders_of_every_model_have_a_range_and_an_order(name):
    low, high = cached.slider_ranges(name).T
    assert np.isfinite([low, high]).all() and (low <= high).all()
    if not vae.load(name).discrete:  # indices are chosen and not slid
        assert (low < high).all()
        assert sorted(cached.dimension_order(name)) == list(range(vae.load(name).latent_dim))


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_told_with_its_figures_and_protocol(name, monkeypatch):
    texts, small = [], []
    monkeypatch.setattr(model_picker, "st", SimpleNamespace(markdown=texts.append, caption=small.append))
    card = store.Store().read_card(name)
    model_picker.show_details(card)
    (table,) = [text for text in texts if "| figure | this model |" in text]
    for key in ("mig", "dci", "factor_vae_score"):
        if key in card.figures:
            random = card.figures[f"{key}_random"]
            shown = rf"\| {card.figures[key]:.3f}( ± 0\.\d+)? \| {random:.3f} \(random codes\) \|"
            assert re.search(shown, table)
    captions = " ".join(small)
    assert all(text in captions for text in card.protocol.values())
    assert f"{card.recipe['steps']:,} steps" in captions and card.licence in captions
    if card.note:
        assert card.note in texts


def test_the_card_is_shown_on_the_page():
    app = start("sliders", model="rooms-ada")
    app.session_state.about = True  # the popover is open
    app.run()
    assert [m for m in app.markdown if "| figure | this model |" in m.value]
    assert any("`rooms-ada`" in c.value for c in app.caption)


# a plane, a class, a grid of codes, levels, and colour
@pytest.mark.parametrize("name", ["mnist-vae-2d", "mnist-cvae", "mnist-vqvae", "mnist-ladder", "faces-vaegan"])
def test_a_link_shows_the_same_picture_elsewhere(name):
    here = start("sliders", model=name)
    press_random(here)
    s = here.session_state
    link = {"model": name, "z": ",".join(f"{v:g}" for v in s.z), "seed": str(s.seed), "y": str(s.y)}
    there = start("sliders", **link)
    assert there.session_state.z == here.session_state.z
    if vae.load(name).discrete:
        grids = [payload(app, "picture", "places") for app in (here, there)]
        assert grids[0]["picture"] == grids[1]["picture"]
        assert grids[0]["numbers"] == grids[1]["numbers"]
        return
    panels = [payload(app, "dims", "pixels") for app in (here, there)]
    assert panels[0]["pixels"] == panels[1]["pixels"]
    assert panels[0]["z"] == panels[1]["z"]


def test_the_panel_shows_what_the_model_decodes(monkeypatch):
    """Where the browser cannot decode. Where it can, it does: see tests/browser/test_live_panel.py."""
    reason = "this browser runtime has no operation for cumsum"
    file = {**store.Store().read_network("mnist-vae-16d"), "networks": {}, "not_portable": {"decode": reason}}
    assert payload(start("sliders", model="mnist-vae-16d"), "dims", "pixels")["pixels"] == ""
    monkeypatch.setattr(cached, "network", lambda name: file)
    cached.traits.clear()
    try:
        app = start("sliders", model="mnist-vae-16d")
    finally:
        cached.traits.clear()
    pixels, files = (payload(app, "dims", "pixels")[key] for key in ("pixels", "files"))
    assert files == {"reason": reason}
    model = vae.load("mnist-vae-16d")
    expected = model.decode(torch.tensor([app.session_state.z]))[0, 0].numpy() * 255
    shown = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(28, 28)
    np.testing.assert_allclose(shown, expected, atol=0.51)


def test_dimensions_are_ordered_by_kl_and_ranged_by_data():
    panel = payload(start("sliders", model="mnist-vae-16d"), "dims", "pixels")
    kls = [dim["kl"] for dim in panel["dims"]]
    assert kls == sorted(kls, reverse=True)
    assert {dim["index"] for dim in panel["dims"]} == set(range(16))
    assert all(-6 < dim["low"] < -1 and 1 < dim["high"] < 6 for dim in panel["dims"])
    assert panel["shown_first"] < 16


def press_random(app):
    """Sample a code from the prior: by the panel's button, or the page's for a grid of codes."""
    if vae.load(app.session_state.model).discrete:
        next(b for b in app.button if b.label == "Sample z").click().run()
    else:
        emit(app, "live_panel", "random", {"model": app.session_state.model, "level": ""})
    assert not app.exception, app.exception


# test_parse.py has what is wrong with a z or a whole number
@pytest.mark.parametrize(
    "query, said",
    [
        ({"model": "no-such"}, "does not exist"),
        ({"model": "![](http://127.0.0.1/x.png)"}, "does not exist"),
        ({"model": "../../../etc/passwd"}, "does not exist"),
        ({"model": "mnist-vae-2d", "z": "nan,0"}, "1 of the 2 values of its z"),
        ({"model": "mnist-cvae", "y": "12"}, "y must be"),
        ({"seed": "9" * 400}, "seed must be"),
    ],
)
def test_bad_links_get_a_sentence_and_a_working_page(query, said):
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    assert any(said in warning.value for warning in app.warning)
    for page in ("home", "sliders"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception and not app.warning  # told once
        assert all(math.isfinite(v) for v in app.session_state.z)


def test_two_sessions_do_not_leak_into_each_other():
    one, two = start("sliders", model="mnist-vae-2d"), start("sliders", model="mnist-cvae")
    before = (two.session_state.model, two.session_state.z, two.session_state.y)
    press_random(one)
    one.selectbox(key="model_picker").select("fashion-vae-16d").run()
    two.run()
    assert (two.session_state.model, two.session_state.z, two.session_state.y) == before
    assert one.session_state.model == "fashion-vae-16d"
    assert payload(two, "dims", "pixels")["model"] == "mnist-cvae"


def test_the_same_seed_draws_the_same_grid_and_another_another():
    sheets = [sample_sheet(seed) for seed in ("1", "1", "2")]
    assert sheets[0] == sheets[1] != sheets[2]


def sample_sheet(seed):
    app = start("sample", model="mnist-vae-16d", seed=seed)
    return next(d for d in components(app).values() if d.get("name") == "samples")["sheet"]


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_damaged_gallery_takes_its_models_out_and_the_rest_work(tmp_path, monkeypatch, damage):
    from vae.data import idx

    shutil.copy(idx.GALLERIES / "fashion-mnist.npz", tmp_path)
    if damage == "cut off":
        content = (idx.GALLERIES / "mnist.npz").read_bytes()
        (tmp_path / "mnist.npz").write_bytes(content[: len(content) // 2])
    monkeypatch.setattr(idx, "GALLERIES", tmp_path)
    monkeypatch.setattr(idx, "fetch", lambda *arguments: pytest.fail("a download at the start"))
    cached.st.cache_resource.clear()
    try:
        app = start("home")  # whose default model is one of digits
        assert app.session_state.model == "fashion-vae-16d"
        assert any("mnist.npz is" in info.value for info in app.info)
        for page in PAGES if damage == "cut off" else ["sliders"]:
            app.switch_page(f"pages/{page}.py").run()
            assert not app.exception, app.exception
    finally:
        cached.st.cache_resource.clear()


def test_a_damaged_model_is_listed_with_its_reason_and_the_rest_work(tmp_path, monkeypatch):
    for name in ("mnist-vae-2d", "mnist-vae-16d"):
        shutil.copytree(store.PRETRAINED / name, tmp_path / name)
    weights = tmp_path / "mnist-vae-2d" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    (tmp_path / "mnist-vae-16d" / "map.npz").unlink()
    monkeypatch.setattr(store, "PRETRAINED", tmp_path)
    cached.st.cache_resource.clear()
    cached.st.cache_data.clear()
    try:
        app = start("home", model="mnist-vae-2d")
        assert any("damaged" in info.value for info in app.info)
        assert any("unavailable" in warning.value for warning in app.warning)
        assert app.session_state.model == "mnist-vae-16d"
        for page in PAGES:  # and without a map each page still works
            app.switch_page(f"pages/{page}.py").run()
            assert not app.exception, app.exception
    finally:
        cached.st.cache_resource.clear()
        cached.st.cache_data.clear()


# each data set with known factors, each family that has codes of them
FACTOR_MODELS = ["sprites-btcvae", "rooms-ae", "rooms-ada", "faces-vaegan"]


@pytest.mark.parametrize("name", FACTOR_MODELS)
def test_a_true_factor_moves_the_point_to_the_new_images_code(name):
    app = start("disentangle", model=name)
    card, model = store.Store().read_card(name), vae.load(name)
    grid = DATASETS[card.data].grid
    k = grid.names.index("scale" if "scale" in grid.names else "glasses")
    truth = [grid.values[i].index(app.select_slider(key=f"factor_{card.data}_{i}").value)
             for i in range(len(grid.names))]  # fmt: skip
    truth[k] = (truth[k] + grid.sizes[k] // 2) % grid.sizes[k]
    app.select_slider(key=f"factor_{card.data}_{k}").set_value(grid.values[k][truth[k]]).run()
    assert not app.exception
    x = torch.from_numpy(grid.render(np.array([truth]))).float() / 255
    np.testing.assert_allclose(app.session_state.z, model.encode(x).mean[0], atol=1e-4)
    # the factors that were set are the ones that are shown, whatever the code says
    assert app.select_slider(key=f"factor_{card.data}_{k}").value == grid.values[k][truth[k]]
    assert not any("not the code of a rendered image" in c.value for c in app.caption)


def test_another_model_keeps_the_image_that_was_drawn():
    """Models are compared on one image, and not on what the one made of it for the other."""
    app = start("disentangle", model="rooms-vae")
    app.select_slider(key="factor_rooms_4").set_value("sphere").run()
    app.selectbox(key="model_picker").select("rooms-ada").run()
    assert not app.exception and app.session_state.model == "rooms-ada"
    grid = DATASETS["rooms"].grid
    truth = [grid.values[i].index(app.select_slider(key=f"factor_rooms_{i}").value) for i in range(6)]
    assert grid.values[4][truth[4]] == "sphere"
    assert not any("not the code of a rendered image" in c.value for c in app.caption)
    x = torch.from_numpy(grid.render(np.array([truth]))).float() / 255
    np.testing.assert_allclose(
        app.session_state.z, vae.load("rooms-ada").encode(x).mean[0], atol=1e-4
    )


@pytest.mark.parametrize("name", FACTOR_MODELS)
def test_the_disentangle_pages_figures_are_the_cards(name):
    app = start("disentangle", model=name)
    card = store.Store().read_card(name)
    heat = payload(app, "texts", "rows", "columns")
    grid = DATASETS[card.data].grid
    assert heat["rows"] == list(grid.names)
    shares = np.array(card.figures["mutual_information"]) / card.figures["factor_entropy"]  # (D, K)
    for column, dim in enumerate(heat["columns"]):
        expected = shares[int(dim[1:])]
        shown = [float(heat["texts"][k][column]) for k in range(len(grid.names))]
        np.testing.assert_allclose(shown, expected, atol=0.0051)
    assert any(f", {card.figures['mig']:.3f}, is the mean gap" in c.value for c in app.caption)
    table = app.dataframe[-1].value
    rows = {title.removeprefix("→ "): row for title,
        row in zip(table["model"], table.to_dict("records"), strict=False)}
    row = rows[card.title]
    assert row["MIG"] == pytest.approx(card.figures["mig"], abs=1e-9)
    assert row["FactorVAE score"] == pytest.approx(card.figures["factor_vae_score"], abs=1e-9)
    assert rows["random codes"]["MIG"] == card.figures["mig_random"]


@pytest.mark.parametrize("name", ["mnist-cvae", "glyphs-cvae", "mnist-m2"])
def test_one_z_is_shown_in_every_class(name):
    app, model = start("sliders", model=name), vae.load(name)
    grid = next(d for d in components(app).values() if d.get("name") == "this z in every class")
    assert grid["n"] == model.num_classes and grid["selected"] == app.session_state.y
    shown = Image.open(io.BytesIO(base64.b64decode(grid["sheet"].split(",")[1])))
    z = torch.tensor([app.session_state.z]).repeat(model.num_classes, 1)
    expected = pictures.sheet(model.decode(z, torch.arange(model.num_classes)), grid["across"])
    np.testing.assert_allclose(np.asarray(shown), expected[:, :, 0], atol=1)


def test_levels_are_sampled_apart():
    app = start("sample", model="mnist-ladder", seed="4")
    here = np.array(app.session_state.z)
    top = list(vae.load("mnist-ladder").levels["top level"])
    bottom = [d for d in range(len(here)) if d not in top]
    sheets = {}
    for level, kept in [("every level", []), ("top level", bottom), ("bottom level", top)]:
        app.segmented_control(key="sample_level").set_value(level).run()
        assert not app.exception
        sheets[level] = next(
            d for d in components(app).values() if d.get("name") == "samples"
        )["sheet"]
        shown = Image.open(io.BytesIO(base64.b64decode(sheets[level].split(",")[1])))
        z = vae.load("mnist-ladder").sample(36, generator=torch.Generator().manual_seed(4))
        z[:, kept] = torch.from_numpy(here[kept]).float()
        expected = pictures.sheet(vae.load("mnist-ladder").decode(z), 32)
        np.testing.assert_allclose(np.asarray(shown), expected[:, :, 0], atol=1)
    assert len(set(sheets.values())) == 3


def test_codes_are_whole_numbers_of_the_codebook_wherever_they_come_from():
    size = vae.load("mnist-vqvae").codebook_size
    wild = ",".join(["1.6", "-7", "900"] + ["3"] * 46)
    app = start("sliders", model="mnist-vqvae", z=wild)
    assert app.session_state.z[:4] == (2.0, 0.0, size - 1.0, 3.0)
    app.switch_page("pages/interpolate.py").run()
    assert not app.exception
    frames = next(d for d in components(app).values() if d["name"] == "interpolation in latent space")
    assert frames["n"] == 9
    assert any("nothing lies between two indices" in c.value for c in app.caption)
    app.switch_page("pages/map.py").run()
    assert not app.exception
    assert list(app.selectbox(key="map_colour_0").options) == ["Colour: class", "Colour: reconstruction error"]


@pytest.mark.parametrize("name", ["rooms-vqvae", "mnist-vqvae", "mnist-vae-16d"])
def test_disentangle_shows_a_model_that_has_factors_and_the_visitors_returns(name):
    app = start("disentangle", model=name)
    assert not app.exception and not app.info and app.session_state.model == "rooms-ada"
    (sentence,) = [c.value for c in app.caption if "until you leave" in c.value]
    assert cached.card(name).title in sentence and cached.card("rooms-ada").title in sentence
    app.switch_page("pages/compare.py").run()
    assert not app.exception and app.session_state.model == name


@pytest.mark.parametrize("name", ["faces-vae", "faces-vaegan"])
def test_an_attributes_button_goes_along_its_direction(name):
    app = start("sliders", model=name)
    before = np.array(app.session_state.z)
    direction = cached.attribute_directions(name)["glasses"]
    assert direction.agreement > direction.random_agreement + 0.02
    emit(app, "live_panel", "attribute", {"model": name, "name": "glasses", "sign": 1})
    assert not app.exception
    np.testing.assert_allclose(app.session_state.z, before + direction.vector.numpy(), atol=2e-4)
    emit(app, "live_panel", "attribute", {"model": name, "name": "glasses", "sign": -1})
    np.testing.assert_allclose(app.session_state.z, before, atol=4e-4)


def test_the_heat_map_of_btcvae_gives_x_y_and_scale_a_dimension_each():
    app = start("disentangle", model="sprites-btcvae")
    heat = next(d for d in components(app).values() if d.get("name", "").startswith("mutual information"))
    shares = np.array(heat["texts"], float)
    owners = []
    for factor in ("scale", "x", "y"):
        row = shares[heat["rows"].index(factor)]
        first, second = np.argsort(-row)[:2]
        assert row[first] > 0.5 and row[first] > 4 * row[second], (factor, row)
        owners.append(first)
    assert len(set(owners)) == 3


def test_figures_over_beta_are_those_of_models_that_differ_in_beta_alone():
    from pages.components.disentangle import factors

    cards = [card for card in vae.available() if card.data == "sprites"]
    sweep = factors.beta_sweep(cards)
    assert [card.name for card in sweep] == [f"sprites-beta{b}" for b in (1, 4, 16)]
    assert factors.beta_sweep(cards[:1]) == []
    app = start("disentangle", model="sprites-beta4")
    assert any("These 3 models differ only in beta" in c.value for c in app.caption)


@pytest.mark.parametrize("name", ["sprites-ae", "rooms-ada", "faces-vae"])
def test_metrics_on_the_page_are_the_cards_and_random_codes_stand_beside(name):
    app = start("disentangle", model=name)
    table = app.dataframe[-1].value
    card = vae.load(name).card
    (row,) = [i for i, title in enumerate(table["model"]) if title == f"→ {card.title}"]
    for key in ("mig", "sap", "modularity", "factor_vae_score", "beta_vae_score"):
        assert table[FIGURES[key].title][row] == card.figures[key]
        assert table[FIGURES[key].title].iloc[-1] == card.figures[f"{key}_random"]
    assert table["model"].iloc[-1] == "random codes"


def test_a_constant_factor_is_left_out_with_a_note(tmp_path, monkeypatch):
    shutil.copytree(store.PRETRAINED, tmp_path / "pretrained")
    monkeypatch.setattr(store, "PRETRAINED", tmp_path / "pretrained")
    path = tmp_path / "pretrained" / "sprites-vae" / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["figures"]["factor_entropy"][1], card["figures"]["mig_gaps"][1] = 0.0, None
    path.write_text(json.dumps(card), encoding="utf-8")
    cached.shared_scan.clear(), cached.model.clear()
    try:
        app = start("disentangle", model="sprites-vae")
        heat = next(d for d in components(app).values() if d.get("name", "").startswith("mutual information"))
        assert heat["rows"] == ["shape", "orientation", "x", "y"]
        assert np.isfinite(np.array(heat["texts"], float)).all()
        assert any("Constant factors are not shown: scale." in c.value for c in app.caption)
    finally:
        cached.shared_scan.clear(), cached.model.clear(), cached._fingerprint.clear()


def test_a_card_that_was_never_measured_is_no_crash(tmp_path, monkeypatch):
    shutil.copytree(store.PRETRAINED, tmp_path / "pretrained")
    monkeypatch.setattr(store, "PRETRAINED", tmp_path / "pretrained")
    path = tmp_path / "pretrained" / "sprites-vae" / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    del card["figures"]["mutual_information"], card["figures"]["mig"]
    path.write_text(json.dumps(card), encoding="utf-8")
    cached.shared_scan.clear(), cached.model.clear()
    try:
        app = start("disentangle", model="sprites-vae")
        assert "not measured yet" in app.info[0].value
    finally:
        cached.shared_scan.clear(), cached.model.clear(), cached._fingerprint.clear()


def test_a_card_with_a_figure_that_nothing_describes_is_unavailable_and_the_others_work(tmp_path, monkeypatch):
    shutil.copytree(store.PRETRAINED, tmp_path / "pretrained")
    monkeypatch.setattr(store, "PRETRAINED", tmp_path / "pretrained")
    card = store.Store().read_card("sprites-vae")
    store.Store().write_card(dataclasses.replace(card, figures=card.figures | {"fid": 3.0}))
    cached.shared_scan.clear(), cached.model.clear()
    try:
        app = start("home")
        assert any("sprites-vae" in i.value and "figures that are not known here: 'fid'" in i.value for i in app.info)
        app = start("sliders", model="mnist-vae-2d")
        assert not app.error and not any("sprites-vae" in text for text in app.selectbox(key="model_picker").options)
    finally:
        cached.shared_scan.clear(), cached.model.clear(), cached._fingerprint.clear()


def test_disentangle_answers_three_questions_about_each_factor():
    app = start("disentangle", model="sprites-ada")
    figures = store.Store().read_card("sprites-ada").figures
    table = app.dataframe[0].value
    assert list(table["factor"]) == list(figures["factors_kept"])
    row = table.set_index("factor").loc["scale"]
    assert row["kept"].startswith(f"{figures['factors_kept']['scale']:.2f} of ")
    owner = figures["owners"][1]
    assert row["one dimension"] == ("no" if owner is None else f"yes, z{owner}")
    (scores,) = [m.value for m in app.markdown if "**Scores.**" in m.value]
    assert f"{figures['infom']:.3f}" in scores and f"{figures['mig']:.3f} ± " in scores
    assert any("square every 90°, ellipse every 180°" in c.value for c in app.caption)
