"""The live panel: a slider per latent dimension and the picture that follows the hand.

While a slider is dragged the browser asks for pictures, one request in flight, the latest
value winning; only the release writes the current point.
"""

from __future__ import annotations

import base64
import math
import time
from pathlib import Path

import streamlit as st
import torch

from .. import cached, pictures, state

_FOLDER = Path(__file__).parent
_component = st.components.v2.component(
    "live_panel",
    html=(_FOLDER / "live_panel.html").read_text(),
    css=(_FOLDER / "live_panel.css").read_text(),
    js=(_FOLDER / "live_panel.js").read_text(),
)
KEY = "live_panel"
SHOWN_FIRST = 6


@st.fragment
def live_panel() -> None:
    """Sliders over the current point, dimensions by what they carry; writes state on release."""
    if st.session_state.pop("live_panel_committed", False):
        st.rerun()  # the whole page: strips, bars and the URL follow
    model = state.model()
    drag = _drag()
    z = state.z() if drag is None else drag["z"]
    start = time.perf_counter()
    pixels = pictures.to_uint8(state.decode(z[None]))[0]  # (H, W, C)
    milliseconds = 1000 * (time.perf_counter() - start)
    _component(
        key=KEY,
        data={
            "model": model.card.name,
            "dims": _dimensions(),
            "shown_first": SHOWN_FIRST,
            "z": list(st.session_state.z),
            "version": state.version(),
            "answers": drag["seq"] if drag else 0,
            "picture": {
                "height": pixels.shape[0], "width": pixels.shape[1], "channels": pixels.shape[2],
                "pixels": base64.b64encode(pixels.tobytes()).decode(),
            },
            "milliseconds": milliseconds,
        },
        on_drag_change=lambda: None,
        on_commit_change=_commit,
    )  # fmt: skip


def _dimensions() -> list[dict]:
    """Slider settings, in the order in which they are shown."""
    card = state.card()
    ranges = cached.slider_ranges(card.name)
    kl = card.figures.get("kl_per_dim")
    return [
        {
            "index": d, "low": float(ranges[d, 0]), "high": float(ranges[d, 1]),
            "kl": kl[d] if kl else None,
        }
        for d in cached.dimension_order(card.name)
    ]  # fmt: skip


def _drag() -> dict | None:
    """The hand's last position, if it belongs to the current point; checked, for it comes from
    a browser."""
    payload = (st.session_state.get(KEY) or {}).get("drag")
    if not isinstance(payload, dict) or payload.get("version") != state.version():
        return None
    if payload.get("model") != state.card().name or not isinstance(payload.get("seq"), int):
        return None
    z = _checked(payload.get("z"))
    return None if z is None else {"z": z, "seq": payload["seq"]}


def _commit() -> None:
    payload = st.session_state[KEY].commit
    if isinstance(payload, dict) and payload.get("model") == state.card().name:
        z = _checked(payload.get("z"))
        if z is not None:
            state.set_z(z)
            st.session_state.live_panel_committed = True


def _checked(values) -> torch.Tensor | None:
    """(D,) from JSON, or None for anything but D finite numbers."""
    if not isinstance(values, list) or len(values) != state.model().latent_dim:
        return None
    if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in values):
        return None
    z = torch.tensor(values, dtype=torch.float32)  # JSON makes an int of 1.0
    return z.clamp(-state.MAX_ABS, state.MAX_ABS)
