"""Denoising: a noisy image and its reconstructions by several models."""

from __future__ import annotations

import streamlit as st
import torch

from vae import metrics
from vae.evaluation.figures import FIGURES
from vae.models import FAMILIES
from vae.models.dvae import add_noise

from ..shell import cached, settings, state
from ..widgets import exports
from ..widgets.figure_column import figure_column
from ..widgets.image_input import image_input
from ..widgets.picture_grid import picture_grid

NEEDS = "Denoising has been measured for models of grey digits."
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
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    settings.take("denoise_std")
    std = left.slider(
        "Noise: standard deviation on pixels from 0 to 1",
        *NOISE,
        0.5,
        0.05,
        key="denoise_std",
        persist_state="session",
    )
    with right.popover("Choose the image"):
        picked = image_input("denoise_image")
    noisy = add_noise(picked.x, std, torch.Generator().manual_seed(state.seed()))
    cards, supported = cached.zoo_scan()[0], models()
    names = list(dict.fromkeys(n for n in (state.card().name, *BASELINES) if n in supported))
    with torch.no_grad():
        reconstructions = [cached.model(name).reconstruct(noisy) for name in names]
    shown = torch.cat([picked.x, noisy, *reconstructions])
    quality = ["", *(_decibels(picked.x, x) for x in shown[1:, None])]
    titles = ["the image", "with noise", *(cards[name].title for name in names)]
    picture_grid(
        shown, titles, key="denoise_pictures", columns=len(shown), size=190,
        captions=[title + dB for title, dB in zip(titles, quality, strict=False)], name="an image, noisy and denoised",
    )  # fmt: skip
    st.caption(
        f"Noise of seed {state.seed()}, cut to [0, 1]; each model decodes the posterior mean of the noisy image. dB: "
        f"peak "
        "signal-to-noise ratio against the image, more is better. A plain VAE denoises too, since its decoder "
        "knows no noise, until the noise is so foreign that its encoder is lost."
    )
    exports.download_sheet(shown, len(shown), "denoised", "denoise_png")
    supported.sort(key=lambda n: -cards[n].figures["psnr_denoised"])
    psnr = FIGURES["psnr_denoised"]
    st.dataframe(
        {"model": [cards[n].title for n in supported], psnr.title: [cards[n].figures[psnr.key] for n in supported]},
        hide_index=True, column_config={psnr.title: figure_column(psnr)}, key="denoise_table",
    )  # fmt: skip
    figures = state.card().figures
    st.caption(
        f"From the cards: {state.card().protocol['psnr_denoised']}. The noisy digits themselves have "
        f"{psnr.text(figures['psnr_noisy'])} {psnr.unit}, the mean image {psnr.text(figures['psnr_mean_image'])}."
    )


def _decibels(x: torch.Tensor, other: torch.Tensor) -> str:
    """Return the PSNR of other against x as the end of a caption; "" if other is not finite."""
    return f", {float(metrics.psnr(x, other).clamp(max=99.9)):.1f} dB" if state.finite(other) else ""
