"""Inside: the forward pass of one image, computed by the functions that trained the model."""

from __future__ import annotations

import inspect
import time
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from vae import ModelCard, objectives
from vae.models import FAMILIES, LatentModel
from vae.models.base import Output, Posterior, reparametrise
from vae.uploads import prepare

from ..bridge import messages
from ..bridge.component import widget
from ..bridge.rerun import request_rerun, rerun_if_requested
from ..shell import cached, pictures, state
from ..shell.parse import parse_drawing, parse_numbers
from ..widgets.charts import class_colours
from ..widgets.image_input import Picked

_component = widget("inside")
KEY = "inside_panel"
DRAWING_SIZE = 56  # pixels across a drawing from the browser
N_RECONSTRUCTIONS = 8  # of other samples of z
MAX_CODES = 600  # of test images, drawn under the posterior's ellipse
DECIMALS = 2  # of values in nats
WHITE = 4.0  # nats a pixel, in the picture of the reconstruction error
MAX_EPS = 100  # absolute value in each dimension
EMPTY_DRAWING = "Nothing is drawn: this is what the model makes of an empty picture."


class ForwardPass(NamedTuple):
    """The forward pass of one image. D: latent dimensions."""

    out: Output
    terms: objectives.ELBO
    per_pixel: Tensor  # (C, H, W) nats; their sum is the reconstruction term
    reconstructions: Tensor  # (N_RECONSTRUCTIONS, C, H, W), means of p(x|z) at other samples of z


@torch.no_grad()
def forward_pass(model: LatentModel, x: Tensor, y: Tensor | None, eps: Tensor, seed: int = 0) -> ForwardPass:
    """Encode x (1, C, H, W), reparametrise with eps (D,) and decode. seed: of the other samples of z."""
    posterior = model.encode(x, y)
    z = reparametrise(posterior, eps[None])
    out = Output(posterior, z, model.likelihood(z, y), model.prior)
    noise = torch.randn(N_RECONSTRUCTIONS, model.latent_dim, generator=torch.Generator().manual_seed(seed))
    zs = posterior.mean + posterior.stddev * noise
    return ForwardPass(
        out, objectives.elbo(out, x), -out.likelihood.base_dist.log_prob(x)[0],
        model.decode(zs, None if y is None else y.repeat(N_RECONSTRUCTIONS)),
    )  # fmt: skip


def finite(result: ForwardPass) -> bool:
    """Return whether all values of a forward pass are finite."""
    posterior, likelihood = result.out.posterior, result.out.likelihood
    return state.finite(
        posterior.mean, posterior.stddev, result.out.z, likelihood.mean, result.per_pixel, result.reconstructions,
        *result.terms,
    )


def is_supported(model: LatentModel) -> bool:
    """Return whether the model's posterior is one diagonal Gaussian, the only kind that the panel supports."""
    return model.analytic_kl and not model.levels


@st.fragment
def inside_panel(picked: Picked | None) -> None:
    """Show the forward pass of a picked image or, if picked is None, of the drawing on the panel."""
    rerun_if_requested(KEY)
    model, card = state.model(), state.card()
    prior, figures = model.prior, card.figures
    generator = torch.Generator().manual_seed(state.seed())
    _component(
        key=KEY,
        data={
            "model": card.name, "z": list(st.session_state.z), "seed": state.seed(), "drawing": picked is None,
            "source": _image_id(picked), "eps": torch.randn(model.latent_dim, generator=generator).tolist(),
            "order": cached.dimension_order(card.name), "digits": DECIMALS, "dims": model.latent_dim,
            "conditional": bool(model.num_classes),
            "names": [state.dim_name(d) for d in range(model.latent_dim)],
            "prior_mu": prior.mean.tolist(), "prior_sigma": prior.stddev.tolist(),
            "average": {key: figures.get(key) for key in ("recon", "kl", "negative_elbo", "kl_per_dim")},
            "plane": _plane(card.name) if model.latent_dim == 2 else None, "code": _source_code(card.name),
        },
        on_ask_change=lambda: None,
        on_take_change=_take,
    )  # fmt: skip
    messages.send_answer(KEY, _answer(picked))


def _take() -> None:
    """Make the sampled z the current point."""
    z, y, _ = messages.point(messages.payload(KEY, "take"))
    if z is not None:
        state.set_z(z, y=y)
        request_rerun(KEY)


def models_by_beta(card: ModelCard) -> list[ModelCard]:
    """Return the models with this one's data and networks, ordered by beta; [] for a model trained on a subset.

    Their numbers of steps and their seeds may differ.
    """
    if card.recipe.get("images"):
        return []
    models = [
        other for other in cached.zoo_scan()[0].values()
        if (other.data, other.model_config(), cached.beta(other) is None) == (card.data, card.model_config(), False)
        and (FAMILIES[other.family].analytic_kl or not FAMILIES[other.family].has_elbo)
        and not FAMILIES[other.family].conditional
        and not other.recipe.get("images") and "recon" in other.figures
    ]  # fmt: skip
    return sorted(models, key=cached.beta)


def _image_id(picked: Picked | None) -> str:
    """Return an identifier of the image. The panel sends a new request when it changes."""
    return "drawing" if picked is None else f"{picked.caption} {float(picked.x.sum()):.4f} {picked.y}"


