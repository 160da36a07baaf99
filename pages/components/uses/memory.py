"""Memorisation: distances from a model's samples to their nearest training images."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from vae import ModelCard, store

from ..shell import cached, state, visitors
from ..widgets import charts, exports
from ..widgets.picture_grid import picture_grid

NEEDS = "measured distances between its samples and its training images"
COLUMNS = 8


def models() -> list[str]:
    """Return the models with stored distances, those trained on a subset first, because they may have memorised it."""
    cards = cached.zoo_scan()[0].values()
    measured = [card for card in cards if (visitors.store_of(card.name).folder(card.name) / "memory.npz").exists()]
    return [card.name for card in sorted(measured, key=lambda card: not card.recipe.get("images"))]


@st.cache_resource(max_entries=10, show_spinner=False)
def _memory(name: str) -> store.Memory:
    return visitors.store_of(name).read_memory(name)


def show() -> None:
    card, model = state.card(), state.model()
    try:
        memory = _memory(card.name)
    except store.ModelUnavailable as error:
        st.warning(f"The distances to training images cannot be shown: {error}.")
        return
    z = model.sample(len(memory.samples), generator=torch.Generator().manual_seed(memory.seed))[memory.shown]
    samples, nearest = state.decode(z), torch.from_numpy(memory.nearest).float() / 255
    threshold = float(np.quantile(memory.held_out, 0.05))
    share = 100 * float((memory.samples < threshold).mean())
    st.plotly_chart(
        charts.overlaid_histograms(
            memory.held_out, memory.samples, "test images", "samples from the prior",
            f"distance to the nearest of {memory.train_images:,} training images",
        ),
        config=charts.CONFIG, key="memory_chart", alt="histograms of distances to the nearest training image",
    )  # fmt: skip
    st.markdown(
        f"**{share:.0f} %** of {len(memory.samples):,} samples are closer to a training image than 95 % of test "
        f"images are. Without memorisation the share is about 5 %. The median distance is "
        f"{np.median(memory.samples):.2f} for samples and {np.median(memory.held_out):.2f} for test images."
    )
    ranks = np.arange(len(z))
    for first in range(0, len(z), COLUMNS):
        part = ranks[first : first + COLUMNS]
        picture_grid(
            torch.cat([samples[part], nearest[part]]),
            [f"sample, {memory.samples[memory.shown[i]]:.2f} from its nearest training image" for i in part]
            + ["nearest training image"] * len(part),
            key=f"memory_{first}", columns=COLUMNS, row_labels=["sample", "nearest\ntraining\nimage"], size=84,
            captions=[f"{memory.samples[memory.shown[i]]:.2f}" for i in part] + [""] * len(part),
            name="samples and their nearest training images",
        )  # fmt: skip
    exports.download_sheet(torch.cat([samples, nearest]), len(samples), "samples and nearest", "memory_png")
    st.caption(
        f"The pairs are ordered from the closest of {len(memory.samples):,} samples to the farthest. Each number is "
        "the Euclidean distance over pixels. VAE samples are smooth, and smooth images are close to many others. "
        f"Compare the curves of several models. Measured by `python -m vae memory {card.name}`.{_test_error(card)}"
    )


def _test_error(card: ModelCard) -> str:
    """Return the sentence on the reconstruction error of test images, and the lowest among the models shown here."""
    cards = cached.zoo_scan()[0]
    same_data = [cards[name] for name in models() if cards[name].data == card.data]
    known = {other.name: other.figures["recon"] for other in same_data if "recon" in other.figures}
    if card.name not in known:
        return ""
    best = min(known, key=known.get)
    sentence = f" The reconstruction error on test images is {known[card.name]:.0f} nats"
    return f"{sentence}." if best == card.name else f"{sentence}, and {known[best]:.0f} for {cards[best].title}."
