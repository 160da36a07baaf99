"""Settings of pages: every one can be set by a link under the name that it has here, and bad values change nothing.

A setting that is renamed breaks the links and the lessons that name it: it fails here.
"""

import re
from pathlib import Path

import pytest
from streamlit.elements.lib import policies
from streamlit.testing.v1 import AppTest

from pages.components.shell import navigation, settings
from vae.lessons import Try

from .test_old_links import open_link
from .test_pages import ROOT

RESULT = "1:0,0,0,0,0"  # of the first round of sprites with seed 0
# (page, model, {setting: (what the link says, the widget's key if it is another, the widget's value)})
LINKS = [
    ("sample", "mnist-ladder", {
        "sample_count": ("64", "", 64), "sample_temperature": ("0.5", "", 0.5),
        "sample_level": ("top level", "", "top level"),
    }),
    ("sliders", "mnist-vae-2d", {
        "sliders_start": ("5", "sliders_start_row_mnist", 5), "sliders_rows": ("local", "", "local"),
    }),
    ("interpolate", "mnist-vae-16d", {
        "interpolate_A": ("4", "interpolate_A_row_mnist", 4), "interpolate_B": ("9", "interpolate_B_row_mnist", 9),
        "interpolate_line": ("Great arc (slerp)", "interpolate_line_2", "Great arc (slerp)"),
        "interpolate_steps": ("7", "", 7), "interpolate_beyond": ("true", "", True),
    }),
    ("map", "mnist-vae-2d", {
        "map_kind": ("pca", "map_kind_dims_4", "pca"),
        "map_colour": ("reconstruction error", "map_colour_2", "reconstruction error"),
    }),
    ("inside", "mnist-vae-2d", {
        "inside_source": ("Choose or upload", "inside_source_True", "Choose or upload"),
        "inside_image": ("3", "inside_image_row_mnist", 3),
    }),
    ("compare", "mnist-vae-2d", {
        "beside": ("mnist-ae-2d", "", ["mnist-ae-2d"]), "compare_given": ("one z", "", "one z"),
        "compare_rank": ("second", "", "second"), "compare_share": ("25", "", 25),
    }),
    ("map", "mnist-vae-2d", {"map_image": ("8", "map_image_row_mnist", 8)}),
    ("compare", "mnist-vae-2d", {"compare_image": ("6", "compare_image_row_mnist", 6)}),
    ("uses", "mnist-vae-16d", {
        "use": ("anomalies", "", "anomalies"), "anomaly_kind": ("blurred", "", "blurred"),
        "anomaly_score": ("squared_error", "", "squared_error"), "anomaly_image": ("2", "anomaly_image_row_mnist", 2),
    }),
    ("uses", "mnist-vae-16d", {
        "use": ("denoising", "", "denoising"), "denoise_std": ("0.25", "", 0.25),
        "denoise_image": ("8", "denoise_image_row_mnist", 8),
    }),
    ("uses", "mnist-vae-16d", {
        "use": ("filling", "", "filling"), "fill_hidden": ("a band", "", "a band"),
        "fill_image": ("1", "fill_image_row_mnist", 1),
    }),
    ("uses", "faces-vae", {
        "use": ("fairness", "", "fairness"), "fair_attribute": ("beard", "", "beard"), "fair_image": ("7", "", 7),
    }),
    ("match", "mnist-vae-2d", {"match_data": ("sprites", "", "sprites"), "match_result": (RESULT, "", RESULT)}),
    ("lessons", "mnist-vae-2d", {
        "lessons_view": ("sheet", "", "sheet"), "lessons_of": ("train", "", "train"), "lessons_shuffle": ("7", "", 7),
    }),
    ("train", "mnist-vae-2d", {
        "train_data": ("sprites", "", "sprites"), "train_family": ("tc_vae", "", "tc_vae"),
        "train_dims": ("10", "", 10), "train_beta": ("4", "", 4.0), "train_likelihood": ("gaussian", "", "gaussian"),
        "train_size": ("medium", "", "medium"), "train_seed": ("7", "", 7), "train_seconds": ("120", "", 120),
        "train_images": ("200", "", 200),
    }),
    ("uses", "mnist-m2", {"use": ("labels", "", "labels"), "labels_image": ("11", "labels_image_row_mnist", 11)}),
]  # fmt: skip


