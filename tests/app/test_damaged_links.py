"""Links that a mail program, a chat or another version has damaged: what can be read is used, one sentence names the
rest. test_parse.py has the repairs themselves."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.bridge.page_addresses import page_address
from pages.components.shell import cached
from vae import store


def page_app():
    import streamlit as st

    from pages.components.shell import link, settings

    link.begin_run("sample")
    settings.take("sample_temperature")
    settings.take("sample_count")
    settings.take("unheard_of")
    st.text(st.session_state.get("sample_temperature"))
    link.show_warnings()


def open_link(**query):
    app = AppTest.from_function(page_app, default_timeout=60)
    app.query_params.update(query)
    app.run()
    assert not app.exception, app.exception
    return app.session_state, [warning.value for warning in app.warning]


def test_one_damaged_number_keeps_the_others():
    start, _ = open_link(model="mnist-vae-2d")
    s, (warning,) = open_link(model="mnist-vae-2d", z="0.5,-1.x")
    assert s.z == (0.5, start.z[1])
    assert warning == "Part of this link cannot be used: 1 of the 2 values of its z cannot be read."


def test_an_unknown_model_keeps_a_z_of_the_same_dimension():
    s, (warning,) = open_link(model="mnist-vae-2d-old", z="0.5,-1.5", seed="3")
    assert (s.model, s.z, s.seed) == ("mnist-vae-2d", (0.5, -1.5), 3)
    title = store.Store().read_card("mnist-vae-2d").title
    assert warning == (
        f"Part of this link cannot be used: the model mnist-vae-2d-old does not exist, so you see {title}."
    )


def test_an_unknown_model_with_another_dimension_says_so_of_z():
    s, (warning,) = open_link(model="gone", z="0.5,-1.5,2")
    assert s.model == "mnist-vae-2d"
    assert "the model gone does not exist" in warning and "its z has 3 dimensions" in warning


def test_a_link_that_is_cut_keeps_the_values_that_it_still_has():
    start, _ = open_link(model="mnist-vae-2d")
    s, (warning,) = open_link(model="mnist-vae-2d", z="1.5%2")
    assert s.z == (1.5, start.z[1])
    assert warning == "Part of this link cannot be used: 1 of the 2 values of its z is missing."


def test_an_unknown_models_name_is_text():
    for name, shown in (("![](http://evil.example/x.png)", "httpevilexamplexpng"), ("x" * 99, "x" * 40)):
        assert f"the model {shown} does not exist" in open_link(model=name)[1][0]
    assert "its model does not exist" in open_link(model="*")[1][0]


def test_one_sentence_names_all_that_was_refused():
    s, (warning,) = open_link(
        model="mnist-cvae", z=",".join("12345678"), y="12", seed="x", sample_temperature="hot", sample_count="36",
        unheard_of="1", utm_source="mail",
    )  # fmt: skip
    assert s.z == (1, 2, 3, 4, 5, 6, 7, 8) and (s.y, s.seed) == (0, 0)
    for part in ("y must be", "seed must be", "sample_temperature must be a number from"):
        assert part in warning
    assert "sample_count" not in warning and "utm" not in warning and "unheard" not in warning


def test_escapes_signs_and_case_lose_nothing():
    s, warnings = open_link(**{"model": "MNIST-VAE-2D", "amp;z": "0.5%2C\u22121.5", "amp;seed": "7)."})
    assert (s.model, s.z, s.seed, warnings) == ("mnist-vae-2d", (0.5, -1.5), 7, [])


def test_the_own_model_behind_a_stand_in_is_read_and_a_damaged_one_is_left_out():
    s, warnings = open_link(model="rooms-ada", own="mnist-cvae:1,2,3,4,5,6,7,8:3")
    assert s.own_place["model"] == "mnist-cvae" and s.own_place["z"] == (1, 2, 3, 4, 5, 6, 7, 8)
    assert s.own_place["y"] == 3 and s.own_place["weights"] == cached.card("mnist-cvae").weights_hash
    for own in ("gone:1,2:0", "mnist-cvae:1,2:0", "mnist-cvae", "rooms-ada:1:0", "", ":", "mnist-vae-2d:nan,0:x"):
        s, warnings = open_link(model="rooms-ada", own=own)
        assert "own_place" not in s and not warnings


@pytest.mark.parametrize(
    "path, query, address",
    [
        ("Sliders", "z=1,2", "sliders?z=1,2"),
        ("SLIDERS", "", "sliders"),
        ("sliders/", "z=1", "sliders?z=1"),
        ("sliders).", "", "sliders"),
        ("/map", "", "map"),
        ("sliders?model=a&z=1", "", "sliders?model=a&z=1"),
        ("sliders?model=a", "z=1", "sliders?model=a&z=1"),
        ("home", "z=1", "?z=1"),
        ("Home", "", ""),
        ("sliders", "z=1", None),
        ("", "z=1", None),
        ("nothing", "", None),
        ("static/js/map", "", None),
        ("favicon.png", "", None),
    ],
)
def test_the_page_that_an_address_means(path, query, address):
    assert page_address(path, query) == address
