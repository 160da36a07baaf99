"""The address bar and the browser's history.

A change of page, model or lesson step adds one entry; everything else replaces the current one. Back and Forward
restore all that an entry's link holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ..shell import link, settings, torch_loading
from . import toolbar
from .assets import BASE
from .component import widget
from .shortcuts import shortcuts

_component = widget("history")


@contextmanager
def entry(page: str, warnings: DeltaGenerator) -> Iterator[None]:
    """Write the link of the page that runs inside when it ends, also by link.end_page.

    page: its url_path. warnings: where the run's warnings are shown.
    """
    with st.container(key="history"):
        slot = st.container()
        shortcuts(page)
    share: list[DeltaGenerator] = []  # its popover, while it is open

    def show_tools(moves_z: bool) -> None:
        opened = toolbar.show(moves_z)
        if opened is not None:
            share.append(opened)

    def write() -> None:
        settings.add_to_link()
        with warnings:
            link.show_warnings()
        with slot:
            _write(page)
        for popover in share:
            toolbar.show_share(popover, page)
        torch_loading.start()

    tokens = link.write_link.set(write), link.show_tools.set(show_tools)
    try:
        yield
        write()
    finally:
        link.write_link.reset(tokens[0])
        link.show_tools.reset(tokens[1])


def _write(page: str) -> None:
    parameters = link.parameters()
    data = {
        "base": BASE, "page": page, "query": urlencode(parameters),
        "entry": f"{parameters['model']} {parameters.get('lesson', '')}",
        "restored": urlencode(st.session_state.get("restored_link", {})),
    }  # fmt: skip
    _component(key="history_link", data=data)
