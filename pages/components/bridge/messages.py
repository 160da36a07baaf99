"""Decoding for components in the browser: it fetches a model once, or requests pictures.

The browser decodes by itself and sends no message while a slider moves. For a decoder that cannot be exported it
requests pictures instead: one request at a time, for the latest value.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from vae.browser import answers
from vae.data.modality import IMAGES, Modality

from ..shell import cached, state
from ..shell.parse import MAX_COUNT, MAX_ID, parse_code, parse_codes, parse_int, parse_object, parse_text
from . import assets
from .component import channel

if TYPE_CHECKING:
    from torch import Tensor

_answer_channel = channel("decoder_answer", "runtime/answer_channel.js")
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


def model_files(name: str) -> dict[str, str]:
    """Return the addresses from which the browser fetches a model, or the reason why it cannot decode with it."""
    found = cached.network(name)
    if "decode" not in found["networks"]:
        return {"reason": found["not_portable"].get("decode", "this decoder cannot be exported")}
    return {file: assets.model_address(name, file) for file in assets.MODEL_FILES}


def model_id(name: str) -> str:
    """Return the name under which a browser keeps a model. It changes with each of the model's files: a tab may stay
    open while a model is trained again, or its map is fitted."""
    return f"{name} {assets.content_hash(' '.join(model_files(name).values()).encode())}"


def pixels_for_browser() -> str:
    """Return the current point's picture, decoded here for a browser that cannot; "" for others, and where the picture
    is not finite."""
    if "decode" in state.traits().networks:
        return ""
    decoded = state.decode(state.z()[None])
    return base64.b64encode(state.as_pictures(decoded)[0].tobytes()).decode() if state.finite(decoded) else ""


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
    import torch

    ys = torch.full((len(zs),), _class(ask.get("y"))) if state.traits().num_classes else None
    return pictures_message(ask, lambda: state.decode(zs, ys), state.info().modality)


def pictures_message(ask: dict, decode: Callable[[], Tensor], modality: Modality = IMAGES) -> bytes:
    """Encode the images of decode(), (N, C, H, W), as the answer to a request, see vae.browser.answers."""
    return answers.pictures_message(request_id(ask), decode, modality)


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


def point(fields: dict | None) -> tuple[np.ndarray | None, int, bool]:
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
    label = parse_int(value, 0, state.traits().num_classes - 1)
    return st.session_state.y if label is None else label
