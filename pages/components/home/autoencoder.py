"""A model at work: the visitor draws or picks an image, moves z and sees the decoded image, all in the browser."""

from __future__ import annotations

import base64
import dataclasses

import numpy as np
import streamlit as st

from vae import ModelCard

from ..bridge import first_picture, messages
from ..bridge.component import widget
from ..shell import cached, link, navigation, state
from ..shell.parse import parse_code, parse_int, parse_object

_component = widget("autoencoder")
KEY = "home_autoencoder"
N_IMAGES = 8  # test images to pick from
TRY = {  # model: what to try; others have GENERAL
    "mnist-vae-2d": "drag the circle slowly from the 3s to the 8s. Where does one become the other?",
}
GENERAL = "drag the circle across the square. What changes in the image, and what stays?"


def is_supported(name: str) -> bool:
    """Return whether a browser can encode and decode with a model whose code has two dimensions or more to move."""
    model = cached.traits(name)
    needed = {"decode", "encode", *(("classify",) if model.num_classes else ())}
    return needed <= set(model.networks) and not model.discrete and model.latent_dim > 1


def model_to_show() -> ModelCard | None:
    """Return the current model's card, or the default model's if the current one is not supported; None without
    either."""
    cards = cached.zoo_scan()[0]
    names = [name for name in (st.session_state.model, link.DEFAULT_MODEL) if name in cards and is_supported(name)]
    return cards[names[0]] if names else None


def is_own(card: ModelCard | None) -> bool:
    """Return whether a model is the current one, whose z the visitor moves here for all pages."""
    return card is not None and card.name == st.session_state.model


def can_draw(card: ModelCard) -> bool:
    """Return whether a drawing can be an image of the model's data."""
    return card.image_shape[0] == 1


def to_try(card: ModelCard) -> str:
    """Return what to try with a model, as the end of a sentence."""
    return TRY.get(card.name, GENERAL)


def autoencoder(card: ModelCard) -> None:
    """Show a model at work, at the current point if it is the current model."""
    model, info = cached.traits(card.name), cached.info(card.data)
    channels, height, width = model.image_shape
    z, y = _start(card)
    ranges = cached.slider_ranges(card.name)
    names = state.names() if is_own(card) else {}
    _component(
        key=KEY,
        data={
            "model": card.name, "weights": messages.model_id(card.name), "files": messages.model_files(card.name),
            "height": height, "width": width, "channels": channels, "noun": info.noun,
            "z": z, "y": y, "classes": list(info.classes) if model.num_classes else [],
            "gaussian": model.analytic_kl and not model.levels,
            "dims": [
                {"index": d, "name": names.get(d) or f"z{d}", "low": float(low), "high": float(high)}
                for d in cached.dimension_order(card.name)[:2] for low, high in [ranges[d]]
            ],
            "images": _images(card), "draw": can_draw(card),
            "preparation": dataclasses.asdict(info.preparation),
            "no_number": state.not_finite_message("at this point"), "painted": first_picture.address(),
        },
        on_move_change=lambda: _move(card), on_open_change=lambda: _open(card),
    )  # fmt: skip


def _start(card: ModelCard) -> tuple[list[float], int]:
    """Return the z and the class at which the picture begins."""
    if is_own(card):
        return list(st.session_state.z), st.session_state.y
    start = cached.first_view(card.name, card).get("start")
    return (start["z"], start["y"]) if start else (cached.traits(card.name).prior_mean.tolist(), 0)


def _images(card: ModelCard) -> list[dict]:
    """Return test images of the model's data, of different classes where it has as many; first the one at which it
    starts."""
    split, info = cached.gallery(card.data), cached.info(card.data)
    _, firsts = np.unique(split.labels, return_index=True)
    rows = list(dict.fromkeys([info.start, *np.sort(firsts).tolist(), *range(N_IMAGES)]))
    others = [row for row in rows[1:] if split.labels[row] != split.labels[info.start]] + rows[1:]
    rows = list(dict.fromkeys([info.start, *others]))[:N_IMAGES]
    conditional = bool(cached.traits(card.name).num_classes)
    return [
        {
            "x": base64.b64encode(split.render(np.array([row]))[0].tobytes()).decode(),
            "y": int(split.labels[row]) if conditional else 0,
            "label": f"test image {row}: {info.classes[split.labels[row]]}",
        }
        for row in rows
    ]  # fmt: skip


def _sent_point(card: ModelCard, event: str) -> tuple[np.ndarray | None, int | None]:
    """Return the code (D,) and the class that the browser has sent with an event; None for what is not valid."""
    fields = parse_object(messages.sent(KEY, event), model=card.name)
    if fields is None:
        return None, None
    z, _ = parse_code(fields.get("z"), cached.slider_ranges(card.name).mean(axis=1), state.MAX_ABS)
    return z, parse_int(fields.get("y"), 0, max(0, cached.traits(card.name).num_classes - 1))


def _move(card: ModelCard) -> None:
    """Make the point that the visitor has moved to the current one."""
    z, y = _sent_point(card, "move")
    if z is not None and is_own(card):
        state.set_z(z, y=y, start=False)


def _open(card: ModelCard) -> None:
    """Take model, z and class along to Sliders."""
    z, y = _sent_point(card, "open")
    if z is None:
        return
    if not is_own(card):
        state.begin_model(card.name)
    state.set_z(z, y=y)
    navigation.open_page("sliders")
