"""The live panel: a slider per latent dimension, a 2-D pad, and the picture that follows the hand.

Where the decoder is made of plain layers the browser decodes: its weights are sent once and a
drag costs no message. Otherwise the browser asks for pictures, one request in flight, the latest
value winning. Either way only the release writes the current point.
"""

from __future__ import annotations

import base64
import json
import struct
import time
from pathlib import Path

import numpy as np
import streamlit as st
import torch

from vae.models.portable import portable_decoder

from .. import cached, pictures, state


def _read(*names: str) -> str:
    return "\n".join((Path(__file__).parent / name).read_text() for name in names)


_panel = st.components.v2.component(
    "live_panel",
    html=_read("live_panel.html"),
    css=_read("live_panel.css"),
    # one module for the browser, a file for each part of it
    js=_read("mailbox.js", "live_panel.js", "picture.js", "sliders.js", "around.js", "pad.js"),
)
_model_channel = st.components.v2.component(
    "live_panel_model", js=_read("mailbox.js", "decoder.js", "model_channel.js")
)
_answer_channel = st.components.v2.component(
    "live_panel_answer", js=_read("mailbox.js", "answer_channel.js")
)
KEY = "live_panel"
SHOWN_FIRST = 6  # sliders; of each level where there are levels, half as many
DRAWS = 2000  # posterior draws that histograms and densities are made of
MOST_AT_ONCE = 256  # pictures in one request


@st.fragment
def live_panel() -> None:
    """Sliders over the current point, dimensions by what they carry; writes state on release."""
    if st.session_state.pop("panel_changed", False):
        st.rerun()  # the whole page: strips, bars and the URL follow
    model, card = state.model(), state.card()
    pixels = pictures.to_uint8(state.decode(state.z()[None]))[0]  # (H, W, C)
    height, width, channels = pixels.shape
    start_z, start_y = state.start_point()
    _panel(
        key=KEY,
        data={
            "model": card.name,
            "weights": cached.weights_id(card.name),
            "dims": _dimensions(),
            "shown_first": SHOWN_FIRST // 2 if model.groups else SHOWN_FIRST,
            "z": list(st.session_state.z),
            "y": st.session_state.y,
            "start": {"z": list(start_z), "y": start_y},
            "version": state.version(),
            "echo": st.session_state.get("panel_echo", {"panel": "", "commit": 0}),
            "classes": list(cached.info(card.data).classes) if model.num_classes else [],
            "height": height, "width": width, "channels": channels,
            "pixels": base64.b64encode(pixels.tobytes()).decode(),
            "note": st.session_state.pop("panel_note", ""),
        },
        on_ask_change=lambda: None,
        on_commit_change=_commit,
        on_rename_change=_rename,
        on_lock_change=_lock,
    )  # fmt: skip
    _answer_channel(key=f"{KEY}_answer", data=_answer())
    _deliver_model()


def _deliver_model() -> None:
    """Send the current model's decoder and draws, until the browser says that it has them."""
    name = state.card().name
    received = st.session_state.setdefault("panel_received", set())
    if name in received:
        return
    key = f"{KEY}_model_{name}"

    def note() -> None:
        if (st.session_state.get(key) or {}).get("received") == cached.weights_id(name):
            received.add(name)

    _model_channel(key=key, data=_model_message(name), on_received_change=note)


@st.cache_data(max_entries=40, show_spinner=False)
def _model_message(name: str) -> bytes:
    """Draws (N, D) from the encoded data's posteriors, as bytes over each slider's range, and
    the decoder's weights."""
    low, high = cached.slider_ranges(name).T
    values = (cached.posterior_draws(name)[:DRAWS] - low) / (high - low)
    draws = np.floor(values * 256).clip(0, 255).astype(np.uint8).tobytes()
    weights = portable_decoder(cached.model(name))
    header = {"kind": "model", "model": cached.weights_id(name), "draws": len(draws)}
    if weights is None:
        header["reason"] = "this decoder is more than plain layers"
    return _message(header, draws + (weights or b""))


