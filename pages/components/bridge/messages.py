"""Decoding for components in the browser: Python sends a model's decoder once, or pictures on request.

The browser decodes by itself and sends no message while a slider moves. For a decoder that cannot be exported it
requests pictures instead: one request at a time, for the latest value.
"""

from __future__ import annotations

import json
import math
import struct
import time
from collections.abc import Callable

import numpy as np
import streamlit as st
import torch
from safetensors.torch import save

from vae import store
from vae.data.modality import IMAGES, Modality
from vae.models.portable import NotPortable, network_file, tensor_names

from ..shell import cached, pictures, state
from ..shell.parse import MAX_COUNT, MAX_ID, parse_code, parse_codes, parse_int, parse_object, parse_text
from .component import channel

_model_channel = channel("decoder_model", "runtime/model_channel.js")
_answer_channel = channel("decoder_answer", "runtime/answer_channel.js")
POSTERIOR_SAMPLES = 2000  # for histograms and densities
MAX_PICTURES = 256  # in one request


def deliver_once(key: str, name: str, component, make) -> None:
    """Send raw bytes through a channel's component until the browser confirms that it has received this name."""
    received = st.session_state.setdefault("received", set())
    if name in received:
        return

    def confirm() -> None:
        if sent(key, "received") == name:
            received.add(name)

    component(key=key, data=make(), on_received_change=confirm)


def deliver_model(name: str | None = None) -> None:
    """Send the decoder and posterior samples of a model, by default the current one."""
    name = name or state.card().name
    deliver_once(f"decoder_model_{name}", cached.weights_id(name), _model_channel, lambda: _model_message(name))


@st.cache_data(max_entries=40, show_spinner=False)
def _model_message(name: str) -> bytes:
    """Encode posterior samples (N, D), one byte per value over each slider's range, and the decoder's weights."""
    low, high = cached.slider_ranges(name).T
    values = (cached.posterior_samples(name)[:POSTERIOR_SAMPLES] - low) / (high - low)
    samples = np.floor(values * 256).clip(0, 255).astype(np.uint8).tobytes()
    header = {"kind": "model", "model": cached.weights_id(name), "draws": len(samples)}
    try:
        network, weights = _decoder(name)
    except NotPortable as error:
        return message({**header, "reason": str(error)}, samples)
    return message({**header, "network": network}, samples + weights)


def _decoder(name: str) -> tuple[dict, bytes]:
    """Return a model's network file with its decoder alone, and the decoder's weights in the safetensors format.

    Raises NotPortable.
    """
    model = cached.model(name)
    try:
        network = store.read_network(name)
    except store.ModelUnavailable:
        network = network_file(model)
    if "decode" not in network["networks"]:
        raise NotPortable(network["not_portable"].get("decode", "this decoder cannot be exported"))
    graph, weights = network["networks"]["decode"], model.state_dict()
    names = tensor_names(graph)
    constants = {key: constant for key, constant in network["constants"].items() if key in names}
    tensors = {key: weights[key].contiguous() for key in names if key in weights}
    return {**network, "networks": {"decode": graph}, "constants": constants}, save(tensors)


def message(header: dict, payload: bytes) -> bytes:
    """Return [header length, uint32][JSON header][payload], the format that mailbox.js reads."""
    text = json.dumps(without_nan(header), allow_nan=False).encode()
    return struct.pack("<I", len(text)) + text + payload


def without_nan(value):
    """Return value with None for each NaN and infinity, which a browser's JSON parser rejects."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(part) for part in value]
    return value


def answer(key: str) -> None:
    """Send the pictures that the component with this key requested; empty bytes if it requested none."""
    send_answer(key, _pictures(payload(key, "ask")))


def send_answer(key: str, content: bytes) -> None:
    """Send bytes as the answer to the request of the component with this key."""
    _answer_channel(key=f"{key}_answer", data=content)


def _pictures(ask: dict | None) -> bytes:
    zs = None if ask is None else parse_codes(ask.get("zs"), MAX_PICTURES, _fallback(), state.MAX_ABS)
    if zs is None:
        return b""
    ys = torch.full((len(zs),), _class(ask.get("y"))) if state.model().num_classes else None
    return pictures_message(ask, lambda: state.decode(zs, ys), state.info().modality)


def pictures_message(ask: dict, decode: Callable[[], torch.Tensor], modality: Modality = IMAGES) -> bytes:
    """Encode the images of decode(), (N, C, H, W), as the answer to a request. "missing" lists the indices of those
    that are not finite."""
    start = time.perf_counter()
    images = decode()
    pixels = modality.picture(images)  # (N, H, W, C)
    milliseconds = 1000 * (time.perf_counter() - start)
    header = {
        **request_id(ask), "count": len(pixels), "missing": pictures.non_finite(images), "milliseconds": milliseconds,
    }  # fmt: skip
    return message(header, pixels.tobytes())


def request_id(ask: dict) -> dict:
    """Return the fields that identify a request, which its answer repeats: the panel and the sequence number."""
    return {"panel": parse_text(ask.get("panel"), MAX_ID), "seq": parse_int(ask.get("seq"), 0, MAX_COUNT)}


def sent(key: str, event: str):
    """Return the value that the browser sent with a component's event, not validated; None for no event."""
    return (st.session_state.get(key) or {}).get(event)


def payload(key: str, event: str, **expected) -> dict | None:
    """Return the object that the browser sent with an event; None if its "model" is not the current model or another
    field differs from expected (collection="...")."""
    return parse_object(sent(key, event), model=state.card().name, **expected)


def point(fields: dict | None) -> tuple[torch.Tensor | None, int, bool]:
    """Return (code (D,) or None, class, whether the code was repaired) from a payload's "z" and "y"."""
    if fields is None:
        return None, st.session_state.y, False
    z, repaired = parse_code(fields.get("z"), _fallback(), state.MAX_ABS)
    return z, _class(fields.get("y")), repaired


def _fallback() -> np.ndarray:
    """Return the centre of each slider's range (D,)."""
    return cached.slider_ranges(state.card().name).mean(axis=1)


def _class(value) -> int:
    """Return value if it is a class of the current model, else the current class."""
    label = parse_int(value, 0, state.model().num_classes - 1)
    return st.session_state.y if label is None else label
