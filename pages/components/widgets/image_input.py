"""Input of one image: a test image, a drawing, a photograph or a file.

The browser decodes, crops and prepares the visitor's picture and sends only x, see vae/browser/widgets/picture_input.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from vae.browser.messages import message
from vae.uploads import MAX_BYTES, UploadError, read_image

from ..bridge import messages
from ..bridge.component import channel, widget
from ..shell import cached, link, settings, state
from ..shell.parse import (
    MAX_ID,
    parse_base64,
    parse_flag,
    parse_int,
    parse_numbers,
    parse_object,
    parse_pixels,
    parse_text,
)  # fmt: skip
from .picture_grid import grid_props

if TYPE_CHECKING:
    from torch import Tensor

_component = widget("picture_input")
_decoded_channel = channel("picture_decoded", "runtime/picture_channel.js")
GALLERY_SIZE = 12  # test images shown at once
OUTLIER_PERCENTILE = 99  # of the reconstruction errors of test images
_SENT = (
    "Your picture stays in this browser tab. Only these {} × {} pixels are sent, and the server forgets them when you "
    "leave."
)
_ALTERED = (
    "This browser alters the pixels that a page reads: a photo or file is sent as it is. The server does not keep it."
)
REFUSED = "The browser sent a picture that cannot be read. The picture in use has not changed."


class Code(NamedTuple):
    """A code that the browser has computed with the current model."""

    z: np.ndarray  # (D,), the posterior mean
    y: int | None  # the class it is encoded under, for conditional models


class Picked(NamedTuple):
    """An image as the current model sees it. x, y and encode() need torch, the fields do not."""

    pixels: np.ndarray  # (C, H, W) uint8
    label: int | None  # the class, for conditional models
    caption: str  # its origin, and its class if known
    code: Code | None = None  # of the visitor's picture, where the browser has encoded it

    @property
    def x(self) -> Tensor:
        """Return the image (1, C, H, W) in [0, 1]."""
        import torch

        return torch.tensor(self.pixels)[None].float() / 255  # a copy: what was decoded from base64 is read-only

    @property
    def y(self) -> Tensor | None:
        """Return the class (1,), for conditional models."""
        import torch

        return None if self.label is None else torch.tensor([self.label])

    def encode(self) -> Tensor:
        """Return the posterior mean (D,): the browser's, where it encoded the image under this class."""
        if self.code is None or self.code.y != self.label:
            return state.encode(self.x, self.y)[0]
        import torch

        return torch.tensor(self.code.z)


class _Decoded(NamedTuple):
    """A file that the server decoded, for a browser that cannot read its own canvas."""

    id: str
    error: str  # why the file cannot be used, else ""
    size: tuple[int, int] = (0, 0)  # width, height
    rgb: bytes = b""


def image_input(
    key: str, start_row: int | None = None, name: str = "image",
    on_change: Callable[[Picked], None] | None = None, draws: bool = True,
) -> Picked:  # fmt: skip
    """Show the widget to choose an image and return the image in use.

    key: also of the setting by which a link or a lesson chooses a test image; the page registers it. start_row: the
    test image in use at first, by default the one with which the data set starts. name: its accessible name.
    on_change(picked) runs before the page does when the visitor has chosen another image; it gets no class for a
    picture of the visitor's. draws: whether the visitor can draw here.
    """
    s = st.session_state
    if settings.take(key, _row_key(key), among=range(len(cached.gallery(state.info().name)))):
        s[f"{key}_choice"] = "row"
    s.setdefault(_row_key(key), state.info().start if start_row is None else start_row)
    picked = _picked(key)
    place = st.container()
    if _own_pixels(key) is not None:
        settings.leave_out(key)
        link.leave_out("your picture")
        if state.traits().num_classes:
            picked = picked._replace(label=_choose_class(key, picked))
    with place:
        _show(key, name, picked, on_change, draws)
    return picked


def own_image(key: str) -> tuple[str, Picked] | None:
    """Return the visitor's picture if it is in use, after an identifier of its pixels."""
    if _own_pixels(key) is None:
        return None
    own = st.session_state[f"{key}_own"]
    return f"{own['id']} {own['changes']}", _picked(key)


def set_z_from(picked: Picked) -> None:
    """Make the code of an image the current z: the browser's, where it encoded the image."""
    if picked.code is None:
        state.set_image(picked.x, picked.label)
    else:
        state.set_z(picked.code.z, y=picked.code.y or 0)


def _row_key(key: str) -> str:
    return f"{key}_row_{state.info().name}"


