"""Undo, and what Share shows: the link, its QR code and the line for embedding."""

import pytest
import segno
from streamlit.testing.v1 import AppTest

from pages.components.bridge import toolbar


def page_app():
    import streamlit as st

    from pages.components.bridge import toolbar
    from pages.components.shell import link, state

    link.begin_run()
    if "move" in st.session_state:
        state.set_z([st.session_state.pop("move"), 0.0], start=False)
    if "choose" in st.session_state:
        state.set_model(st.session_state.pop("choose"))
    toolbar.show()


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


def test_undo_stays_with_the_model():
    app = begin(model="mnist-vae-2d", z="0.5,0")
    move(app, 1.0)
    assert not app.button(key="undo").disabled
    app.session_state["choose"] = "mnist-cvae"
    app.run()
    assert app.session_state.model == "mnist-cvae" and app.button(key="undo").disabled


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
