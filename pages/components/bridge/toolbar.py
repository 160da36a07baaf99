"""The tools at the top of every page: undo and redo, bookmarks, and sharing what the page shows."""

from __future__ import annotations

import html
from functools import partial
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vae import Store, extras
from vae.data import pictures

from ..shell import cached, link, state, visitors
from ..shell.own_panel import show_download
from ..widgets import exports
from .assets import BASE
from .component import widget

_bookmarks = widget("bookmarks")
EMBED_HEIGHT = 900  # px
NOT_SHARED = ("own", "answer", "revealed")  # parameters that concern this visitor alone
PAPER_FIGURES = {  # page: kind of figure, and what it shows
    "sliders": ("traversal", "traversal of every active dimension"), "map": ("map", "UMAP of the test images"),
    "disentangle": ("factors", "matrix of factors and dimensions"),
}  # fmt: skip
LOCAL = ("localhost", "127.0.0.1", "::1", None)  # addresses that lead nowhere on another machine


def show(moves_z: bool) -> DeltaGenerator | None:
    """Show the tools. Returns the popover that show_share fills when the page has ended; None while it is closed.

    moves_z: whether the page changes the shared z, which undo and redo restore.
    """
    with st.container(horizontal=True, gap="small", wrap=False, width="content", key="tools"):
        if moves_z:
            _travel_button("undo", f"Return to the previous z (Ctrl+Z), up to {state.MAX_UNDO} times.")
            _travel_button("redo", "Repeat the change of z that you have undone (Ctrl+Shift+Z or Ctrl+Y).")
        bookmarks = st.popover("Bookmarks", key="bookmarks", icon=":material/bookmark:", on_change="rerun")
        if bookmarks.open:
            with bookmarks:
                st.markdown("Save the current page, model and z under a name. Bookmarks stay in this browser.")
                _bookmarks(key="bookmark_list", data={"base": BASE, "picture": _picture()})
        share = st.popover("Share", key="share", icon=":material/share:", on_change="rerun")
    return share if share.open else None


def _picture() -> str:
    """Return the current z's picture as the address of a PNG, for the bookmark; "" if it is not finite."""
    decoded = state.decode(state.z()[None])
    if not state.finite(decoded):
        return ""
    return pictures.data_uri(pictures.to_image(state.as_pictures(decoded)[0]))


def _travel_button(by: state.Travel, text: str) -> None:
    st.button(
        by.capitalize(), key=by, icon=f":material/{by}:", on_click=state.travel, args=(by,),
        disabled=not state.can_travel(by), help=text,
    )  # fmt: skip


def show_share(where: DeltaGenerator, page: str) -> None:
    """Show the address of what the page shows, its QR code, and the line that embeds it in another page."""
    import segno  # here and below, because a page shows its first picture before it is needed

    parameters = {key: value for key, value in link.parameters().items() if key not in NOT_SHARED}
    address = page_address(st.context.url or "", page, parameters)
    with where:
        left, right = st.columns([3, 2], gap="medium")
        with left:
            if state.card().name in visitors.models():
                st.markdown("This link works in your browser only. To share your model, download it below.")
            else:
                st.markdown(" ".join((
                    "This link opens the same page with the same model, z and settings.",
                    *(f"It does not contain {what}." for what in link.left_out()),
                )))  # fmt: skip
            st.code(address, language=None, wrap_lines=True)
            _show_handout(state.card().name)
            show_download(state.card())
            _show_paper_figure(state.card().name, page)
        with right:
            try:
                st.image(qr_code(address))
            except segno.DataOverflowError:
                st.markdown("This link is too long for a QR code.")
        st.markdown("To embed the page in a website, paste this line into its HTML.")
        st.code(embedding(address), language="html", wrap_lines=True)
        st.caption("In front of a class, press P for the projector mode.")


def _show_handout(name: str) -> None:
    """Offer the current model as one HTML file."""
    from vae.browser.handout import obstacle

    if reason := obstacle(cached.network(name)):
        st.markdown(f"There is no handout of this model: {reason}")
        return
    st.markdown("A handout is an HTML file with this model. It needs no network.")
    parts = urlsplit(st.context.url or "")
    app = "" if parts.hostname in LOCAL or name in visitors.models() else f"{parts.scheme}://{parts.netloc}{BASE}"
    st.download_button(
        "Handout (HTML)", cached.handout(name, app), f"{visitors.plain_name(name)}.html", "text/html", key="handout",
        on_click="ignore",
    )  # fmt: skip


def _show_paper_figure(name: str, page: str) -> None:
    """Offer the figure of a page for a paper, where the package that draws it is installed."""
    kind = PAPER_FIGURES.get(page)
    if kind is None or extras.missing("matplotlib") or not _can_draw(kind, name):
        return
    st.markdown(f"The {kind[1]} is also a figure for a paper, as wide as a column (3.25 inches).")
    with st.container(horizontal=True):
        for suffix, mime in (("pdf", "application/pdf"), ("svg", "image/svg+xml")):
            exports.download(
                f"Figure ({suffix.upper()})", partial(_paper_figure, kind[0], name, visitors.store_of(name), suffix),
                f"{visitors.plain_name(name)}-{kind[0]}.{suffix}", mime, key=f"paper_{suffix}",
            )  # fmt: skip


def _can_draw(kind: tuple[str, str], name: str) -> bool:
    return {
        "traversal": not cached.traits(name).discrete, "map": cached.model_map(name) is not None,
        "factors": "mutual_information" in state.card().figures,
    }[kind[0]]  # fmt: skip


def _paper_figure(kind: str, name: str, store: Store, suffix: str) -> bytes:
    from vae import figures

    return figures.draw(kind, name, store=store).file(suffix)


def page_address(app: str, page: str, parameters: dict[str, str]) -> str:
    """Return the address of a page with a link's parameters. app: any address of the app."""
    parts = urlsplit(app)
    return f"{parts.scheme}://{parts.netloc}{BASE}{page}?{urlencode(parameters, safe=',:;')}"


def qr_code(text: str) -> str:
    """Return a QR code of a text, an SVG image. Raises segno.DataOverflowError for more than it can hold."""
    import segno

    # "l": a screen has no damage to correct, and larger modules are easier to scan across a room
    return segno.make_qr(text, error="l").svg_inline(scale=4, border=4, dark="#000", light="#fff")


def embedding(address: str) -> str:
    """Return the HTML that embeds a page without the app's navigation."""
    source = html.escape(f"{address}&embed=true")
    return (
        f'<iframe src="{source}" title="Latent-space explorer" width="100%" height="{EMBED_HEIGHT}" '
        'style="border: 0"></iframe>'
    )
