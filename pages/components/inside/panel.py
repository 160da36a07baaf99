"""Inside: the forward pass of one image, which the browser computes."""

from __future__ import annotations

import base64
import dataclasses
import hashlib

import streamlit as st

from vae.browser import props
from vae.cards import Traits

from ..bridge import first_picture, messages
from ..bridge.component import widget
from ..bridge.rerun import request_rerun, rerun_if_requested
from ..shell import cached, state
from ..widgets import source
from ..widgets.image_input import Picked

_component = widget("inside")
KEY = "inside_panel"


def is_supported(model: Traits) -> bool:
    """Return whether the model's posterior is one diagonal Gaussian, the only kind that the panel supports."""
    return model.analytic_kl and not model.levels


def missing_network(model: Traits) -> str:
    """Return the name of a network that the panel needs and a browser cannot run; "" where it can run all."""
    needed = ("decode", "encode", *(("classify",) if model.num_classes else ()))
    return next((name for name in needed if name not in model.networks), "")


@st.fragment
def inside_panel(picked: Picked | None) -> None:
    """Show the forward pass of a picked image or, if picked is None, of the drawing on the panel."""
    rerun_if_requested(KEY)
    model, card, info = state.traits(), state.card(), state.info()
    channels, height, width = model.image_shape
    pixels = None if picked is None else picked.pixels.tobytes()
    digest = "" if pixels is None else hashlib.sha256(pixels).hexdigest()[:16]
    _component(
        key=KEY,
        data={
            "model": card.name, "weights": messages.model_id(card.name), "files": messages.model_files(card.name),
            "height": height, "width": width, "channels": channels,
            "z": list(st.session_state.z), "seed": state.seed(),
            "drawing": picked is None, "preparation": dataclasses.asdict(info.preparation),
            "empty": props.EMPTY_DRAWING,
            "source": "drawing" if picked is None else f"{picked.caption} {digest} {picked.label}",
            "x": None if pixels is None else base64.b64encode(pixels).decode(),
            "y": None if picked is None else picked.label,
            "order": cached.dimension_order(card.name),
            "names": [state.dim_name(d) for d in range(model.latent_dim)],
            "classes": list(info.classes) if model.num_classes else [],
            "average": {key: card.figures.get(key) for key in props.AVERAGES},
            "plane": _plane(card.name) if model.latent_dim == 2 else None, "code": _source_code(card.family),
            "white": props.WHITE, "no_number": state.not_finite_message(), "painted": first_picture.address(),
        },
        on_take_change=_take,
    )  # fmt: skip


def _take() -> None:
    """Make the sampled z the current one."""
    z, y, _ = messages.point(messages.payload(KEY, "take"))
    if z is not None:
        state.set_z(z, y=y)
        request_rerun(KEY)


@st.cache_data(max_entries=40, show_spinner=False)
def _plane(name: str) -> dict:
    """Return codes of test images, which are drawn under the ellipse, and the range of the plane's axes."""
    encoded, info = cached.model_map(name), cached.info(cached.card(name).data)
    if encoded is None:
        return props.plane(None, None, 0)
    return props.plane(encoded.codes, cached.gallery(info.name).labels[encoded.rows], len(info.classes))


@st.cache_data(max_entries=40, show_spinner=False)
def _source_code(family: str) -> dict:
    """Return the name and the source of the function in vae/ that defines each step."""
    steps = {
        "x": source.function("data.base", "DatasetInfo.prepare"), "q": source.method(family, "encode"),
        "eps": source.function("models.base", "Posterior.push"), "z": source.function("models.base", "Posterior.push"),
        "x_hat": source.method(family, "decode_logits"), "recon": source.method(family, "likelihood"),
        "kl": source.function("objectives.terms", "gaussian_kl"), "sum": source.function("objectives.terms", "elbo"),
    }  # fmt: skip
    return {part: {"name": found.name, "source": found.text} for part, found in steps.items() if found is not None}