def _own_pixels(key: str) -> np.ndarray | None:
    """Return the visitor's picture (C, H, W) uint8; None if a test image is in use, or the browser has yet to prepare
    the picture for the current data set."""
    if st.session_state.get(f"{key}_choice") != "own":
        return None
    return st.session_state[f"{key}_own"]["pixels"].get(state.info().name)


def _picked(key: str) -> Picked:
    pixels = _own_pixels(key)
    if pixels is not None:
        return Picked(pixels, None, "your picture", _code(key))
    info, row = state.info(), st.session_state[_row_key(key)]
    split = cached.gallery(info.name)
    label = int(split.labels[row])
    caption = f"test image {row}: {info.classes[label]}"
    return Picked(split.render(np.array([row]))[0], label if state.traits().num_classes else None, caption)


def _code(key: str) -> Code | None:
    """Return the code that came with the visitor's picture; None if it came for another model."""
    weights, code = st.session_state[f"{key}_own"]["code"]
    return code if weights == _encoder() else None


def _encoder() -> str:
    """Return the identifier of the weights with which the browser may encode; "" for a code of indices, whose nearest
    vectors may differ in the last digit."""
    return "" if state.traits().discrete else messages.model_id(state.card().name)


def _choose_class(key: str, picked: Picked) -> int:
    """Show the selector of the class of the visitor's picture, at first the most likely one."""
    info, own = state.info(), st.session_state[f"{key}_own"]
    most_likely = int(state.model().most_likely_class(picked.x)[0]) if picked.code is None else picked.code.y
    return st.selectbox(
        "Class", range(state.traits().num_classes), index=most_likely,
        format_func=info.classes.__getitem__, key=f"{key}_class_{own['id']}_{own['changes']}_{state.card().name}",
        help="initially the most likely class",
    )  # fmt: skip


# ---- the widget


def _show(key: str, name: str, picked: Picked, on_change: Callable[[Picked], None] | None, draws: bool) -> None:
    info, s = state.info(), st.session_state
    own = s.get(f"{key}_own")
    in_use = _own_pixels(key) is not None
    decoded: _Decoded | None = s.get(f"{key}_decoded")
    rows = _rows(key)
    _component(
        key=f"{key}_picture",
        data={
            "key": key, "name": name, "data": info.name, "noun": info.noun, "shape": list(info.image_shape),
            "draws": draws, "crisp": info.crisp, "preparation": dataclasses.asdict(info.preparation),
            "gallery": _gallery(info.name, tuple(rows)),
            "selected": rows.index(row) if (row := s[_row_key(key)]) in rows and not in_use else None,
            # prepared: whether the browser has sent x for the current data set
            "choice": {
                "kind": s.get(f"{key}_choice", "none"), "id": own["id"] if own else None, "prepared": in_use,
            },
            "x": base64.b64encode(picked.pixels.tobytes()).decode(),
            "caption": picked.caption, "remark": _remark(picked) if in_use else "", "maxBytes": MAX_BYTES,
            "sent": _SENT.format(*info.image_shape[1:]), "altered": _ALTERED,
            "weights": _encoder(), "files": messages.model_files(state.card().name),
            "answer": decoded and {
                "id": decoded.id, "error": decoded.error, "width": decoded.size[0], "height": decoded.size[1],
            },
        },
        on_pick_change=partial(_pick, key, rows, on_change),
        on_more_change=partial(_more, key),
        on_own_change=partial(_take_own, key, on_change),
        on_file_change=partial(_decode_file, key),
    )  # fmt: skip
    _decoded_channel(
        key=f"{key}_pixels", data=_decoded_message(decoded), on_received_change=partial(_drop_decoded, key)
    )  # fmt: skip


@st.cache_data(max_entries=60, show_spinner=False)  # a sheet of pictures takes milliseconds to compress
def _gallery(data: str, rows: tuple[int, ...]) -> dict:
    """Return the props of a grid of test images."""
    split, classes = cached.gallery(data), cached.info(data).classes
    labels = [f"{classes[split.labels[row]]}, test image {row}" for row in rows]
    return grid_props(split.render(np.array(rows)) / np.float32(255), labels)


def _rows(key: str) -> list[int]:
    """Return the rows of the test images to show; the first ones include the one in use."""
    page = st.session_state.setdefault(f"{key}_page", 0)
    n = len(cached.gallery(state.info().name))
    rows = [(page * GALLERY_SIZE + i) % n for i in range(min(GALLERY_SIZE, n))]
    row = st.session_state[_row_key(key)]
    return [row, *rows[1:]] if page == 0 and row not in rows else rows


