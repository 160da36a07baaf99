"""Undo and redo, and what Share shows: the link, its QR code and the line for embedding."""

import pytest
import segno
from streamlit.testing.v1 import AppTest

from pages.components.bridge import toolbar
from tests.app.test_old_links import open_link
from vae import Store, extras


def page_app():
    import streamlit as st

    from pages.components.bridge import toolbar
    from pages.components.shell import link, state

    link.begin_run()
    if "move" in st.session_state:
        state.set_z([st.session_state.pop("move"), 0.0], start=False)
    if "travel_to" in st.session_state:
        by, z = st.session_state.pop("travel_to")
        st.session_state.found = state.travel_to(by, z, 0)
    if "stand_in" in st.session_state:
        name = st.session_state.pop("stand_in")
        state.set_stand_in(name) if name else state.restore_own_model()
    if "choose" in st.session_state:
        state.set_model(st.session_state.pop("choose"))
    toolbar.show("still" not in st.session_state)


def begin(**query):
    app = AppTest.from_function(page_app, default_timeout=60)
    app.query_params.update(query)
    return app.run()


def move(app, value):
    app.session_state["move"] = value
    return app.run()


def test_undo_goes_back_through_the_last_fifty_places():
    app = begin(model="mnist-vae-2d", z="0.5,0")
    assert app.button(key="undo").disabled
    for i in range(60):
        move(app, i / 10)
    assert not app.exception
    for i in reversed(range(9, 59)):
        app.button(key="undo").click().run()
        assert app.session_state.z == (i / 10, 0)
    app.run()
    assert app.button(key="undo").disabled


def test_a_z_that_does_not_change_is_no_place():
    app = begin(model="mnist-vae-2d", z="0.5,0")
    move(app, 0.5)
    app.run()
    assert app.button(key="undo").disabled


def test_redo_repeats_what_was_undone_until_z_changes():
    app = begin(model="mnist-vae-2d", z="0.5,0")
    assert app.button(key="redo").disabled
    for value in (1.0, 2.0, 3.0):
        move(app, value)
    for value in (2.0, 1.0):
        app.button(key="undo").click().run()
        assert app.session_state.z == (value, 0)
    for value in (2.0, 3.0):
        app.button(key="redo").click().run()
        assert app.session_state.z == (value, 0)
    assert app.button(key="redo").disabled
    app.button(key="undo").click().run()
    move(app, -1.0)
    assert app.button(key="redo").disabled and not app.button(key="undo").disabled
    app.button(key="undo").click().run()
    assert app.session_state.z == (2.0, 0)


def test_a_widget_goes_several_places_at_once():
    """A panel that undoes by itself sends the place where it stops."""
    app = begin(model="mnist-vae-2d", z="0.5,0")
    for value in (1.0, 2.0, 3.0):
        move(app, value)

    def travel_to(by, value):
        app.session_state["travel_to"] = by, [value, 0.0]
        app.run()
        return app.session_state.found, app.session_state.z[0]

    assert travel_to("undo", 1.0004) == (True, 1.0)
    assert travel_to("undo", 7.0) == (False, 1.0)
    assert travel_to("undo", 3.0) == (False, 1.0)
    assert travel_to("redo", 3.0) == (True, 3.0)
    app.button(key="undo").click().run()
    assert app.session_state.z == (2.0, 0)


def test_a_page_that_does_not_move_z_has_no_undo():
    app = begin(model="mnist-vae-2d")
    app.session_state["still"] = True
    app.run()
    assert not [b for b in app.button if b.key in ("undo", "redo")]


def test_undo_stays_with_the_model():
    app = begin(model="mnist-vae-2d", z="0.5,0")
    move(app, 1.0)
    assert not app.button(key="undo").disabled
    app.session_state["choose"] = "mnist-cvae"
    app.run()
    assert app.session_state.model == "mnist-cvae" and app.button(key="undo").disabled


def test_undo_outlives_a_stand_in():
    app = begin(model="mnist-vae-2d", z="0.5,0")
    move(app, 1.0)
    app.session_state["stand_in"] = "rooms-ada"
    app.run()
    assert app.session_state.model == "rooms-ada" and app.button(key="undo").disabled
    app.session_state["stand_in"] = ""
    app.run()
    app.button(key="undo").click().run()
    assert (app.session_state.model, app.session_state.z) == ("mnist-vae-2d", (0.5, 0))


def test_the_shared_address_keeps_its_commas_and_embeds():
    address = toolbar.page_address(
        "https://example.org/old?x=1", "sliders", {"model": "a", "z": "0.5,-1", "names": "0:a b"}
    )
    assert address == "https://example.org/sliders?model=a&z=0.5,-1&names=0:a+b"
    line = toolbar.embedding(address)
    assert 'src="https://example.org/sliders?model=a&amp;z=0.5,-1&amp;names=0:a+b&amp;embed=true"' in line
    assert line.startswith("<iframe ") and line.endswith("></iframe>")


def test_the_qr_code_is_an_svg_on_white_and_a_long_link_has_none():
    svg = toolbar.qr_code("https://example.org/sliders?z=0.5,-1")
    assert svg.startswith("<svg") and 'fill="#fff"' in svg
    with pytest.raises(segno.DataOverflowError):
        toolbar.qr_code("x" * 3000)


def share_app():
    import streamlit as st

    from pages.components.bridge import toolbar
    from pages.components.shell import link

    link.begin_run()
    toolbar.show_share(st.container(), "sliders")


def test_share_names_what_no_link_contains():
    def shared(**query):
        app = open_link("inside", {"model": "mnist-vae-2d", **query}, share=True)  # the popover is open
        (text,) = [text.value for text in app.markdown if text.value.startswith("This link opens")]
        return text

    assert shared().endswith("settings. It does not contain your drawing.")
    assert shared(inside_source="Test image or photo").endswith("settings.")


def test_the_figure_of_a_page_is_one_for_a_paper(monkeypatch):
    content = toolbar._paper_figure("factors", "sprites-ada", Store(), "pdf")
    assert content.startswith(b"%PDF") and b"/FontFile2" in content
    monkeypatch.setattr(extras, "missing", lambda *packages: list(packages))
    app = AppTest.from_function(share_app, default_timeout=60).run()
    assert "Figure (PDF)" not in [button.label for button in app.get("download_button")]


def test_share_offers_a_handout_or_says_why_there_is_none():
    def shared(model):
        app = AppTest.from_function(share_app, default_timeout=60)
        app.query_params["model"] = model
        app.run()
        assert not app.exception
        return [text.value for text in app.markdown], [button.label for button in app.get("download_button")]

    figure = ["Figure (PDF)", "Figure (SVG)"]
    assert shared("mnist-vae-2d")[1] == ["Handout (HTML)", "Model file (.vae.zip)", *figure]
    texts, buttons = shared("mnist-vqvae")  # whose code cannot be traversed
    assert buttons == ["Model file (.vae.zip)"]
    assert any(text.startswith("There is no handout of this model: its code is a grid") for text in texts)
