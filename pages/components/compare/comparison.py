"""A comparison of models: their choice, their results on one image or one z, and their latent planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from vae import latent, metrics, objectives
from vae.evaluation import report
from vae.models import LatentModel

from ..shell import cached, settings, state
from ..shell.glossary import explain
from ..widgets.bars import kl_bars
from ..widgets.image_input import Picked
from ..widgets.picture_grid import picture_grid

MAX_OTHERS = 3  # models beside the current one
STEPS = 7  # pictures in a traversal
ROWS = 4  # traversals of a model
PLANE_SIZE = 14  # pictures across a plane
SAMPLES = 400  # for prior_holes
SHOWN_SAMPLES, SAMPLE_COLUMNS = 24, 6  # of each model
RECOGNISED = "recognised"  # the figure of the samples that a classifier recognises
PRESETS = {  # label: models
    "Autoencoder and VAE": ("mnist-ae-2d", "mnist-vae-2d"),
    "Beta 1, 4 and 16": ("sprites-beta1", "sprites-beta4", "sprites-beta16"),
    "From no KL to posterior collapse": ("mnist-ae-16d", "mnist-vae-16d", "mnist-beta4", "mnist-collapsed"),
    "Objectives on rooms": ("rooms-ae", "rooms-vae", "rooms-btcvae", "rooms-ada"),
    "VAE and VAE-GAN": ("faces-vae", "faces-vaegan"),
}


@dataclass(frozen=True)
class Side:
    """One model's results on the image or z. D: latent dimensions."""

    name: str
    title: str
    short: str
    model: LatentModel
    z: Tensor  # (D,)
    y: int | None
    x: Tensor | None  # (1, C, H, W), as quantised for this model; None for a given z
    x_hat: Tensor  # (1, C, H, W)
    kl: np.ndarray | None  # (D,) of this image; None without an image or an analytic KL
    average: np.ndarray | None  # (D,) KL over test images
    order: list[int]  # dimensions by KL, highest first
    labels: list[str]  # names of the dimensions, in that order
    line: str
    usable: bool = True  # whether all results are finite; if not, line says so

    def decode(self, zs: Tensor) -> Tensor:
        ys = None if self.y is None else torch.full((len(zs),), self.y)
        with torch.no_grad():
            return self.model.decode(zs, ys)


# ---- the models


def read_link() -> None:
    """Select the models that the link's "beside" names for comparison with the current one."""
    if settings.take("beside"):
        names = other_models()
        set_other_models(
            [name for name in cached.zoo_scan()[0] if name in names and name != state.card().name][:MAX_OTHERS]
        )


def other_models() -> list[str]:
    """Return the names of the models selected for comparison with the current one."""
    return st.session_state.get("beside", [])


def set_other_models(names: list[str]) -> None:
    st.session_state.beside = list(names)


def _comparable(name: str) -> bool:
    """Return whether a model's data has the classes and the image shape of the current model's data."""
    own, other = (cached.info(card.data) for card in (state.card(), cached.zoo_scan()[0][name]))
    return own.classes == other.classes and own.image_shape == other.image_shape


def _show_presets() -> None:
    cards = cached.zoo_scan()[0]
    for label, names in PRESETS.items():
        if all(name in cards for name in names):
            st.button(label, key=f"compare_preset_{names[0]}", on_click=_apply_preset, args=(names,))


def _apply_preset(names: tuple[str, ...]) -> None:
    if state.card().name not in names:
        state.set_model(names[0])
    set_other_models([name for name in names if name != state.card().name])


def choose_models() -> list[str]:
    """Show the selectors. Returns the current model and the others: at least two names if two are comparable."""
    cards = cached.zoo_scan()[0]
    options = [name for name in cards if name != state.card().name and _comparable(name)]
    others = [name for name in other_models() if name in options][:MAX_OTHERS]
    if not others and options:
        same = [n for n in options if cards[n].latent_dim == state.card().latent_dim]
        others = (same or options)[:1]
    key = f"compare_beside_{state.card().name}"
    st.session_state[key] = others
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.multiselect(
        "Compare with", options, key=key, max_selections=MAX_OTHERS, format_func=lambda name: cards[name].title,
        on_change=lambda: set_other_models(st.session_state[key]),
    )  # fmt: skip
    with row.popover("Examples"):
        _show_presets()
    return [state.card().name, *others]