@pytest.mark.parametrize("page, model, own", LINKS, ids=[f"{page}-{list(own)[-1]}" for page, _, own in LINKS])
def test_a_link_sets_a_setting_once(page, model, own):
    app = open_link(page, {"model": model, **{key: text for key, (text, _, _) in own.items()}})
    for key, (_, widget, value) in own.items():
        assert app.session_state[widget or key] == value, key
    assert not app.session_state.pending_parameters and not app.warning


@pytest.mark.parametrize(
    "page, query",
    [
        ("uses", {"use": "Denoise"}), ("uses", {"use": "detect outliers"}), ("uses", {"use": "FEW_LABELS"}),
        ("inside", {"inside_source": "test image or photo"}), ("map", {"map_kind": "PCA"}),
        ("sample", {"sample_level": "Top Level"}), ("match", {"match_data": "Sprites"}),
        ("interpolate", {"interpolate_line": "great arc slerp"}),
    ],
)  # fmt: skip
def test_a_link_may_name_what_the_page_shows(page, query):
    (key, text), = query.items()
    widget, value = {
        "Denoise": ("use", "denoising"), "detect outliers": ("use", "anomalies"), "FEW_LABELS": ("use", "labels"),
        "test image or photo": ("inside_source_True", "Choose or upload"), "PCA": ("map_kind_dims_4", "pca"),
        "Top Level": ("sample_level", "top level"), "Sprites": ("match_data", "sprites"),
        "great arc slerp": ("interpolate_line_2", "Great arc (slerp)"),
    }[text]  # fmt: skip
    model = "mnist-ladder" if key == "sample_level" else "mnist-m2" if value == "labels" else "mnist-vae-2d"
    app = open_link(page, {"model": model, **query})
    assert app.session_state[widget] == value and not app.warning


def test_a_setting_of_a_link_logs_no_warning_about_the_widgets_default(monkeypatch, caplog):
    monkeypatch.setattr(policies, "_shown_default_value_warning", False)
    with caplog.at_level("WARNING", logger="streamlit"):
        app = open_link("compare", {"model": "mnist-vae-2d", "compare_given": "one z"})
    assert app.session_state.compare_given == "one z"
    assert not policies._shown_default_value_warning


def test_every_setting_is_tried_here():
    tried = {}
    for page, _, own in LINKS:
        tried.setdefault(page, set()).update(own)
    assert {page: set(own) for page, own in settings.registered().items() if own} == tried


def test_every_setting_that_a_page_takes_is_registered():
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pages").rglob("*.py"))
    known = {key for own in settings.registered().values() for key in own}
    taken = set(re.findall(r'(?:settings\.take|image_input)\("(\w+)"', text))
    assert len(taken) > 15 and taken <= known


@pytest.mark.parametrize(
    "page, query",
    [
        ("sample", {"sample_count": "37", "sample_temperature": "2.01"}),
        ("sample", {"sample_temperature": "nan", "sample_count": "16.0"}),
        ("interpolate", {"interpolate_A": "-1", "interpolate_B": "10000", "interpolate_beyond": "yes",
            "interpolate_steps": "9" * 300, "interpolate_line": "Place by place"}),
        ("map", {"map_kind": "<b>tsne</b>", "map_colour": "z16"}),
        ("compare", {"compare_given": "", "beside": "no-such,<b>,../..", "compare_share": "1e1"}),
        ("uses", {"use": "nothing"}),
        ("uses", {"use": "anomalies", "anomaly_kind": "cats", "anomaly_score": "![](http://x)"}),
    ],
)  # fmt: skip
def test_a_value_that_is_not_allowed_changes_nothing(page, query):
    allowed = {key: value for key, value in query.items() if value == "anomalies"}
    plain, app = (open_link(page, {"model": "mnist-vae-16d", **said}) for said in (allowed, query))
    (warning,) = app.warning  # one sentence for all
    assert warning.value.startswith("Part of this link cannot be used: ")
    assert not app.session_state.pending_parameters
    assert held(plain, page) == held(app, page)


def page_app():
    import streamlit as st

    from pages.components.shell import link, settings

    link.begin_run("interpolate")
    settings.take("interpolate_steps")
    st.slider("Steps", 3, 15, 9, key="interpolate_steps")
    settings.take("interpolate_beyond")
    st.toggle("Beyond", key="interpolate_beyond")
    settings.add_to_link()
    if "back_to" in st.session_state:  # as Back and Forward do, for the next run
        link.apply(st.session_state.pop("back_to"))


