"""Several models beside each other: which, what each makes of an image or a z, and their planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from vae import latent, metrics, objectives
from vae.models import LatentModel

from ..shell import cached, link, state
from ..widgets.image_input import Picked
from ..widgets.picture_grid import picture_grid

MAX_BESIDE = 3  # models beside the current one
STEPS = 7  # pictures in a strip
ROWS = 4  # strips of a model
PLANE = 14  # pictures across a plane
DRAWS = 400  # from the prior, for what is said of holes
PRESETS = {  # what there is to see, and the models that show it
    "Dead zones: autoencoder and VAE": ("mnist-ae-2d", "mnist-vae-2d"),
    "Beta 1, 4 and 16": ("sprites-beta1", "sprites-beta4", "sprites-beta16"),
    "From no KL to collapse": ("mnist-ae-16d", "mnist-vae-16d", "mnist-beta4", "mnist-collapsed"),
    "Objectives on rooms": ("rooms-ae", "rooms-vae", "rooms-btcvae", "rooms-ada"),
    "Sharper with a critic": ("faces-vae", "faces-vaegan"),
}


@dataclass(frozen=True)
class Side:
    """What one model makes of it. D dimensions."""

    name: str
    title: str
    short: str
    model: LatentModel
    z: Tensor  # (D,)
    y: int | None
    x: Tensor | None  # (1, C, H, W), as this model sees it
    x_hat: Tensor  # (1, C, H, W)
    kl: np.ndarray | None  # (D,) of this image; None where there is none or no image
    average: np.ndarray | None  # (D,) over test images
    order: list[int]  # dimensions by what they carry
    labels: list[str]  # their names, in that order
    line: str
    usable: bool = True  # where not, the model returns no finite numbers and the line says so

    def decode(self, zs: Tensor) -> Tensor:
        ys = None if self.y is None else torch.full((len(zs),), self.y)
        with torch.no_grad():
            return self.model.decode(zs, ys)


# ---- which


def read_link() -> None:
    """Set beside the current model those that the link names."""
    wanted = link.pop_page_parameter("beside")
    if wanted is not None:
        wanted = wanted.split(",")
        set_others(
            [name for name in cached.zoo_scan()[0] if name in wanted and name != state.card().name][:MAX_BESIDE]
        )


def others() -> list[str]:
    """Return the models that are set beside the current one."""
    return st.session_state.get("beside", [])


def set_others(names: list[str]) -> None:
    st.session_state.beside = list(names)


def _comparable(name: str) -> bool:
    """Whether a model knows pictures of the current model's kind."""
    here, there = (cached.info(card.data) for card in (state.card(), cached.zoo_scan()[0][name]))
    return here.classes == there.classes and here.image_shape == there.image_shape


def presets() -> None:
    cards = cached.zoo_scan()[0]
    row = st.container(horizontal=True)
    for what, names in PRESETS.items():
        if all(name in cards for name in names):
            row.button(what, key=f"compare_preset_{names[0]}", on_click=_set, args=(names,))


def _set(names: tuple[str, ...]) -> None:
    if state.card().name not in names:
        state.set_model(names[0])
    set_others([name for name in names if name != state.card().name])


def chooser() -> list[str]:
    """The current model and those beside it; always two or more where the data has two."""
    cards = cached.zoo_scan()[0]
    options = [name for name in cards if name != state.card().name and _comparable(name)]
    beside = [name for name in others() if name in options][:MAX_BESIDE]
    if not beside and options:
        same = [n for n in options if cards[n].latent_dim == state.card().latent_dim]
        beside = (same or options)[:1]
    key = f"compare_beside_{state.card().name}"
    st.session_state[key] = beside
    st.multiselect(
        "Beside it", options, key=key, max_selections=MAX_BESIDE, format_func=lambda name: cards[name].title,
        on_change=lambda: set_others(st.session_state[key]),
    )  # fmt: skip
    return [state.card().name, *beside]


def same_length(names: list[str]) -> tuple[list[str], list[str]]:
    """(those whose codes are like the current model's, titles of the others)."""
    model = state.model()
    alike = [
        n for n in names
        if (cached.model(n).latent_dim, cached.model(n).discrete) == (model.latent_dim, model.discrete)
    ]  # fmt: skip
    return alike, [cached.zoo_scan()[0][n].title for n in names if n not in alike]


# ---- what each makes of it