# cached, because drawing a stroke sends dozens of requests a second
@st.cache_data(max_entries=40, show_spinner=False)
def _plane(name: str) -> dict:
    """Return codes of test images, which are drawn under the ellipse, and the range of the plane's axes."""
    encoded = cached.model_map(name)
    if encoded is None:
        return {"codes": [], "labels": [], "colours": [], "low": -4, "high": 4}
    codes = encoded.codes[:MAX_CODES]
    limit = max(3.0, float(np.quantile(np.abs(codes), 0.99))) * 1.1
    info = cached.info(cached.model(name).card.data)
    labels = cached.gallery(info.name).labels[encoded.rows[:MAX_CODES]]
    return {
        "codes": codes.round(3).tolist(), "labels": labels.tolist(), "colours": class_colours(len(info.classes)),
        "low": -limit, "high": limit,
    }  # fmt: skip


@st.cache_data(max_entries=40, show_spinner=False)
def _source_code(name: str) -> dict:
    """Return the name and the source of the function in vae/ behind each step."""
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
    ask = messages.payload(KEY, "ask", source=_image_id(picked))
    if ask is None:
        return b""
    model = state.model()
    eps = parse_numbers(ask.get("eps"), model.latent_dim, MAX_EPS)
    x, note = (picked.x, "") if picked is not None else _drawing(ask.get("drawing"))
    if eps is None or x is None:
        return b""
    start_time = time.perf_counter()
    y, as_class = None, ""
    if model.num_classes:
        y = picked.y if picked is not None else model.most_likely_class(x)
        as_class = state.info().classes[int(y[0])]
    result = forward_pass(model, x, y, torch.tensor(eps), state.seed())
    request = messages.request_id(ask)
    if not finite(result):
        return _image_message(x, {**request, "no_number": state.not_finite_message()})
    # the reconstruction error as a picture: white is WHITE nats or more; a density has no lowest value, so there black
    # is the pixel with the least error
    lowest = 0 if model.pixels.is_cross_entropy else result.per_pixel.min()
    error = ((result.per_pixel - lowest) / WHITE).clamp(0, 1)
    reconstructions, figures_of_others = _others(x)
    images = torch.cat([x, result.out.likelihood.mean, error[None], result.reconstructions, *reconstructions])
    pixels = state.as_pictures(images)  # (3 + N_RECONSTRUCTIONS + len(reconstructions), H, W, C)
    posterior, terms = result.out.posterior, result.terms
    _, height, width, channels = pixels.shape
    header = {
        **request, "count": len(pixels), "missing": pictures.non_finite(images), "no_number": "",
        "height": height, "width": width, "channels": channels, "said": note, "as_class": as_class,
        "milliseconds": 1000 * (time.perf_counter() - start_time), "z": result.out.z[0].tolist(),
        "mu": posterior.mean[0].tolist(), "sigma": posterior.stddev[0].tolist(),
        "recon": float(terms.recon[0]), "kl": float(terms.kl[0]), "negative_elbo": -float(terms.elbo[0]),
        "kl_per_dim": terms.kl_per_dim[0].tolist(), "others": figures_of_others, "fan": N_RECONSTRUCTIONS,
        "y": None if y is None else int(y[0]),
    }  # fmt: skip
    return messages.message(header, pixels.tobytes())


def _image_message(x: Tensor, header: dict) -> bytes:
    """Encode the answer for a forward pass that is not finite: the input x (1, C, H, W) alone."""
    pixels = state.as_pictures(x)
    _, height, width, channels = pixels.shape
    size = {"count": 1, "missing": [], "height": height, "width": width, "channels": channels}
    return messages.message({**header, **size}, pixels.tobytes())


@torch.no_grad()
def _others(x: Tensor) -> tuple[list[Tensor], list[dict]]:
    """Reconstruct x (1, C, H, W) at the posterior mean with the model of each beta.

    Returns the reconstructions, each (1, C, H, W), and each model's figures. "no_number" is the message if a model's
    results are not finite, else "".
    """
    reconstructions, figures = [], []
    cards = models_by_beta(state.card())
    for card in cards if len(cards) > 2 else []:
        model = cached.model(card.name)
        posterior = model.encode(x)
        out = Output(posterior, posterior.mean, model.likelihood(posterior.mean), model.prior)
        terms = objectives.elbo(out, x)
        usable = state.finite(posterior.mean, out.likelihood.mean, terms.recon, terms.kl)
        reconstructions.append(out.likelihood.mean if usable else torch.full_like(x, torch.nan))
        figures.append({
            "beta": f"{cached.beta(card):g}", "here": card.name == state.card().name, "recon": float(terms.recon[0]),
            "kl": float(terms.kl[0]) if model.has_elbo else None, "active": card.figures["active_units"],
            "no_number": "" if usable else state.not_finite_message(),
        })  # fmt: skip
    return reconstructions, figures


def _drawing(text) -> tuple[Tensor | None, str]:
    """Parse a drawing from the browser. Returns (x (1, C, H, W), note for the visitor), or (None, "") if invalid."""
    grey = parse_drawing(text, DRAWING_SIZE)
    if grey is None:
        return None, ""
    info = state.info()
    x = info.prepare(Image.fromarray(grey), invert=False).x  # light on dark like the data
    return x, "" if grey.max() > 30 else EMPTY_DRAWING
