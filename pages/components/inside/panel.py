"""Inside: one image on its way through a model, computed by the functions that trained it."""

from __future__ import annotations

import inspect
import time
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from vae import ModelCard, browser, objectives
from vae.models import FAMILIES, LatentModel
from vae.models.base import Output, Posterior, reparametrise
from vae.uploads import prepare

from ..bridge import messages
from ..bridge.rerun import request_rerun, rerun_if_requested
from ..shell import cached, pictures, state
from ..shell.parse import parse_drawing, parse_numbers
from ..widgets.charts import class_colours
from ..widgets.image_input import Picked

_component = st.components.v2.component(
    "inside",
    html=browser.source("widgets/inside/inside.html"),
    css=browser.source("widgets/inside/inside.css"),
    js=browser.source("runtime/mailbox.js", "runtime/questions.js", "runtime/pixels.js", "widgets/inside/inside.js"),
)
KEY = "inside_panel"
SENT = 56  # pixels across a drawing as the browser sends it
FAN = 8  # reconstructions of other samples of z
SHOWN = 600  # codes of test images under the ellipse
DIGITS = 2  # decimals of nats
MAX_EPS = 100  # of each dimension, either sign
NOTHING = "Nothing is drawn: this is what the model makes of an empty picture."


class Passage(NamedTuple):
    """What happens to one image; D dimensions."""

    out: Output
    terms: objectives.ELBO
    per_pixel: Tensor  # (C, H, W) nats; their sum is the reconstruction term
    fan: Tensor  # (FAN, C, H, W), means of p(x|z) at other samples of z


@torch.no_grad()
def passage(model: LatentModel, x: Tensor, y: Tensor | None, eps: Tensor, seed: int = 0) -> Passage:
    """Pass x (1, C, H, W) through the encoder, the z that eps (D,) gives, and the decoder."""
    posterior = model.encode(x, y)
    z = reparametrise(posterior, eps[None])
    out = Output(posterior, z, model.likelihood(z, y), model.prior)
    noise = torch.randn(FAN, model.latent_dim, generator=torch.Generator().manual_seed(seed))
    others = posterior.mean + posterior.stddev * noise
    return Passage(
        out, objectives.elbo(out, x), -out.likelihood.base_dist.log_prob(x)[0],
        model.decode(others, None if y is None else y.repeat(FAN)),
    )  # fmt: skip


def finite(found: Passage) -> bool:
    """Return whether every number of a passage is finite."""
    posterior, likelihood = found.out.posterior, found.out.likelihood
    return state.finite(
        posterior.mean, posterior.stddev, found.out.z, likelihood.mean, found.per_pixel, found.fan, *found.terms
    )


def serves(model: LatentModel) -> bool:
    """Return whether the model's posterior is one diagonal Gaussian, the only kind that the panel shows."""
    return model.analytic_kl and not model.levels


@st.fragment
def inside_panel(picked: Picked | None) -> None:
    """Show the passage of a picked image, or of the drawing on the panel."""
    rerun_if_requested(KEY)
    model, card = state.model(), state.card()
    prior, figures = model.prior, card.figures
    generator = torch.Generator().manual_seed(state.seed())
    _component(
        key=KEY,
        data=messages.without_nan({
            "model": card.name, "z": list(st.session_state.z), "seed": state.seed(), "drawing": picked is None,
            "source": _source(picked), "eps": torch.randn(model.latent_dim, generator=generator).tolist(),
            "order": cached.dimension_order(card.name), "digits": DIGITS, "dims": model.latent_dim,
            "conditional": bool(model.num_classes),
            "names": [state.dim_name(d) for d in range(model.latent_dim)],
            "prior_mu": prior.mean.tolist(), "prior_sigma": prior.stddev.tolist(),
            "average": {key: figures.get(key) for key in ("recon", "kl", "negative_elbo", "kl_per_dim")},
            "plane": _plane(card.name) if model.latent_dim == 2 else None, "code": _code(card.name),
        }),
        on_ask_change=lambda: None,
        on_take_change=_take,
    )  # fmt: skip
    messages.send_answer(KEY, _answer(picked))


def _take() -> None:
    """Make the drawn z the current point."""
    z, y, _ = messages.point(messages.payload(KEY, "take"))
    if z is not None:
        state.set_z(z, y=y)
        request_rerun(KEY)


def over_beta(card: ModelCard) -> list[ModelCard]:
    """Return the models of this one's data and networks, ordered by the weight of the KL; [] for a model of
    few images. They may differ in steps and seed, which their cards hold."""
    if card.recipe.get("images"):
        return []
    alike = [
        other for other in cached.zoo_scan()[0].values()
        if (other.data, other.model_config(), cached.beta(other) is None) == (card.data, card.model_config(), False)
        and (FAMILIES[other.family].analytic_kl or not FAMILIES[other.family].has_elbo)
        and not FAMILIES[other.family].conditional
        and not other.recipe.get("images") and "recon" in other.figures
    ]  # fmt: skip
    return sorted(alike, key=cached.beta)


def _source(picked: Picked | None) -> str:
    """Return a name for the image: the panel asks again when the name changes."""
    return "drawing" if picked is None else f"{picked.caption} {float(picked.x.sum()):.4f} {picked.y}"