def side(name: str, picked: Picked | None) -> Side:
    """A model on an image, or, without one, on the current z."""
    model, card = cached.model(name), cached.zoo_scan()[0][name]
    x = kl = y = terms = recon = None
    f = card.figures
    with torch.no_grad():
        if picked is not None:
            x = cached.info(card.data).quantise(picked.x)
            if model.num_classes:
                y = picked.y if picked.y is not None else model.most_likely_class(x)
            posterior = model.encode(x, y)
            z = posterior.mean[0]
        else:
            y = torch.tensor([st.session_state.y]) if model.num_classes else None
            z = state.z()
        x_hat = model.decode(z[None], y)
        if x is not None:
            generator = torch.Generator().manual_seed(state.seed())
            terms = objectives.elbo(model(x, y, generator=generator), x)
            recon = -float(model.likelihood(z[None], y).log_prob(x))
            line = f"reconstruction **{recon:.1f}** nats"
            if model.has_elbo:
                line += f", KL **{float(terms.kl[0]):.1f}**"
            if "recon" in f:
                line += f"  \n(test images: {f['recon']:.1f}" + (f", {f['kl']:.1f})" if "kl" in f else ")")
            if model.analytic_kl:
                kl = terms.kl_per_dim[0].numpy()
        else:
            line = f"p(z) = {model.prior_name}"
    usable = state.finite(z, x_hat, recon, *(terms or ()))
    if not usable:
        line = state.not_finite_message("at this point" if x is None else "for this image")
    elif model.discrete:
        line += "  \nIts code is a grid of numbers that name vectors: nothing to move, no strips."
    order = cached.dimension_order(name)
    average = f.get("kl_per_dim")
    return Side(
        name, card.title, ", ".join(card.title.split(", ")[1:]) or card.title, model, z,
        None if y is None else int(y[0]), x, x_hat, kl if usable else None,
        None if average is None else np.asarray(average), order, [f"z{d}" for d in order], line, usable,
    )  # fmt: skip


def strips(found: Side) -> tuple[Tensor, list[str]]:
    """Traversals of the busiest dimensions (R * STEPS, D), and a label for each."""
    if found.model.discrete:
        return found.z[:0], []
    dims = found.order[:ROWS]
    ranges = cached.slider_ranges(found.name)
    walked = [
        latent.traversal(found.z, d, torch.from_numpy(np.linspace(*ranges[d], STEPS).astype(np.float32))) for d in dims
    ]
    return torch.cat(walked), [f"z{d}" for d in dims]


def moved(found: Side, rank: int, share: float) -> Tensor | None:
    """The picture with one dimension moved to a share of its data's range; (1, C, H, W). None where
    there is no such dimension."""
    if found.model.discrete or rank >= len(found.order):
        return None
    d = found.order[rank]
    low, high = cached.slider_ranges(found.name)[d]
    return found.decode(latent.traversal(found.z, d, torch.tensor([low + share * (high - low)]).float()))


def take(found: Side, z: Tensor) -> None:
    """Make a model the current one, with this code."""
    beside = [n for n in [state.card().name, *others()] if n != found.name]
    if found.name != state.card().name:
        state.set_model(found.name)
    set_others(beside)
    state.set_z(z, y=found.y)


# ---- planes


def planes(sides: list[Side]) -> None:
    """The planes of 2-D models as their priors see them, holes and all."""
    flat = [s for s in sides if s.model.latent_dim == 2 and not s.model.num_classes]
    if len(flat) < 2:
        return
    st.subheader("The same plane, sampled from the prior")
    for column, found in zip(st.columns(len(flat), gap="large"), flat, strict=False):
        with column:
            prior = found.model.prior
            zs = latent.prior_grid(PLANE, prior.mean, (0, 1), prior.mean, prior.stddev).flatten(0, 1)
            picture_grid(
                found.decode(zs), [f"z = {a:.2f}, {b:.2f}" for a, b in zs.tolist()], key=f"compare_plane_{found.name}",
                columns=PLANE, size=38, on_pick=lambda i, found=found, zs=zs: take(found, zs[i]),
                name=f"the plane of {found.title}",
            )  # fmt: skip
            st.caption(f"**{found.short}**: p(z) = {found.model.prior_name}. {holes(found.name)}")
    told = "Equal steps of probability in both directions."
    if any(found.model.ex_post_prior for found in flat):
        told += (
            " Where an autoencoder was never asked to decode, nothing keeps its pictures like the data: those "
            "are its dead zones."
        )
    st.caption(told)


@st.cache_data(max_entries=40, show_spinner=False)
def holes(name: str) -> str:
    """How many draws from a model's prior fall where no data lives, and how sure a classifier is of them."""
    model, card = cached.model(name), cached.model(name).card
    zs = model.sample(DRAWS, generator=torch.Generator().manual_seed(0))
    parts = []
    if cached.model_map(name) is not None:
        # draws against draws: the means of dimensions that carry nothing are all at 0, and their draws are not
        encoded = torch.from_numpy(cached.posterior_samples(name).astype(np.float32))
        z, codes = model.features(zs).numpy(), model.features(encoded).numpy()
        support = latent.support(z, codes, latent.local_distances(codes))
        parts.append(
            f"Of {DRAWS} draws {100 * float((support < 0.01).mean()):.0f} % lie in places emptier than those of "
            "99 % of held-out images (one draw from each posterior)"
        )
    classifier = cached.classifier(card.data)
    if classifier is not None:
        with torch.no_grad():
            split = cached.gallery(card.data)
            sure = metrics.confidence(classifier, model.decode(zs), split.batch(range(DRAWS))[0])
        parts.append(
            f"a classifier is {100 * sure.of_samples:.0f} % sure of what they show ({100 * sure.of_test_images:.0f} % "
            f"of test images)"
        )
    return "; ".join(parts) + "." if parts else ""
