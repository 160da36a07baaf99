"""The live panel: a slider for each latent dimension, a 2-D pad, and a picture that follows them.

The current code is written only when a slider or the pad is released.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import streamlit as st

from vae.browser import props

from ..bridge import first_picture, messages
from ..bridge.component import widget
from ..bridge.rerun import request_rerun, rerun_if_requested
from ..shell import cached, state
from ..shell.parse import MAX_COUNT, MAX_ID, parse_flag, parse_int, parse_name, parse_text

_panel = widget("live_panel")
KEY = "live_panel"
SHOWN_FIRST = 6  # sliders before "show all"; half as many per level for models with levels


@st.fragment
def live_panel() -> None:
    """Show sliders for the current code, ordered by the dimensions' KL, and write the state on release."""
    rerun_if_requested(KEY)
    card, here = state.card(), (st.session_state.z, st.session_state.y)
    _panel(
        key=KEY,
        data=panel_props(card.name, here, state.start_point(), state.names(), state.locked()) | {
            "version": state.version(), "by": state.moved_by(),
            "echo": st.session_state.get("panel_echo", {"panel": "", "commit": 0}),
            "pixels": messages.pixels_for_browser(), "no_number": state.not_finite_message("at this z"),
            "painted": first_picture.address(),
            "note": st.session_state.pop("panel_note", ""),
        },
        on_ask_change=lambda: None,
        on_commit_change=_commit,
        on_rename_change=_rename,
        on_lock_change=_lock,
        on_random_change=_sample,
        on_attribute_change=_step_along,
    )  # fmt: skip
    messages.answer(KEY)


Point = tuple[Sequence[float], int]  # z (D,) and the class


def panel_props(
    name: str, point: Point, start: Point, names: Mapping[int, str] = {}, locked: Collection[int] = ()
) -> dict:
    """Return the widget's props that need no session: a model's sliders at a point.

    names: {dimension: name} given in the session. locked: dimensions.
    """
    card, model = cached.card(name), cached.traits(name)
    channels, height, width = model.image_shape
    ranges, order = cached.slider_ranges(name), cached.dimension_order(name)
    return {
        "model": name, "weights": messages.model_id(name), "files": messages.model_files(name),
        "dims": props.dimensions(card, model, ranges, order, {**card.dimension_names, **names}, locked),
        "shown_first": SHOWN_FIRST // 2 if model.levels else SHOWN_FIRST,
        "z": list(point[0]), "y": point[1], "start": {"z": list(start[0]), "y": start[1]},
        "classes": list(cached.info(card.data).classes) if model.num_classes else [],
        "height": height, "width": width, "channels": channels,
        "licence": card.credit,
        "levels": list(model.levels), "attributes": cached.attributes(name),
        "host_undoes": True,  # the row of the model has a button
    }  # fmt: skip


def _commit() -> None:
    payload = messages.payload(KEY, "commit")
    z, y, repaired = messages.point(payload)
    if z is None:
        return
    if repaired:
        st.session_state.panel_note = "a value that is not finite was replaced by one in the range of the data"
    by = payload.get("by")
    if by not in ("undo", "redo") or not state.travel_to(by, z, y):
        state.set_z(z, y=y, start=False)
    # the panel compares the echo with its last release, to ignore answers to earlier ones
    st.session_state.panel_echo = {
        "panel": parse_text(payload.get("panel"), MAX_ID),
        "commit": parse_int(payload.get("commit"), 0, MAX_COUNT) or 0,
    }  # fmt: skip
    request_rerun(KEY)


def _rename() -> None:
    payload = messages.payload(KEY, "rename")
    if payload is None:
        return
    d, name = _dimension(payload), parse_name(payload.get("name"), state.MAX_NAME)
    if d is not None and name is not None:
        state.rename(d, name)
    request_rerun(KEY)


def _lock() -> None:
    payload = messages.payload(KEY, "lock")
    d = None if payload is None else _dimension(payload)
    if d is not None:
        state.lock(d, parse_flag(payload.get("locked")))


def _sample() -> None:
    """Sample the code, or one of its levels, from the prior with the next seed."""
    payload = messages.payload(KEY, "random")
    if payload is None:
        return
    sample_next(state.traits().levels.get(parse_text(payload.get("level"), MAX_ID)))
    request_rerun(KEY)


def sample_next(dims: range | None = None) -> None:
    """Make a sample of the prior with the next seed the current code. dims: the only dimensions that change."""
    import torch

    state.next_seed()
    sample = state.model().sample(1, generator=torch.Generator().manual_seed(state.seed()))[0].numpy()
    if dims is not None:
        here = np.array(st.session_state.z)
        here[list(dims)] = sample[list(dims)]
        sample = here
    state.set_z(state.keep_locked(sample))


def _step_along() -> None:
    """Go one step along the direction of an attribute, or back."""
    payload = messages.payload(KEY, "attribute")
    sign = None if payload is None else parse_int(payload.get("sign"), -1, 1)
    if payload is None or sign is None:
        return
    direction = cached.attribute_directions(state.card().name).get(parse_text(payload.get("name"), MAX_ID))
    if direction is not None:
        state.set_z(state.keep_locked(state.z() + sign * direction.vector))
        request_rerun(KEY)


def _dimension(payload: dict) -> int | None:
    return parse_int(payload.get("index"), 0, state.traits().latent_dim - 1)
