"""The address bar and the browser's history.

A change of page, model or lesson step adds one entry; everything else replaces the current one. Back and Forward
restore all that an entry's link holds, and so does a server that has started again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ..shell import link, settings, torch_loading
from ..shell.parse import parse_text
from . import messages, toolbar
from .assets import BASE
from .component import widget
from .shortcuts import shortcuts

_component = widget("history")
KEY = "history_link"
MAX_QUERY = 8000  # characters


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
        "session": st.session_state.setdefault("history_session", secrets.token_hex(8)),
    }  # fmt: skip
    _component(key=KEY, data=data, on_reconnected_change=_go_on)


def _go_on() -> None:
    """Take the link of a browser whose session this server does not have, as after a restart."""
    query = parse_text(messages.sent(KEY, "reconnected"), MAX_QUERY).removeprefix("?")
    link.apply(dict(parse_qsl(query, keep_blank_values=True)))
