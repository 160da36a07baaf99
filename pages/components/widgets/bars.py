"""Bars for the KL of each dimension. (A Plotly chart would be the first thing of megabytes that a browser loads.)"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..bridge.component import widget

_component = widget("bars")
MIN_KL_AXIS = 0.5  # nats; on a shorter axis a collapsed code would look informative


def kl_bars(
    kl: np.ndarray, average: np.ndarray | None, order: Sequence[int], names: Sequence[str], key: str,
    top: float | None = None,
) -> None:  # fmt: skip
    """Show the KL of each dimension (D,) for one image and the average over test images (D,), in nats.

    order, names: the dimensions from left to right, and their names. top: upper end of the axis, for charts that
    share it.
    """
    if top is None:
        top = max(float(values.max()) for values in (kl, average) if values is not None)
    dims = list(order)
    _component(
        key=key,
        data={
            "values": kl[dims].tolist(), "references": None if average is None else average[dims].tolist(),
            "names": list(names), "top": 1.05 * max(top, MIN_KL_AXIS), "unit": "KL (nats)", "value": "this image",
            "reference": "average over test images", "title": "KL of each dimension in nats",
        },
    )  # fmt: skip
