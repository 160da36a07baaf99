"""A heat map with clickable cells: a table of numbers on coloured backgrounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vae.browser.colours import CIVIDIS, on_scale

from ..bridge import messages
from ..bridge.component import widget
from ..shell.parse import parse_int

_component = widget("heat_map")


def heat_map(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    key: str,
    on_pick: Callable[[int, int], None],
    selected: tuple[int, int],
    name: str,
) -> None:
    """Show values (R, C) from 0 to 1 in cividis. on_pick(row, column) runs before the page does.

    Arrow keys move between cells; Enter or Space picks one.
    """
    shares = np.clip(values, 0, 1)
    colours = [on_scale(CIVIDIS, row) for row in shares]

    def picked() -> None:
        cell = parse_int(messages.sent(key, "pick"), 0, values.size - 1)
        if cell is not None:
            on_pick(*divmod(cell, values.shape[1]))

    _component(
        key=key,
        data={
            "name": name, "rows": list(rows), "columns": list(columns), "colours": colours,
            # the upper half of cividis is bright and needs dark text
            "dark": (shares > 0.5).tolist(),
            "texts": [[f"{value:.2f}" for value in row] for row in values],
            "selected": list(selected),
        },
        on_pick_change=picked,
    )  # fmt: skip