def split_by_code(names: list[str]) -> tuple[list[str], list[str]]:
    """Return (names of models whose codes have the current model's length and kind, titles of the others)."""
    model = state.model()
    same = [
        n for n in names
        if (cached.model(n).latent_dim, cached.model(n).discrete) == (model.latent_dim, model.discrete)
    ]  # fmt: skip
    return same, [cached.zoo_scan()[0][n].title for n in names if n not in same]


# ---- the results of each model


def make_side(name: str, picked: Picked | None) -> Side:
    """Apply a model to an image or, if picked is None, to the current z."""
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
            line = f"Reconstruction error **{recon:.1f}** nats"
            if model.has_elbo:
                line += f", KL **{float(terms.kl[0]):.1f}** nats"
            line += "."
            if "recon" in f:
                line += f"  \nMean of test images: {f['recon']:.1f}" + (f" and {f['kl']:.1f}." if "kl" in f else ".")
            if model.analytic_kl:
                kl = terms.kl_per_dim[0].numpy()
        else:
            line = f"p(z) = {model.prior_name}." if model.has_elbo else "This model has no prior."
    usable = state.finite(z, x_hat, recon, *(terms or ()))
    if not usable:
        line = state.not_finite_message("for this z" if x is None else "for this image")
    elif model.discrete:
        line += "  \nIts z is a grid of indices, so no dimension can be changed."
    order = cached.dimension_order(name)
    average = f.get("kl_per_dim")
    return Side(
        name, card.title, _short_title(card.title), model, z,
        None if y is None else int(y[0]), x, x_hat, kl if usable else None,
        None if average is None else np.asarray(average), order, [f"z{d}" for d in order], line, usable,
    )  # fmt: skip


def _short_title(title: str) -> str:
    """Return a model's title without its data: "VAE, 16-D" of "Digits, VAE, 16-D"."""
    return ", ".join(title.split(", ")[1:]) or title


def traversals(side: Side) -> tuple[Tensor, list[str]]:
    """Return traversals (R * STEPS, D) of the ROWS dimensions with the highest KL, and the R labels."""
    if side.model.discrete:
        return side.z[:0], []
    dims = side.order[:ROWS]
    ranges = cached.slider_ranges(side.name)
    rows = [
        latent.traversal(side.z, d, torch.from_numpy(np.linspace(*ranges[d], STEPS).astype(np.float32))) for d in dims
    ]
    return torch.cat(rows), [f"z{d}" for d in dims]


def decode_moved(side: Side, rank: int, share: float) -> Tensor | None:
    """Decode the code with one dimension moved to a share of its range, to (1, C, H, W).

    rank: index of the dimension in side.order. Returns None if there is no such dimension.
    """
    if side.model.discrete or rank >= len(side.order):
        return None
    d = side.order[rank]
    low, high = cached.slider_ranges(side.name)[d]
    return side.decode(latent.traversal(side.z, d, torch.tensor([low + share * (high - low)]).float()))


def make_current(side: Side, z: Tensor) -> None:
    """Make a model the current one, with code z (D,)."""
    others = [n for n in [state.card().name, *other_models()] if n != side.name]
    if side.name != state.card().name:
        state.set_model(side.name)
    set_other_models(others)
    state.set_z(z, y=side.y)


# ---- what is shown of them. columns.css aligns the rows of neighbouring columns


