"""A map of encoded images that is walked with the hand: every place on it is an image, seen or
imagined.

Points, codes and thumbnails are sent once; hovering, zooming and dimming cost no message. A click,
a lasso and a drawn path are told to Python.
"""

from __future__ import annotations

from typing import Callable

import numpy as np
import streamlit as st
from plotly.colors import sample_colorscale

from vae import browser

from ..bridge import messages
from ..shell import cached, state
from ..widgets.charts import class_colours
from ..widgets.collection import Collection, Layout, points_message, sheet_message

_component = st.components.v2.component(
    "scatter",
    html=browser.source("widgets/scatter/scatter.html"),
    css=browser.source("widgets/scatter/scatter.css"),
    js=browser.source(
        "runtime/mailbox.js", "runtime/questions.js", "runtime/pixels.js",
        "widgets/scatter/scatter.js", "widgets/scatter/dots.js", "widgets/scatter/density.js", "widgets/scatter/hover.js",
    ),
)
_points_channel = st.components.v2.component(
    "scatter_points", js=browser.source("runtime/mailbox.js", "widgets/scatter/points_channel.js")
)
_sheet_channel = st.components.v2.component(
    "scatter_sheet", js=browser.source("runtime/mailbox.js", "widgets/scatter/sheet_channel.js")
)
KEY = "scatter"
RAMP = [i / 31 for i in range(32)]
MOST_STOPS = 300  # places of a drawn path


@st.fragment
def scatter(
    collection: Collection,
    layout: Layout,
    colour_by: str,
    on_pick: Callable[[int | None, np.ndarray | None], None],
    on_lasso: Callable[[np.ndarray], None],
    on_path: Callable[[np.ndarray], None],
    current: np.ndarray,
    near: np.ndarray,
    chosen: np.ndarray,
    path: np.ndarray,
    marks: list[tuple[str, np.ndarray]],
) -> None:
    """Show a collection on a layout, coloured by "class", "reconstruction error" or "z<d>".

    on_pick(index of a point, or None with a place (2,)), on_lasso(indices) and on_path(places
    (S, 2)) run before the page does. current: the current point's place (2,); near: indices joined to the current point; chosen: indices that
    stay lit; path: places (S, 2); marks: (name, place) of further codes.
    """
    if st.session_state.pop("scatter_changed", False):
        st.rerun()  # the whole page: what lies beside the map, and the URL, follow
    model, card = state.model(), state.card()
    channels, height, width = model.image_shape
    plane = layout.plane
    _component(
        key=KEY,
        data=messages.without_nan({
            "model": card.name, "weights": cached.weights_id(card.name), "collection": collection.id,
            "layout": {
                "key": layout.key, "dims": layout.dims, "k": layout.neighbours,
                "origin": None if plane is None else plane.origin.tolist(),
                "axes": None if plane is None else plane.axes.tolist(),
            },
            "colouring": _colouring(collection, colour_by),
            "classes": list(collection.classes), "colours": class_colours(len(collection.classes)),
            "current": current.tolist(),
            "marks": [{"name": name, "place": place.tolist()} for name, place in marks],
            "near": near.tolist(), "chosen": chosen.tolist(), "path": path.tolist(),
            "z": list(st.session_state.z), "y": st.session_state.y,
            "classes_matter": model.num_classes > 0,
            "height": height, "width": width, "channels": channels,
            "no_number": state.no_number("at this point"),
        }),
        on_ask_change=lambda: None,
        on_pick_change=lambda: _picked(collection, layout, on_pick),
        on_lasso_change=lambda: _chosen(collection, on_lasso),
        on_path_change=lambda: _drawn(collection, layout, on_path),
    )  # fmt: skip
    messages.deliver_once(
        f"{KEY}_points_{collection.id}", collection.id, _points_channel, lambda: points_message(collection)
    )
    messages.deliver_once(
        f"{KEY}_sheet_{collection.sheet}", collection.sheet, _sheet_channel, lambda: sheet_message(collection)
    )
    messages.answer(KEY)
    messages.deliver_model()


def _colouring(collection: Collection, colour_by: str) -> dict:
    if colour_by == "class":
        return {"kind": "class"}
    dim = int(colour_by[1:]) if colour_by.startswith("z") else None
    values = collection.recon if dim is None else collection.codes[:, dim]
    values = values[np.isfinite(values)]
    low, high = np.quantile(values, [0.02, 0.98]) if len(values) else (0.0, 0.0)
    if dim is not None:  # signed: the middle of the scale is 0
        low, high = -max(-low, high), max(-low, high)
    return {
        "kind": "value", "dim": dim, "low": float(low), "high": float(high),
        "ramp": sample_colorscale("Cividis" if dim is None else "RdBu", RAMP),
        "title": "reconstruction error, nats" if dim is None else state.dim_name(dim),
    }  # fmt: skip


def _said(collection: Collection, event: str) -> dict | None:
    """What the browser says of this very collection."""
    said = messages.payload(KEY, event)
    return said if said is not None and said.get("collection") == collection.id else None


def _picked(collection: Collection, layout: Layout, on_pick) -> None:
    said = _said(collection, "pick")
    if said is None:
        return
    index, places = said.get("index"), _places([said.get("place")])
    if type(index) is int and 0 <= index < len(collection):  # True is an int too
        on_pick(index, None)
    elif places is not None and said.get("layout") == layout.key:
        on_pick(None, places[0])
    st.session_state.scatter_changed = True


def _chosen(collection: Collection, on_lasso) -> None:
    said = _said(collection, "lasso")
    indices = None if said is None else said.get("indices")
    if isinstance(indices, list) and all(type(i) is int for i in indices):
        on_lasso(np.array([i for i in sorted(set(indices)) if 0 <= i < len(collection)], int))
        st.session_state.scatter_changed = True


def _drawn(collection: Collection, layout: Layout, on_path) -> None:
    said = _said(collection, "path")
    places = None if said is None else _places(said.get("places"))
    if places is not None and len(places) > 1 and said.get("layout") == layout.key:
        on_path(places)
        st.session_state.scatter_changed = True


def _places(values) -> np.ndarray | None:
    """What a browser calls places -> (S, 2), or None."""
    if not isinstance(values, list) or not 0 < len(values) <= MOST_STOPS:
        return None
    for pair in values:
        if not isinstance(pair, list) or len(pair) != 2:
            return None
        # the comparison is false of NaN, infinity and integers that no float holds
        if not all(isinstance(v, (int, float)) and abs(v) < 1e6 for v in pair):
            return None
    return np.array(values, float)
