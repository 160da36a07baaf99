"""Props of widgets that more than one host makes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from ..cards import ModelCard, Traits
from .colours import class_colours

MAX_CODES = 600  # of test images, drawn under the posterior's ellipse
WHITE = 4.0  # nats a pixel, in the picture of the reconstruction error
AVERAGES = ("recon", "kl", "negative_elbo", "kl_per_dim")  # figures beside those of one image
EMPTY_DRAWING = "The drawing is empty: this is the reconstruction of an empty image."


def dimensions(
    card: ModelCard, traits: Traits, ranges: np.ndarray, order: Sequence[int], names: Mapping[int, str],
    locked: Collection[int] = (),
) -> list[dict]:  # fmt: skip
    """Return the settings of the live panel's sliders in display order. ranges: their ends (D, 2)."""
    mu, sigma = traits.prior_mean.tolist(), traits.prior_stddev.tolist()
    group = {d: name for name, dims in traits.levels.items() for d in dims}
    kl = card.figures.get("kl_per_dim")
    return [
        {
            "index": d, "low": float(ranges[d, 0]), "high": float(ranges[d, 1]),
            "kl": kl[d] if kl else None, "name": names.get(d, ""), "locked": d in locked,
            "prior_mu": mu[d], "prior_sigma": sigma[d] if traits.prior_is_gaussian else None,
            "group": group.get(d, ""), "values": traits.values[d] if traits.values else None,
        }
        for d in order
    ]  # fmt: skip


def plane(codes: np.ndarray | None, labels: np.ndarray | None, n_classes: int) -> dict:
    """Return what Inside draws under the ellipse of a posterior in two dimensions: codes of test images (N, 2), and
    the range of both axes. labels: (N,)."""
    if codes is None or labels is None:
        return {"codes": [], "labels": [], "colours": [], "low": -4, "high": 4}
    codes, labels = codes[:MAX_CODES], labels[:MAX_CODES]
    limit = max(3.0, float(np.quantile(np.abs(codes), 0.99))) * 1.1
    return {
        "codes": codes.round(3).tolist(), "labels": labels.tolist(), "colours": class_colours(n_classes),
        "low": -limit, "high": limit,
    }  # fmt: skip
