"""The entry point: `streamlit run app.py` serves `app`, and every visitor's run of a page begins here."""

import os
from pathlib import Path

# This must precede the import of torch. Each script run has its own thread; with one torch thread each,
# thirty visitors can share a machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st
from starlette.middleware import Middleware

from pages.components.bridge import (
    actions,
    assets,
    early,
    first_picture,
    page_addresses,
    preload,
    reconnecting,
    security,
    uploads,
    visitor,
    warm_up,
)
from pages.components.shell import memory

memory.tune_malloc()
early.register("sliders", "live_panel", "pages.components.live_panel.early")
app = st.App(
    __file__, routes=assets.ROUTES + first_picture.ROUTES + early.ROUTES + actions.ROUTES,
    middleware=[
        Middleware(security.Security), Middleware(page_addresses.PageAddresses), Middleware(preload.Preload),
        Middleware(visitor.Visitor), Middleware(early.Early), Middleware(actions.Actions),
        Middleware(reconnecting.Reconnecting), Middleware(uploads.Uploads),
    ],
    lifespan=warm_up.lifespan,
)  # fmt: skip


def run() -> None:
    from pages.components.bridge import history
    from pages.components.bridge.term_tips import term_tips
    from pages.components.lessons import panel as lesson
    from pages.components.shell import glossary, link, places
    from pages.components.shell.navigation import navigation
    from pages.components.train import visitor

    st.set_page_config(page_title="Latent-space explorer", layout="wide")
    st.html(Path(__file__).parent / "pages/components/shell/style.css")
    page = navigation()
    if not places.take():
        with st.container(key="full"):
            places.show_full()
        return
    link.begin_run(page.url_path)
    glossary.begin_run()
    lesson.read_link()
    visitor.collect(page.url_path)  # a training goes on while its visitor is on any page
    # Keep this container on every run: an element that appears or vanishes above a component makes Streamlit
    # remount it.
    with st.container(key="notices"):
        term_tips()
        warnings = st.container()
        lesson.lesson_panel(page.url_path)
        reconnecting.rerun_when_reconnected()
    # A page's own container: a translated page's texts are made anew on the next page, see lessons/text.py.
    with history.entry(page.url_path, warnings), st.container(key=f"page_{page.url_path or 'home'}"):
        page.run()


if __name__ == "__main__":  # as which Streamlit runs it for a visitor; the server imports it as "app"
    run()