def settings_in_link(app):
    return {key: value for key, value in app.session_state.page_parameters.items() if key.startswith("interpolate")}


def test_the_link_holds_the_settings_that_are_not_at_their_defaults():
    app = AppTest.from_function(page_app, default_timeout=60).run()
    assert settings_in_link(app) == {}
    app.slider[0].set_value(5).run()
    app.toggle[0].set_value(True).run()
    assert settings_in_link(app) == {"interpolate_steps": "5", "interpolate_beyond": "true"}
    app.session_state.back_to = {"model": "mnist-vae-2d", "interpolate_steps": "", "interpolate_beyond": "true"}
    app.run().run()
    assert app.slider[0].value == 9 and settings_in_link(app) == {"interpolate_beyond": "true"}
    app.toggle[0].set_value(False).run()
    assert settings_in_link(app) == {}


def test_a_setting_of_a_link_stays_in_it():
    """Also where it is the default, which this session has not seen."""
    app = AppTest.from_function(page_app, default_timeout=60)
    app.query_params["interpolate_steps"] = "9"
    app.run()
    assert settings_in_link(app) == {"interpolate_steps": "9"}
    app.run()
    assert settings_in_link(app) == {"interpolate_steps": "9"}


def held(app, page):
    """What a session holds for the widgets of a page."""
    prefixes = {"uses": ("use", "anomaly")}.get(page, (page,))
    state = app.session_state._state.filtered_state
    values = {key: value for key, value in state.items() if key.startswith(prefixes)}
    assert values
    return values


def listed(folder: Path, **files: str):
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return settings.registered()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(navigation, "FOLDERS", [tmp_path])
    return tmp_path


def test_lists_are_read_without_running_a_page(folder):
    own = listed(
        folder,
        toys='"""Toys: a page."""\nimport no_such_module\nKINDS = {"a": sum, "b": 1 / 0}\nSIZES = [1, 2]\n'
        'SETTINGS = {"toy": ("choice", *KINDS, "c"), "size": ("choice", *SIZES), "far": ("float", 0, 0.5)}\n',
        components__toys__wing='SETTINGS = {"more": ("bool",)}\n', components__other__wing="SETTINGS = 1\n",
    )  # fmt: skip
    assert {key: setting.expected for key, setting in own["toys"].items()} == {
        "toy": "one of 'a', 'b', 'c'", "size": "one of 1, 2", "far": "a number from 0 to 0.5", "more": "true or false",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        'SETTINGS = {"a": ("colour",)}', 'SETTINGS = {"a": ("int", 1)}', 'SETTINGS = {"a": ("choice",)}',
        'SETTINGS = {"a": ("choice", *NOTHING)}', 'SETTINGS = {"a": ("choice", *range(3))}', "SETTINGS = dict(a=1)",
        'SETTINGS = ["a"]', 'N = 3\nSETTINGS = {"a": ("choice", *N)}', 'SETTINGS = {"a": "bool"}',
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_read_is_named(folder, text):
    with pytest.raises(ValueError, match=re.escape(str(folder / "toys.py"))):
        listed(folder, toys=text)


def test_a_key_belongs_to_one_page(folder):
    with pytest.raises(ValueError, match="'size' is registered twice"):
        listed(folder, cats='SETTINGS = {"size": ("bool",)}', dogs='SETTINGS = {"size": ("bool",)}')


@pytest.mark.parametrize(
    "spec, good, bad",
    [
        (("choice", 16, "36"), [16, "36"], ["16", 36, 16.0, True, None]),
        (("int", 0, 9), [0, 9], [-1, 10, 1.0, True, "1"]),
        (("float", 0.0, 2.0), [0, 2.0, 0.5], [-0.1, 2.1, float("nan"), True, "1"]),
        (("bool",), [True, False], [1, 0, "true"]),
        (("text",), ["a", "<b>"], [1, True, ("a",)]),
        (("models",), [("a", "b")], ["a", ["a"], (1,)]),
    ],
)
def test_a_lessons_value_is_allowed_or_not_and_survives_its_link(spec, good, bad):
    setting = settings.KINDS[spec[0]](*spec[1:])
    assert all(map(setting.allows, good)) and not any(map(setting.allows, bad))
    for value in good:
        text = Try("", "page", "model", settings={"key": value}).settings_link()["key"]
        assert setting.parse(text) == value