def show_pictures(sides: list[Side], rank: int, share: float) -> None:
    """Show each model's image, its reconstruction or the decoded z, and that with one dimension changed."""
    for column, side in zip(st.columns(len(sides), gap="medium"), sides, strict=True):
        with column:
            st.container(key=f"compare_title_{side.name}").header(side.short, anchor=False)
            pictures = {"image": side.x}
            if side.usable:
                x_hat = "decoded z" if side.x is None else "reconstruction"
                pictures |= {x_hat: side.x_hat, "one dimension changed": decode_moved(side, rank, share)}
            shown = {label: x for label, x in pictures.items() if x is not None}
            if shown:
                picture_grid(
                    torch.cat(list(shown.values())), [f"{side.title}: {label}" for label in shown],
                    key=f"compare_{side.name}",
                    # three or more models show their pictures in two rows, which keeps them large
                    columns=len(shown) if len(sides) < 3 else 2, size=170, captions=list(shown),
                    name=f"{side.title}: {' and '.join(shown)}",
                )  # fmt: skip
            line = st.container(key=f"compare_line_{side.name}")
            if side.usable:
                line.markdown(side.line)
            else:
                line.warning(side.line)


def show_samples(names: list[str]) -> None:
    """Show samples from each model's prior, all with the current seed."""
    cards = cached.zoo_scan()[0]
    for column, name in zip(st.columns(len(names), gap="medium"), names, strict=True):
        model, card = cached.model(name), cards[name]
        zs = model.sample(SHOWN_SAMPLES, generator=torch.Generator().manual_seed(state.seed()))
        ys = torch.arange(SHOWN_SAMPLES) % model.num_classes if model.num_classes else None
        with column, torch.no_grad():
            st.container(key=f"compare_title_{name}").header(_short_title(card.title), anchor=False)
            picture_grid(
                model.decode(zs, ys), [f"sample {i + 1} of {card.title}" for i in range(SHOWN_SAMPLES)],
                key=f"compare_samples_{name}", columns=SAMPLE_COLUMNS, size=84,
                name=f"{card.title}: samples",
            )  # fmt: skip
            st.container(key=f"compare_line_{name}").markdown(f"z ~ {model.prior_name}; seed {state.seed()}.")


def show_recognised(names: list[str]) -> None:
    """Show which share of each model's samples a classifier recognises, in a caption."""
    needed = {RECOGNISED, f"{RECOGNISED}_test_images"}
    cards = [card for name, card in cached.zoo_scan()[0].items() if name in names and needed <= card.figures.keys()]
    if cards:
        shares = ", ".join(f"{100 * card.figures[RECOGNISED]:.0f} % ({_short_title(card.title)})" for card in cards)
        of_images = cards[0].figures[f"{RECOGNISED}_test_images"]
        st.caption(f"A classifier is sure of {shares} of the samples, and of {100 * of_images:.0f} % of test images.")


def show_codes(sides: list[Side]) -> None:
    """Show each model's KL per dimension, all on one scale, and its traversals."""
    with_bars = [side for side in sides if side.kl is not None]
    top = max((float(v.max()) for side in with_bars for v in (side.kl, side.average) if v is not None), default=0.0)
    for column, side in zip(st.columns(len(sides), gap="medium"), sides, strict=True):
        with column:
            st.container(key=f"compare_name_{side.name}").markdown(f"**{side.short}**")
            if side.kl is not None:
                kl_bars(side.kl, side.average, side.order, side.labels, f"compare_kl_{side.name}", top)
            elif side.usable and side.x is not None:
                st.caption(explain("This model has no KL per dimension."))
            strips, rows = traversals(side) if side.usable else (side.z[:0], [])
            if rows:
                picture_grid(
                    side.decode(strips), [f"{row}, step {i + 1}" for row in rows for i in range(STEPS)],
                    key=f"compare_strips_{side.name}", columns=STEPS, size=64, row_labels=rows,
                    on_pick=lambda index, side=side, strips=strips: make_current(side, strips[index]),
                    name=f"traversals of {side.title}",
                )  # fmt: skip


# ---- known factors


