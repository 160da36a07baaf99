"""Decoding for components in the browser: a model's decoder sent once, or pictures on request.

Where the decoder is made of plain layers the browser decodes, and no message is sent while the hand
moves. Otherwise it asks for pictures, one request in flight, the latest value winning.
"""

from __future__ import annotations

import json
import math
import struct
import time
from typing import Callable

import numpy as np
import streamlit as st
import torch

from vae import browser
from vae.data.modality import IMAGES, Modality
from vae.models.portable import portable_decoder

from ..shell import cached, pictures, state
from ..shell.parse import MAX_COUNT, MAX_ID, parse_code, parse_codes, parse_int, parse_object, parse_text

_model_channel = st.components.v2.component(
    "decoder_model", js=browser.source("runtime/mailbox.js", "runtime/network.js", "runtime/model_channel.js")
)
_answer_channel = st.components.v2.component(
    "decoder_answer", js=browser.source("runtime/mailbox.js", "runtime/answer_channel.js")
)
DRAWS = 2000  # posterior draws that histograms and densities are made of
MAX_AT_ONCE = 256  # pictures in one request


def deliver_once(key: str, name: str, channel, make) -> None:
    """Send raw bytes through a channel until the browser confirms that it has those of this name."""
    received = st.session_state.setdefault("received", set())
    if name in received:
        return

    def note() -> None:
        if sent(key, "received") == name:
            received.add(name)

    channel(key=key, data=make(), on_received_change=note)


def deliver_model(name: str | None = None) -> None:
    """Send a model's decoder and draws; the current one's unless another is named."""
    name = name or state.card().name
    deliver_once(
        f"decoder_model_{name}", cached.weights_id(name), _model_channel, lambda: _model_message(name)
    )


@st.cache_data(max_entries=40, show_spinner=False)
def _model_message(name: str) -> bytes:
    """Return samples (N, D) from the encoded data's posteriors, as bytes over each slider's range, and the
    decoder's weights."""
    low, high = cached.slider_ranges(name).T
    values = (cached.posterior_draws(name)[:DRAWS] - low) / (high - low)
    draws = np.floor(values * 256).clip(0, 255).astype(np.uint8).tobytes()
    weights = portable_decoder(cached.model(name))
    header = {"kind": "model", "model": cached.weights_id(name), "draws": len(draws)}
    if weights is None:
        header["reason"] = "this decoder is more than plain layers"
    return message(header, draws + (weights or b""))


def message(header: dict, payload: bytes) -> bytes:
    """Return [header length, uint32][JSON header][payload], as mailbox.js reads it."""
    text = json.dumps(without_nan(header), allow_nan=False).encode()
    return struct.pack("<I", len(text)) + text + payload


def without_nan(value):
    """Return value with None for each NaN and infinity: a browser refuses a whole JSON text with one in it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(part) for part in value]
    return value


def answer(key: str) -> None:
    """Send the pictures that the component with this key asked for; nothing where it asked for none."""
    send_answer(key, _pictures(payload(key, "ask")))


def send_answer(key: str, content: bytes) -> None:
    """Send bytes as the answer to the question of the component with this key."""
    _answer_channel(key=f"{key}_answer", data=content)


def _pictures(ask: dict | None) -> bytes:
    zs = None if ask is None else parse_codes(ask.get("zs"), MAX_AT_ONCE, _fallback(), state.MAX_ABS)
    if zs is None:
        return b""
    ys = torch.full((len(zs),), _class(ask.get("y"))) if state.model().num_classes else None
    return pictures_message(ask, lambda: state.decode(zs, ys), state.info().modality)


def pictures_message(ask: dict, draw: Callable[[], torch.Tensor], modality: Modality = IMAGES) -> bytes:
    """Return the pictures of draw(), (N, C, H, W), as the answer to a question. "missing" lists those that
    are not finite, which bytes cannot express."""
    begun = time.perf_counter()
    drawn = draw()
    pixels = modality.picture(drawn)  # (N, H, W, C)
    milliseconds = 1000 * (time.perf_counter() - begun)
    header = {
        **question(ask), "count": len(pixels), "missing": pictures.missing(drawn), "milliseconds": milliseconds,
    }  # fmt: skip
    return message(header, pixels.tobytes())


def question(ask: dict) -> dict:
    """Return what names a question, for its answer to repeat: the panel and its number."""
    return {"panel": parse_text(ask.get("panel"), MAX_ID), "seq": parse_int(ask.get("seq"), 0, MAX_COUNT)}


def sent(key: str, event: str):
    """Return what the browser sent with a component's event, not yet validated; None for nothing."""
    return (st.session_state.get(key) or {}).get(event)


def payload(key: str, event: str, **about) -> dict | None:
    """Return what the browser sent with an event, if it is an object about the current model and about
    whatever else is named (collection="...")."""
    return parse_object(sent(key, event), model=state.card().name, **about)


def point(fields: dict | None) -> tuple[torch.Tensor | None, int, bool]:
    """Return the code (D,) of a payload's "z", None where it has none, the class of its "y", and whether
    the code was repaired."""
    if fields is None:
        return None, st.session_state.y, False
    z, repaired = parse_code(fields.get("z"), _fallback(), state.MAX_ABS)
    return z, _class(fields.get("y")), repaired


def _fallback() -> np.ndarray:
    """Return the middle of each slider's range (D,)."""
    return cached.slider_ranges(state.card().name).mean(axis=1)


def _class(value) -> int:
    """Return a class of the current model; the current class where value is none."""
    label = parse_int(value, 0, state.model().num_classes - 1)
    return st.session_state.y if label is None else label
