"""The factor matrix: which latent dimension encodes which ground-truth factor."""

from __future__ import annotations

import numpy as np

from ..browser.colours import CIVIDIS
from ..evaluation.figures import FIGURES
from ..store import dimension_order
from .base import KINDS, SMALL, Options, PaperFigure, Sheet, Subject

LETTER = 0.06  # inches of a letter at most
BAR = 0.42  # inches, right of the cells, for their colours
CELL = 0.26  # inches at most


@KINDS.register("factors")
def factors(subject: Subject, options: Options) -> PaperFigure:
    """Draw the mutual information of each factor and dimension as a share of the factor's entropy."""
    from matplotlib.colors import LinearSegmentedColormap

    card, info = subject.card, subject.info
    if info.factors is None or "mutual_information" not in card.figures:
        raise ValueError(f"the card of {card.name} lists no mutual information with ground-truth factors")
    entropies = np.array(card.figures["factor_entropy"])
    varying = np.flatnonzero(entropies > 0)  # a constant factor has no information to encode
    order = list(options.dims) or dimension_order(
        card, subject.model.levels, subject.encoded(), np.ones(card.latent_dim)
    )
    if not all(0 <= d < card.latent_dim for d in order):
        raise ValueError(f"{card.name} has dimensions 0 to {card.latent_dim - 1}")
    shares = np.array(card.figures["mutual_information"])[order].T[varying] / entropies[varying, None]  # (K, D)
    names = [info.factors.names[k] for k in varying]
    left = 0.1 + LETTER * max(map(len, names))
    cell = min(CELL, (options.inches - left - BAR) / len(order))
    width, height = cell * len(order), max(cell, 0.18) * len(names)
    sheet = Sheet(options.inches, height + 0.24)
    start = (options.inches - left - width - BAR) / 2 + left
    axes = sheet.part(start, 0.04, width, height)
    colours = LinearSegmentedColormap.from_list("cividis", CIVIDIS)
    mesh = axes.pcolormesh(shares.clip(0, 1), cmap=colours, vmin=0, vmax=1, edgecolors="white", linewidth=0.5)
    axes.invert_yaxis()
    axes.set_yticks(np.arange(len(names)) + 0.5, names, parse_math=False)
    axes.set_xticks(np.arange(len(order)) + 0.5, [f"$z_{{{d}}}$" for d in order])
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)
    if cell >= 0.16:
        for (k, d), share in np.ndenumerate(shares):
            # the upper half of cividis is bright and needs dark text
            axes.text(d + 0.5, k + 0.5, f"{share:.2f}".lstrip("0"), ha="center", va="center_baseline",
                      fontsize=min(SMALL, 30 * cell), color="black" if share > 0.5 else "white")  # fmt: skip
    bar = sheet.part(start + width + 0.08, 0.04, 0.07, height)
    scale = sheet.figure.colorbar(mesh, cax=bar, ticks=[0, 0.5, 1])
    scale.outline.set_visible(False)  # type: ignore[operator]
    bar.tick_params(length=2, pad=2)
    return PaperFigure(sheet.figure, _caption(subject), card.credit)


def _caption(subject: Subject) -> str:
    card, mig = subject.card, FIGURES["mig"]
    return (
        f"Mutual information between ground-truth factors and dimensions of {card.name} ({card.title}), as a share of "
        f"the factor's entropy. {mig.label} {mig.text(card.figures['mig'])}, random codes "
        f"{mig.text(card.figures.get('mig_random'))}; {card.protocol['mig']}."
    )
