"""Memorisation: distances from a model's samples to their nearest training images."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from vae import store

from ..shell import cached, state
from ..widgets import charts, exports
from ..widgets.picture_grid import picture_grid

NEEDS = "For some models draws have been looked for among the training images."
COLUMNS = 8


def models() -> list[str]:
    """Return the models with stored distances, those trained on a subset first, because they may have memorised it."""
    cards = cached.zoo_scan()[0].values()
    measured = [card for card in cards if (store.Store().folder(card.name) / "memory.npz").exists()]
    return [card.name for card in sorted(measured, key=lambda card: not card.recipe.get("images"))]


@st.cache_resource(max_entries=10, show_spinner=False)
def _memory(name: str) -> store.Memory:
    return store.Store().read_memory(name)


def show() -> None:
    card, model = state.card(), state.model()
    try:
        memory = _memory(card.name)
    except store.ModelUnavailable as error:
        st.warning(f"This model's memory cannot be shown: {error}.")
        return
    z = model.sample(len(memory.samples), generator=torch.Generator().manual_seed(memory.seed))[memory.shown]
    samples, nearest = state.decode(z), torch.from_numpy(memory.nearest).float() / 255
    threshold = float(np.quantile(memory.held_out, 0.05))
    share = 100 * float((memory.samples < threshold).mean())
    st.plotly_chart(
        charts.overlaid_histograms(
            memory.held_out, memory.samples, "held-out images", "draws from the prior",
            f"distance to the nearest of {memory.train_images:,} training images",
        ),
        config=charts.CONFIG, key="memory_chart", alt="distances to the nearest training image",
    )  # fmt: skip
    st.markdown(
        f"**{share:.0f} %** of {len(memory.samples):,} draws lie nearer to a training image than 95 % of held-out "
        f"images do "
        f"(by chance 5 %). Median distance: {np.median(memory.samples):.2f} for draws, "
        f"{np.median(memory.held_out):.2f} for held-out images."
    )
    ranks = np.arange(len(z))
    for first in range(0, len(z), COLUMNS):
        part = ranks[first : first + COLUMNS]
        picture_grid(
            torch.cat([samples[part], nearest[part]]),
            [f"draw, {memory.samples[memory.shown[i]]:.2f} from its nearest" for i in part] + ["its nearest training "
                "image"] * len(part),
            key=f"memory_{first}", columns=COLUMNS, row_labels=["draw", "nearest training image"], size=84,
            captions=[f"{memory.samples[memory.shown[i]]:.2f}" for i in part] + [""] * len(part), name="draws and "
                "their nearest",
        )  # fmt: skip
    exports.download_sheet(torch.cat([samples, nearest]), len(samples), "draws and nearest", "memory_png")
    recon = card.figures.get("recon")
    st.caption(
        f"From the nearest draw of {len(memory.samples):,} to the farthest, in equal steps; Euclidean distance over "
        f"pixels, by "
        f"`python -m vae memory {card.name}`. A VAE's draws are smooth, and smooth pictures lie near to many: hold "
        f"its "
        "curve against the other models'. "
        + (f"What it makes of test images costs {recon:.0f} nats of reconstruction." if recon else "")
    )
