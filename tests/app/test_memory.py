"""What a session keeps of the pages that it has left."""

import gc
import weakref

from streamlit.testing.v1 import AppTest

from pages.components.shell import memory

PAGE = """
import weakref
import numpy as np
import streamlit as st
from pages.components.shell import memory
from tests.app import test_memory

page = st.session_state.get("page", 0)
images = np.zeros(10)
test_memory.kept.append(weakref.ref(images))
st.slider("Image", 0, 9, key=f"image_{page}", on_change=lambda: images, persist_state="session" if page % 2 else None)
memory.forget_widgets()
"""
kept: list[weakref.ref] = []  # of each run


def test_a_page_that_was_left_is_let_go_and_its_settings_stay():
    kept.clear()
    app = AppTest.from_string(PAGE, default_timeout=30).run()
    for page in range(1, 6):
        app.slider[0].set_value(3).run()
        app.session_state.page = page
        app.run()
    app.run()  # Streamlit resets the widgets of the page before in between
    gc.collect()
    alive = [i for i, image in enumerate(kept) if image() is not None]
    assert alive == [len(kept) - 1]
    app.session_state.page = 1
    app.run()
    assert app.slider[0].value == 3 and not app.exception, "a setting that lasts"


def test_outside_a_session_nothing_happens():
    memory.forget_widgets()
    memory.tune_malloc()
