"""Fairness: an attribute that reconstructions lose more often in one group than in another."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from vae.evaluation.measures.fairness import compared_attributes
from vae.store import ModelCard

from ..shell import cached, settings, state
from ..widgets import charts, exports
from ..widgets.picture_grid import picture_grid

NEEDS = "lost attributes, measured by group"
SETTINGS = {"fair_attribute": ("text",), "fair_image": ("int", 0, 9999)}
FIRST = "smile"  # attribute
ROWS = ("original", "reconstruction")
TRAINED_ON = {  # {a recipe's split: how often its training images show each group}
    "train": "Every {} has about the same number of training images. Equal numbers do not remove a difference.",
    "skewed": "In the training images, each {} is half as frequent as the one to its left in the picture.",
    "reweighted": "Rare training images are repeated until every {} has the same weight.",
}


def models() -> list[str]:
    return [name for name, card in cached.zoo_scan()[0].items() if "attribute_lost" in card.figures]


def show() -> None:
    card = state.card()
    info, lost = cached.info(card.data), card.figures["attribute_lost"]
    settings.take("fair_attribute", among=list(lost))
    settings.take("fair_image")
    if st.session_state.get("fair_attribute") not in lost:
        st.session_state.fair_attribute = FIRST if FIRST in lost else next(iter(lost))
    pictures, controls = st.columns([3, 1], gap="large")
    with controls:
        attribute = st.pills(
            "Attribute", list(lost), required=True, key="fair_attribute", persist_state="session", wrap=True,
        )  # fmt: skip
        row = st.number_input(
            "Test image", 0, 9999, info.start, key="fair_image", persist_state="session",
            help=f"The image is drawn with the attribute, in each {info.group}.",
        )  # fmt: skip
    x, contrast = _images(card.data, attribute, row)
    with torch.no_grad():
        reconstructed = state.model().reconstruct(x)
    groups = info.grid.values[info.grid.names.index(info.group)]
    with pictures:
        picture_grid(
            torch.cat([x, reconstructed]),
            [f"{what}, {group}" for what in ROWS for group in groups],
            key="fair_pictures", columns=len(groups), row_labels=ROWS, size=110,
            name=f"a face in each {info.group}, and the reconstructions",
            captions=[*groups, *_judged(card.data, attribute, reconstructed)],
        )  # fmt: skip
        shares = lost[attribute]
        most, least = max(shares, key=shares.get), min(shares, key=shares.get)
        found = f"{100 * shares[most]:.1f} % of {most} and {100 * shares[least]:.1f} % of {least} {info.noun}"
        if shares[most] == shares[least]:
            found = f"{100 * shares[most]:.1f} % of {info.noun} of every {info.group}"
        st.markdown(
            f"**{attribute.capitalize()}: lost in {found} that have it.** "
            + TRAINED_ON.get(card.recipe.get("split", ""), TRAINED_ON["train"]).format(info.group)
        )
        exports.download_sheet(torch.cat([x, reconstructed]), len(groups), "fairness", "fair_png")
    compared = [c for c in (cached.zoo_scan()[0][name] for name in models()) if _alike(c, card)]
    left, right = st.columns(2, gap="large")
    with left:
        percent = {
            c.title: {group: 100 * share for group, share in c.figures["attribute_lost"].get(attribute, {}).items()}
            for c in compared
        }
        st.plotly_chart(
            charts.group_lines(list(groups), percent, f"{attribute}: lost (%)", "%{y:.1f} %"),
            config=charts.CONFIG, key="fair_lost", alt=f"share of faces that lose the attribute, by {info.group}",
        )  # fmt: skip
        st.caption(
            "The share is of all test images that have the attribute. A classifier decides whether a reconstruction "
            "keeps it. **About** gives the protocol."
        )
    with right:
        st.plotly_chart(
            charts.group_lines(
                list(groups), {c.title: c.figures.get("group_excess", {}) for c in compared},
                "error above the minimum (nats)", "%{y:.1f} nats",
            ),
            config=charts.CONFIG, key="fair_excess", alt=f"reconstruction error above its minimum, by {info.group}",
        )  # fmt: skip
        st.caption(
            f"The reconstruction error of all test images of each {info.group}, minus the lowest possible "
            "cross-entropy. Its mean says little about a detail."
        )
    left, right = st.columns(2, gap="large", vertical_alignment="center")
    with left:
        st.plotly_chart(
            charts.bars(list(groups)[::-1], contrast[::-1], "squared difference", "{:.1f}"),
            config=charts.CONFIG, key="fair_contrast",
            alt=f"squared difference that the attribute makes, by {info.group}",
        )  # fmt: skip
    with right:
        st.markdown(
            "**Why?** The chart compares the face above with and without the attribute, pixel by pixel. A detail of "
            "low contrast adds little to the reconstruction error. The loss hardly penalises a model that leaves it "
            "out."
        )


def _alike(card: ModelCard, other: ModelCard) -> bool:
    """Return whether two models differ in their training only."""
    return (card.data, card.family, card.config) == (other.data, other.family, other.config)


@st.cache_data(max_entries=50, show_spinner=False)
def _images(data: str, attribute: str, row: int) -> tuple[torch.Tensor, list[float]]:
    """Return a test image with an attribute in each group (G, C, H, W), and the squared difference that the attribute
    makes in each of them."""
    info = cached.info(data)
    k, values = compared_attributes(info)[attribute]
    factors = info.grid.sweep(cached.gallery(data).factors[row], info.grid.names.index(info.group))
    if factors[0, k] not in values:
        factors[:, k] = values[0]
    without = factors.copy()
    others = [value for value in range(info.grid.sizes[k]) if value not in values]
    without[:, k] = min(others, key=lambda value: abs(value - values[0]))  # long hair becomes a bun, not a bald head
    with_it, plain = (info.grid.render(each).astype(np.float32) / 255 for each in (factors, without))
    return torch.from_numpy(with_it), ((with_it - plain) ** 2).sum((1, 2, 3)).tolist()


@torch.no_grad()
def _judged(data: str, attribute: str, x: torch.Tensor) -> list[str]:
    """Return "kept" for each of images (N, C, H, W) in which the data's classifier finds an attribute, else "lost"; ""
    without a classifier."""
    classifier = cached.classifier(data)
    if classifier is None:
        return [""] * len(x)
    k, values = compared_attributes(cached.info(data))[attribute]
    return ["kept" if value in values else "lost" for value in classifier(x)[k].argmax(1).tolist()]