def _remark(picked: Picked) -> str:
    """Compare the reconstruction error of the visitor's picture with those of test images.

    A cross-entropy is compared by its excess over the lowest possible value: else any picture with few grey pixels
    would seem easier to reconstruct than test images with many.
    """
    error = float(state.reconstruction_errors(picked.x, picked.encode()[None], picked.y)[0])
    if not state.finite(error):
        return state.not_finite_message()
    lowest = float(cached.lowest_errors(state.card().name, picked.x)[0])
    value = f"{error:.0f} nats" + (f" (excess {error - lowest:.0f})" if lowest else "")
    if cached.model_map(state.card().name) is None:
        return f"Reconstruction error: {value}."
    percentile = cached.excess_percentile(state.card().name, error - lowest)
    share = "all" if percentile == 100 else f"{math.floor(percentile)} % of"
    name = "Unusually high reconstruction error" if percentile > OUTLIER_PERCENTILE else "Reconstruction error"
    return f"{name}: {value}, more than for {share} test images."


def _decoded_message(decoded: _Decoded | None) -> bytes:
    if decoded is None or not decoded.rgb:
        return b""
    width, height = decoded.size
    return message({"id": decoded.id, "width": width, "height": height}, decoded.rgb)


# ---- what the browser sends


def _pick(key: str, rows: list[int], on_change: Callable[[Picked], None] | None) -> None:
    index = parse_int(messages.sent(f"{key}_picture", "pick"), 0, len(rows) - 1)
    if index is None:
        return
    st.session_state[_row_key(key)] = rows[index]
    st.session_state[f"{key}_choice"] = "row"
    if on_change:
        on_change(_picked(key))


def _more(key: str) -> None:
    st.session_state[f"{key}_page"] += 1


def _take_own(key: str, on_change: Callable[[Picked], None] | None) -> None:
    """Use the picture that the browser has prepared. It may come again, changed or prepared for other data."""
    sent, info, s = parse_object(messages.sent(f"{key}_picture", "own")), state.info(), st.session_state
    if sent is not None and sent.get("data") != info.name:  # sent before the model changed
        return
    pixels = None if sent is None else parse_pixels(sent.get("x"), info.image_shape)
    if sent is None or pixels is None:
        state.add_warning(REFUSED)
        return
    own = s.get(f"{key}_own")
    new_id = parse_text(sent.get("id"), MAX_ID)
    if own is None or own["id"] != new_id:
        own = {"id": new_id, "pixels": {}, "changes": 0}
    own["pixels"][info.name] = np.where(pixels > 127, 255, 0).astype(np.uint8) if info.binary else pixels
    own["code"] = _encoder(), _parse_code(sent)
    own["changes"] += 1
    s[f"{key}_own"], s[f"{key}_choice"] = own, "own"
    if on_change and not parse_flag(sent.get("restored")):
        on_change(_picked(key))


def _parse_code(sent: dict) -> Code | None:
    """Return the current model's code in a message; None for a message without one, whose picture is encoded here."""
    traits = state.traits()
    z = parse_numbers(sent.get("z"), traits.latent_dim, state.MAX_ABS)
    y = parse_int(sent.get("y"), 0, traits.num_classes - 1) if traits.num_classes else None
    is_current = _encoder() != "" and sent.get("weights") == _encoder()
    if z is None or not is_current or traits.num_classes and y is None:
        return None
    return Code(np.array(z, np.float32), y)


def _decode_file(key: str) -> None:
    """Decode a file for a browser that cannot read its own canvas. The picture goes back and is not kept."""
    sent = parse_object(messages.sent(f"{key}_picture", "file"))
    content = None if sent is None else parse_base64(sent.get("content"), MAX_BYTES)
    if sent is None or content is None:
        state.add_warning(REFUSED)
        return
    file_id = parse_text(sent.get("id"), MAX_ID)
    try:
        image = read_image(content)
        decoded = _Decoded(file_id, "", image.size, image.tobytes())
    except UploadError as error:
        decoded = _Decoded(file_id, str(error))
    st.session_state[f"{key}_decoded"] = decoded


def _drop_decoded(key: str) -> None:
    """Forget the pixels that the browser has received."""
    decoded: _Decoded | None = st.session_state.get(f"{key}_decoded")
    if decoded is not None and messages.sent(f"{key}_pixels", "received") == decoded.id:
        st.session_state[f"{key}_decoded"] = decoded._replace(rgb=b"")
