"""The live panel of a link before its session has begun, see bridge/early.py."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vae.encoded import nearest_values

from ..shell import cached, link, state
from ..shell.parse import parse_code_text, parse_int_text, repair_link
from .panel import panel_props

PARAMETERS = {"model", "weights", "z", "y", "seed"}  # of a link whose page begins with the panel


def props(parameters: Mapping[str, str]) -> dict | None:
    """Return what the panel shows of a link; None where the page may show something else."""
    parameters = repair_link(dict(parameters))
    name = parameters.get("model", link.DEFAULT_MODEL)
    card = cached.shared_scan()[0].get(name)
    if card is None or not parameters.keys() <= PARAMETERS:
        return None
    if parameters.get("weights", card.weights_hash) != card.weights_hash:
        return None
    model, start = cached.traits(name), cached.first_view(name, card).get("start")
    if model.discrete or "decode" not in model.networks:
        return None
    if "z" in parameters:
        z, problem = parse_code_text(parameters["z"], model.latent_dim, state.MAX_ABS)
        y = parse_int_text(parameters.get("y", "0"), 0, max(model.num_classes - 1, 0))
        if z is None or problem or y is None:
            return None
    elif start is not None and "y" not in parameters:
        z, y = np.array(start["z"], np.float32), start["y"]
    else:
        return None
    if model.values is not None:
        z = nearest_values(z, model.values)
    point = state.as_kept(z), y
    session = {
        "version": 1, "by": "", "echo": {"panel": "", "commit": 0}, "pixels": "", "note": "",
        "no_number": state.NOT_FINITE.format("at this z"),
    }  # fmt: skip
    return panel_props(name, point, point) | session