def show_factors(sides: list[Side]) -> None:
    """Show what each model does with each known factor, and its scores; nothing where none is measured."""
    cards = [cached.card(side.name) for side in sides]
    # data sets with the same classes may have other factors
    known = [cached.info(card.data).factors for card in cards]
    answers = [report.factor_answers(card, own) if own else [] for card, own in zip(cards, known, strict=True)]
    factors = next((own for own, found in zip(known, answers, strict=True) if found), None)
    if factors is None:
        return
    names = [answer.name for answer in max(answers, key=len)]
    st.header("What each model does with each factor")
    columns = {
        side.title: [{answer.name: report.three_answers(answer) for answer in found}.get(name, "–") for name in names]
        for side, found in zip(sides, answers, strict=True)
    }
    st.dataframe({"factor": names, **columns}, hide_index=True, height="content", key="compare_factors")
    scores = {side.title: report.disentanglement_scores(card) for side, card in zip(sides, cards, strict=True)}
    lines = "  \n".join(f"**{title}**: {text}." for title, text in scores.items() if text)
    st.caption(
        explain(
            "Each cell: what a classifier reads on reconstructions, what boosted trees read in codes, and the one "
            f"dimension that owns the factor. {report.symmetries(factors)}\n\n{lines}"
        )
    )


# ---- planes


def show_planes(sides: list[Side]) -> None:
    """Show the latent planes of 2-D models, sampled at quantiles of their priors."""
    flat = [s for s in sides if s.model.latent_dim == 2 and not s.model.num_classes]
    if len(flat) < 2:
        return
    st.header("The latent plane of each model")
    for column, side in zip(st.columns(len(flat), gap="large"), flat, strict=True):
        with column:
            prior = side.model.prior
            zs = latent.prior_grid(PLANE_SIZE, prior.mean, (0, 1), prior.mean, prior.stddev).flatten(0, 1)
            picture_grid(
                side.decode(zs), [f"z = {a:.2f}, {b:.2f}" for a, b in zs.tolist()], key=f"compare_plane_{side.name}",
                columns=PLANE_SIZE, size=38, on_pick=lambda i, side=side, zs=zs: make_current(side, zs[i]),
                name=f"latent plane of {side.title}",
            )  # fmt: skip
            st.caption(f"**{side.short}**: p(z) = {side.model.prior_name}. {prior_holes(side.name)}")
    text = "Each image stands for an equal share of p(z)."
    if any(side.model.ex_post_prior for side in flat):
        text += (
            " An autoencoder has no prior: its p(z) here is fitted to its codes. It is not trained to decode z "
            "between its codes, so images there need not look like the data. Such regions are its dead zones."
        )
    st.caption(text)


@st.cache_data(max_entries=40, show_spinner=False)
def prior_holes(name: str) -> str:
    """Return the sentences on prior samples: the share in regions without data, and a classifier's confidence."""
    model, card = cached.model(name), cached.model(name).card
    zs = model.sample(SAMPLES, generator=torch.Generator().manual_seed(0))
    parts = []
    if cached.model_map(name) is not None:
        # Compare samples with samples: in an inactive dimension all posterior means are near 0, but samples are not.
        encoded = torch.from_numpy(cached.posterior_samples(name).astype(np.float32))
        z, codes = model.features(zs).numpy(), model.features(encoded).numpy()
        support = latent.support(z, codes, latent.local_distances(codes))
        parts.append(
            f"{100 * float((support < 0.01).mean()):.0f} % of {SAMPLES} samples lie in sparser regions than "
            "99 % of test images do."
        )
    classifier = cached.classifier(card.data)
    if classifier is not None:
        with torch.no_grad():
            split = cached.gallery(card.data)
            sure = metrics.confidence(classifier, model.decode(zs), split.batch(range(SAMPLES))[0])
        parts.append(
            f"A classifier's mean confidence is {100 * sure.of_samples:.0f} % on samples and "
            f"{100 * sure.of_test_images:.0f} % on test images."
        )
    return " ".join(parts)
