"""A scatter plot of encoded images. Every position on it decodes to an image.

Python sends points, codes and thumbnails once. Hovering, zooming and filtering classes send no message; clicks, lassos
and drawn paths do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from vae.browser.colours import class_colours, ramps

from ..bridge import messages
from ..bridge.component import channel, widget
from ..bridge.rerun import request_rerun, rerun_if_requested
from ..shell import state
from ..shell.parse import parse_indices, parse_int, parse_positions
from ..widgets.collection import Collection, Layout, points_message, sheet_message

_component = widget("scatter")
_points_channel = channel("scatter_points", "widgets/scatter/points_channel.js")
_sheet_channel = channel("scatter_sheet", "widgets/scatter/sheet_channel.js")
KEY = "scatter"
MAX_PATH_POSITIONS = 300  # in one drawn path


@st.fragment
def scatter(
    collection: Collection,
    layout: Layout,
    colour_by: str,
    on_pick: Callable[[int | None, np.ndarray | None], None],
    on_lasso: Callable[[np.ndarray], None],
    on_path: Callable[[np.ndarray], None],
    current: np.ndarray,
    neighbours: np.ndarray,
    selected: np.ndarray,
    path: np.ndarray,
    marks: list[tuple[str, np.ndarray]],
) -> None:
    """Show a collection on a layout, coloured by "class", "reconstruction error" or "z<d>".

    on_pick(index of a point, or None and a position (2,)), on_lasso(indices) and on_path(positions (S, 2)) run before
    the page does. current: the position (2,) of the current z. neighbours: indices joined to it by lines. selected:
    indices that are not dimmed. path: positions (S, 2). marks: (name, position (2,)) of other codes.
    """
    rerun_if_requested(KEY)
    model, card = state.model(), state.card()
    channels, height, width = model.image_shape
    plane = layout.plane
    _component(
        key=KEY,
        data={
            "model": card.name, "weights": messages.model_id(card.name),
            "files": messages.model_files(card.name), "collection": collection.id,
            "layout": {
                "key": layout.key, "dims": layout.dims, "k": layout.neighbours,
                "origin": None if plane is None else plane.origin.tolist(),
                "axes": None if plane is None else plane.axes.tolist(),
            },
            "colouring": _colouring(collection, colour_by),
            "classes": list(collection.classes), "colours": class_colours(len(collection.classes)),
            "current": current.tolist(),
            "marks": [{"name": name, "place": position.tolist()} for name, position in marks],
            "near": neighbours.tolist(), "chosen": selected.tolist(), "path": path.tolist(),
            "z": list(st.session_state.z), "y": st.session_state.y,
            "classes_matter": model.num_classes > 0,
            "height": height, "width": width, "channels": channels,
            "no_number": state.not_finite_message("at this position"),
        },
        on_ask_change=lambda: None,
        on_pick_change=lambda: _picked(collection, layout, on_pick),
        on_lasso_change=lambda: _lassoed(collection, on_lasso),
        on_path_change=lambda: _path_drawn(collection, layout, on_path),
    )  # fmt: skip
    messages.deliver_once(
        f"{KEY}_points_{collection.id}", collection.id, _points_channel, lambda: points_message(collection)
    )
    messages.deliver_once(
        f"{KEY}_sheet_{collection.sheet}", collection.sheet, _sheet_channel, lambda: sheet_message(collection)
    )
    messages.answer(KEY)


def _colouring(collection: Collection, colour_by: str) -> dict:
    if colour_by == "class":
        return {"kind": "class"}
    dim = int(colour_by[1:]) if colour_by.startswith("z") else None
    values = collection.encoded.recon if dim is None else collection.encoded.codes[:, dim]
    values = values[np.isfinite(values)]
    low, high = np.quantile(values, [0.02, 0.98]) if len(values) else (0.0, 0.0)
    if dim is not None:  # values have a sign, so centre the scale on 0
        low, high = -max(-low, high), max(-low, high)
    return {
        "kind": "value", "dim": dim, "low": float(low), "high": float(high),
        "ramp": ramps()["magnitude" if dim is None else "signed"],
        "title": "reconstruction error, nats" if dim is None else state.dim_name(dim),
    }  # fmt: skip


def _picked(collection: Collection, layout: Layout, on_pick) -> None:
    payload = messages.payload(KEY, "pick", collection=collection.id)
    if payload is None:
        return
    index = parse_int(payload.get("index"), 0, len(collection) - 1)
    positions = parse_positions([payload.get("place")], 1)
    if index is not None:
        on_pick(index, None)
    elif positions is not None and payload.get("layout") == layout.key:
        on_pick(None, positions[0])
    request_rerun(KEY)


def _lassoed(collection: Collection, on_lasso) -> None:
    payload = messages.payload(KEY, "lasso", collection=collection.id)
    indices = None if payload is None else parse_indices(payload.get("indices"), len(collection))
    if indices is not None:
        on_lasso(indices)
        request_rerun(KEY)


def _path_drawn(collection: Collection, layout: Layout, on_path) -> None:
    payload = messages.payload(KEY, "path", collection=collection.id, layout=layout.key)
    positions = None if payload is None else parse_positions(payload.get("places"), MAX_PATH_POSITIONS)
    if positions is not None and len(positions) > 1:
        on_path(positions)
        request_rerun(KEY)