# cached because a stroke asks dozens of times a second
@st.cache_data(max_entries=40, show_spinner=False)
def _plane(name: str) -> dict:
    """Return codes of test images, which lie under the ellipse, and the range of the plane."""
    found = cached.model_map(name)
    if found is None:
        return {"codes": [], "labels": [], "colours": [], "low": -4, "high": 4}
    codes = found.codes[:SHOWN]
    reach = max(3.0, float(np.quantile(np.abs(codes), 0.99))) * 1.1
    info = cached.info(cached.model(name).card.data)
    labels = cached.gallery(info.name).labels[found.rows[:SHOWN]]
    return {
        "codes": codes.round(3).tolist(), "labels": labels.tolist(), "colours": class_colours(len(info.classes)),
        "low": -reach, "high": reach,
    }  # fmt: skip


@st.cache_data(max_entries=40, show_spinner=False)
def _code(name: str) -> dict:
    """Return the source of each step's function in vae/."""
    model = cached.model(name)
    steps = {
        "x": prepare, "q": type(model).encode, "eps": Posterior.push, "z": Posterior.push,
        "x_hat": type(model).decode_logits, "recon": type(model).likelihood, "kl": objectives.gaussian_kl,
    }  # fmt: skip
    steps["sum"] = objectives.elbo
    return {
        part: {"name": f"{f.__module__}.{f.__qualname__}", "source": inspect.getsource(f)} for part, f in steps.items()
    }


def _answer(picked: Picked | None) -> bytes:
    ask = messages.payload(KEY, "ask", source=_source(picked))
    if ask is None:
        return b""
    model = state.model()
    eps = parse_numbers(ask.get("eps"), model.latent_dim, MAX_EPS)
    x, said = (picked.x, "") if picked is not None else _drawing(ask.get("drawing"))
    if eps is None or x is None:
        return b""
    begun = time.perf_counter()
    y, as_class = None, ""
    if model.num_classes:
        y = picked.y if picked is not None else model.most_likely_class(x)
        as_class = state.info().classes[int(y[0])]
    found = passage(model, x, y, torch.tensor(eps), state.seed())
    question = messages.request_id(ask)
    if not finite(found):
        return _only_image(x, {**question, "no_number": state.not_finite_message()})
    # the error in nats as a picture: black is 0, white is 4 and more
    error = (found.per_pixel / 4).clamp(0, 1)
    others, said_of_others = _others(x)
    shown = torch.cat([x, found.out.likelihood.mean, error[None], found.fan, *others])
    pixels = state.as_pictures(shown)  # (3 + FAN, H, W, C)
    posterior, terms = found.out.posterior, found.terms
    _, height, width, channels = pixels.shape
    header = {
        **question, "count": len(pixels), "missing": pictures.non_finite(shown), "no_number": "",
        "height": height, "width": width, "channels": channels, "said": said, "as_class": as_class,
        "milliseconds": 1000 * (time.perf_counter() - begun), "z": found.out.z[0].tolist(),
        "mu": posterior.mean[0].tolist(), "sigma": posterior.stddev[0].tolist(),
        "recon": float(terms.recon[0]), "kl": float(terms.kl[0]), "negative_elbo": -float(terms.elbo[0]),
        "kl_per_dim": terms.kl_per_dim[0].tolist(), "others": said_of_others, "fan": FAN,
        "y": None if y is None else int(y[0]),
    }  # fmt: skip
    return messages.message(header, pixels.tobytes())


def _only_image(x: Tensor, header: dict) -> bytes:
    """Return the answer for x (1, C, H, W) where a number is not finite: x alone, as the model sees it."""
    pixels = state.as_pictures(x)
    _, height, width, channels = pixels.shape
    size = {"count": 1, "missing": [], "height": height, "width": width, "channels": channels}
    return messages.message({**header, **size}, pixels.tobytes())


@torch.no_grad()
def _others(x: Tensor) -> tuple[list[Tensor], list[dict]]:
    """Pass the same image through the models of every beta. Returns the reconstructions at the posterior mean
    and the figures of each; "no_number" is the sentence for a model that returns no finite numbers."""
    found, told = [], []
    cards = over_beta(state.card())
    for card in cards if len(cards) > 2 else []:
        model = cached.model(card.name)
        posterior = model.encode(x)
        out = Output(posterior, posterior.mean, model.likelihood(posterior.mean), model.prior)
        terms = objectives.elbo(out, x)
        usable = state.finite(posterior.mean, out.likelihood.mean, terms.recon, terms.kl)
        found.append(out.likelihood.mean if usable else torch.full_like(x, torch.nan))
        told.append({
            "beta": f"{cached.beta(card):g}", "here": card.name == state.card().name, "recon": float(terms.recon[0]),
            "kl": float(terms.kl[0]) if model.has_elbo else None, "active": card.figures["active_units"],
            "no_number": "" if usable else state.not_finite_message(),
        })  # fmt: skip
    return found, told


def _drawing(text) -> tuple[Tensor | None, str]:
    """Return a drawing that the browser sent as (x (1, C, H, W), what to say of it), or (None, "")."""
    grey = parse_drawing(text, SENT)
    if grey is None:
        return None, ""
    info = state.info()
    x = info.prepare(Image.fromarray(grey), invert=False, centre=info.centred).x  # light on dark, as the data is
    return x, "" if grey.max() > 30 else NOTHING
