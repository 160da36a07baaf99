"""A grid of clickable pictures: samples, traversals, galleries, neighbours.

It sends one sprite sheet; st.image would send one file per picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vae.data import pictures

from ..bridge import messages
from ..bridge.component import widget
from ..shell import state
from ..shell.parse import parse_int

_component = widget("picture_grid")


def picture_grid(
    images,
    labels: Sequence[str],
    key: str,
    on_pick: Callable[[int], None] | None = None,
    columns: int | None = None,
    row_labels: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    size: int = 72,
    selected: int | None = None,
    name: str = "pictures",
    wrap: bool = False,
) -> None:
    """Show images (N, C, H, W) in [0, 1] as buttons. on_pick(index) runs before the page does.

    labels: descriptions for screen readers and tooltips. columns: a fixed number of equal columns; by default as many
    of `size` pixels as fit. wrap: whether rows may be broken where the columns would be too
    narrow. row_labels: text before each row. captions: text under each picture. Without on_pick the pictures are not
    buttons. The cell of a picture that is not finite stays empty, and a note below the grid says so.
    """

    def picked() -> None:
        index = parse_int(messages.sent(key, "pick"), 0, len(images) - 1)
        if on_pick and index is not None:
            on_pick(index)

    props = grid_props(
        images, labels, columns=columns, row_labels=row_labels, captions=captions, size=size, selected=selected,
        name=name, wrap=wrap, clickable=on_pick is not None,
    )  # fmt: skip
    _component(key=key, data=props, on_pick_change=picked)


def grid_props(
    images,
    labels: Sequence[str],
    *,
    columns: int | None = None,
    row_labels: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    size: int = 72,
    selected: int | None = None,
    name: str = "pictures",
    wrap: bool = False,
    clickable: bool = False,
) -> dict:
    """Return the props of the widget picture_grid. The arguments are those of picture_grid()."""
    pixels = state.as_pictures(images)
    n, height, width, _ = pixels.shape
    across = min(n, 32)
    missing = pictures.non_finite(images)
    return {
        "name": name, "sheet": pictures.data_uri(pictures.to_image(pictures.tile(pixels, across))), "n": n,
        "across": across, "down": -(-n // across), "cells": None, "width": width, "height": height,
        "labels": list(labels), "columns": columns, "size": size, "wrap": wrap, "selected": selected,
        "row_labels": list(row_labels) if row_labels else None, "captions": list(captions) if captions else None,
        "clickable": clickable, "missing": missing, "note": _note(len(missing), n),
    }  # fmt: skip


def _note(missing: int, n: int) -> str:
    if not missing:
        return ""
    which = "This image" if n == 1 else f"{missing} of these {n} images"
    holds, so = ("holds", "it is") if missing == 1 else ("hold", "they are")
    return f"{which} {holds} a value that is not a finite number, so {so} not shown."
