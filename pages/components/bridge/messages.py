"""Decoding for the browser's parts: a model's decoder sent once, or pictures on request.

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
from vae.models.portable import portable_decoder

from ..shell import cached, pictures, state

_model_channel = st.components.v2.component(
    "decoder_model", js=browser.source("runtime/mailbox.js", "runtime/network.js", "runtime/model_channel.js")
)
_answer_channel = st.components.v2.component(
    "decoder_answer", js=browser.source("runtime/mailbox.js", "runtime/answer_channel.js")
)
DRAWS = 2000  # posterior draws that histograms and densities are made of
MOST_AT_ONCE = 256  # pictures in one request


def deliver_once(key: str, name: str, channel, make) -> None:
    """Send raw bytes through a channel, until the browser says that it has those of this name."""
    received = st.session_state.setdefault("received", set())
    if name in received:
        return

    def note() -> None:
        if (st.session_state.get(key) or {}).get("received") == name:
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
    """Draws (N, D) from the encoded data's posteriors, as bytes over each slider's range, and
    the decoder's weights."""
    low, high = cached.slider_ranges(name).T
    values = (cached.posterior_draws(name)[:DRAWS] - low) / (high - low)
    draws = np.floor(values * 256).clip(0, 255).astype(np.uint8).tobytes()
    weights = portable_decoder(cached.model(name))
    header = {"kind": "model", "model": cached.weights_id(name), "draws": len(draws)}
    if weights is None:
        header["reason"] = "this decoder is more than plain layers"
    return message(header, draws + (weights or b""))


def message(header: dict, payload: bytes) -> bytes:
    """[header length, uint32][JSON header][payload], as mailbox.js reads it."""
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
    """Send the pictures that the part with this key asked for, if it did; nothing for a question
    that is no good."""
    send_answer(key, _pictures(payload(key, "ask")))


def send_answer(key: str, content: bytes) -> None:
    _answer_channel(key=f"{key}_answer", data=content)


def _pictures(ask: dict | None) -> bytes:
    zs = (ask or {}).get("zs")
    if not isinstance(zs, list) or not 0 < len(zs) <= MOST_AT_ONCE:
        return b""
    codes = [checked(values)[0] for values in zs]
    if any(z is None for z in codes):
        return b""
    label = checked_class(ask.get("y"))
    ys = torch.full((len(codes),), label) if state.model().num_classes else None
    return pictures_message(ask, lambda: state.decode(torch.stack(codes), ys))


def pictures_message(ask: dict, draw: Callable[[], torch.Tensor]) -> bytes:
    """The pictures that draw() gives, (N, C, H, W), as the answer to a question. "missing" lists those
    that are not finite, which bytes cannot say."""
    begun = time.perf_counter()
    drawn = draw()
    pixels = state.as_pictures(drawn)  # (N, H, W, C)
    milliseconds = 1000 * (time.perf_counter() - begun)
    header = {
        "panel": str(ask.get("panel"))[:40], "seq": ask.get("seq"),
        "count": len(pixels), "missing": pictures.missing(drawn), "milliseconds": milliseconds,
    }  # fmt: skip
    return message(header, pixels.tobytes())


def payload(key: str, event: str) -> dict | None:
    """What the browser says of an event, if it is an object and about the current model."""
    said = (st.session_state.get(key) or {}).get(event)
    if isinstance(said, dict) and said.get("model") == state.card().name:
        return said
    return None


def checked(values) -> tuple[torch.Tensor | None, bool]:
    """What a browser calls a code -> ((D,) or None, whether a value had to be mended). JSON makes
    null of NaN and infinity: such values are put back into the data's range."""
    if not isinstance(values, list) or len(values) != state.model().latent_dim:
        return None, False
    if not all(value is None or isinstance(value, (int, float)) for value in values):
        return None, False
    # this comparison is false of NaN, infinity and integers that no float holds
    clean = [value if value is not None and abs(value) < 1e30 else None for value in values]
    mended = None in clean
    if mended:
        low, high = cached.slider_ranges(state.card().name).T
        middle = (low + high) / 2
        clean = [middle[d] if value is None else value for d, value in enumerate(clean)]
    return torch.tensor(clean, dtype=torch.float32).clamp(-state.MAX_ABS, state.MAX_ABS), mended


def checked_class(value) -> int:
    known = isinstance(value, int) and 0 <= value < state.model().num_classes
    return value if known else st.session_state.y