def _dimensions() -> list[dict]:
    """Slider settings, in the order in which they are shown."""
    card, prior = state.card(), state.model().prior
    mu, sigma = prior.mean.tolist(), prior.stddev.tolist()
    gaussian = isinstance(prior, torch.distributions.Independent)  # else no line stands for it
    group = {d: name for name, dims in state.model().groups.items() for d in dims}
    ranges = cached.slider_ranges(card.name)
    kl = card.figures.get("kl_per_dim")
    locked = state.locked()
    return [
        {
            "index": d, "low": float(ranges[d, 0]), "high": float(ranges[d, 1]),
            "kl": kl[d] if kl else None, "name": state.names().get(d, ""), "locked": d in locked,
            "prior_mu": mu[d], "prior_sigma": sigma[d] if gaussian else None, "group": group.get(d, ""),
        }
        for d in cached.dimension_order(card.name)
    ]  # fmt: skip


def _message(header: dict, payload: bytes) -> bytes:
    """[header length, uint32][JSON header][payload], as mailbox.js reads it."""
    text = json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + payload


def _answer() -> bytes:
    """The pictures that the browser asked for, if it did; nothing for a question that is no good."""
    ask = _payload("ask")
    if ask is None:
        return b""
    zs = ask.get("zs")
    if not isinstance(zs, list) or not 0 < len(zs) <= MOST_AT_ONCE:
        return b""
    checked = [_checked(values) for values in zs]
    if any(z is None for z in checked):
        return b""
    label = _checked_class(ask.get("y"))
    ys = torch.full((len(checked),), label) if state.model().num_classes else None
    begun = time.perf_counter()
    pixels = pictures.to_uint8(state.decode(torch.stack(checked), ys))  # (N, H, W, C)
    milliseconds = 1000 * (time.perf_counter() - begun)
    header = {
        "panel": str(ask.get("panel"))[:40], "seq": ask.get("seq"),
        "count": len(pixels), "milliseconds": milliseconds,
    }  # fmt: skip
    return _message(header, pixels.tobytes())


def _payload(event: str) -> dict | None:
    """What the browser says of an event, if it is an object and about the current model."""
    payload = (st.session_state.get(KEY) or {}).get(event)
    if isinstance(payload, dict) and payload.get("model") == state.card().name:
        return payload
    return None


def _commit() -> None:
    payload = _payload("commit")
    z = None if payload is None else _checked(payload.get("z"))
    if z is not None:
        state.set_z(z, y=_checked_class(payload.get("y")), start=False)
        # so that the panel can tell the echo of its last release from that of an earlier one
        commit = payload.get("commit")
        st.session_state.panel_echo = {
            "panel": str(payload.get("panel"))[:40], "commit": commit if isinstance(commit, int) else 0,
        }  # fmt: skip
        st.session_state.panel_changed = True


def _rename() -> None:
    payload = _payload("rename")
    if payload is not None:
        state.rename(payload.get("index"), payload.get("name"))
        st.session_state.panel_changed = True


def _lock() -> None:
    payload = _payload("lock")
    if payload is not None:
        state.lock(payload.get("index"), bool(payload.get("locked")))


def _checked(values) -> torch.Tensor | None:
    """What a browser calls a code -> (D,), or None. JSON makes null of NaN and infinity: such
    values are put back into the data's range, and the panel says so."""
    if not isinstance(values, list) or len(values) != state.model().latent_dim:
        return None
    if not all(value is None or isinstance(value, (int, float)) for value in values):
        return None
    # this comparison is false of NaN, infinity and integers that no float holds
    clean = [value if value is not None and abs(value) < 1e30 else None for value in values]
    if None in clean:
        low, high = cached.slider_ranges(state.card().name).T
        middle = (low + high) / 2
        clean = [middle[d] if value is None else value for d, value in enumerate(clean)]
        st.session_state.panel_note = "a value that was no number was put back into the data's range"
    return torch.tensor(clean, dtype=torch.float32).clamp(-state.MAX_ABS, state.MAX_ABS)


def _checked_class(value) -> int:
    known = isinstance(value, int) and 0 <= value < state.model().num_classes
    return value if known else st.session_state.y
