"""Denoising: a noisy image and its reconstructions by several models."""

from __future__ import annotations

import streamlit as st
import torch

from vae import metrics
from vae.evaluation.figures import FIGURES
from vae.models import FAMILIES
from vae.models.dvae import add_noise

from ..shell import cached, settings, state
from ..shell.glossary import explain
from ..widgets import exports
from ..widgets.figure_column import figure_column
from ..widgets.image_input import image_input
from ..widgets.picture_grid import picture_grid

NEEDS = "a measured PSNR of its denoised images"
BASELINES = ("mnist-dvae", "mnist-vae-16d")  # the denoising VAE; a VAE with the same networks trained on clean images
NOISE = (0.0, 1.0)  # standard deviation
SETTINGS = {"denoise_std": ("float", *NOISE), "denoise_image": ("int", 0, 9999)}


def models() -> list[str]:
    cards = cached.zoo_scan()[0]
    return sorted(
        (n for n, card in cards.items() if "psnr_denoised" in card.figures),
        key=lambda n: not FAMILIES[cards[n].family].denoises,
    )


def show() -> None:
    left, right = st.columns([3, 1], gap="large")
    settings.take("denoise_std")
    with right:
        std = st.slider(
            "Noise (standard deviation)", *NOISE, 0.5, 0.05, key="denoise_std", persist_state="session",
            help="Gaussian noise on pixels from 0 to 1",
        )  # fmt: skip
        with st.popover("Choose an image"):
            picked = image_input("denoise_image")
    noisy = add_noise(picked.x, std, torch.Generator().manual_seed(state.seed()))
    cards, supported = cached.zoo_scan()[0], models()
    names = list(dict.fromkeys(n for n in (state.card().name, *BASELINES) if n in supported))
    with torch.no_grad():
        reconstructions = [cached.model(name).reconstruct(noisy) for name in names]
    shown = torch.cat([picked.x, noisy, *reconstructions])
    quality = ["", *(_decibels(picked.x, x) for x in shown[1:, None])]
    titles = ["original", "with noise", *(cards[name].title for name in names)]
    with left:
        picture_grid(
            shown, titles, key="denoise_pictures", size=165, name="the original, with noise, and denoised",
            captions=[title + dB for title, dB in zip(titles, quality, strict=True)],
        )  # fmt: skip
        st.caption(
            explain(
                "Each model reconstructs the noisy image. PSNR, in dB, compares the result with the original: higher "
                "is better. A plain VAE removes weak noise. Strong noise is out of distribution for its encoder."
            )
        )
    with right:
        exports.download_sheet(shown, len(shown), "denoised", "denoise_png")
    supported.sort(key=lambda n: -cards[n].figures["psnr_denoised"])
    psnr = FIGURES["psnr_denoised"]
    st.dataframe(
        {"model": [cards[n].title for n in supported], psnr.title: [cards[n].figures[psnr.key] for n in supported]},
        hide_index=True, column_config={psnr.title: figure_column(psnr)}, key="denoise_table", placeholder="–",
    )  # fmt: skip
    figures = state.card().figures
    rivals = {"ridge regression": "psnr_ridge", "Gaussian blur": "psnr_blur"}
    measured = [f", {name} {psnr.text(figures[key])}" for name, key in rivals.items() if key in figures]
    st.caption(
        f"Baselines: the noisy images have {psnr.text(figures['psnr_noisy'])} {psnr.unit}, the mean test image "
        f"{psnr.text(figures['psnr_mean_image'])}{''.join(measured)}. **About** gives the protocol. The noise above "
        f"has seed {state.seed()}, and pixels are clipped to [0, 1]."
    )


def _decibels(x: torch.Tensor, other: torch.Tensor) -> str:
    """Return the PSNR of other against x as the end of a caption; "" if other is not finite."""
    return f", {float(metrics.psnr(x, other).clamp(max=99.9)):.1f} dB" if state.finite(other) else ""
