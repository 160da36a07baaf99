"""The two terms of the bound, averaged over images."""

from __future__ import annotations

from typing import Any

from ...models import LatentModel
from ..figures import Figure
from .base import MEASURES, SEED, Context, Measure

RECON = Figure(
    "recon",
    "reconstruction error",
    "nats",
    ".1f",
    group="bound",
    better="lower",
    baseline="recon_floor",
    baseline_label="lowest possible cross-entropy",
    protocol={"seed": SEED, "images": None, "split": None, "given": ""},
    sentence="-log p(x|z) in nats, {images:,} {split} images, one posterior sample each (seed {seed}){given}",
    brief="reconstruction error {value} nats",
    brief_baseline=" (a cross-entropy, at least {baseline})",
    rank=4,
)
KL = Figure(
    "kl",
    "KL",
    "nats",
    ".1f",
    group="bound",
    protocol={"how": None, "images": None, "split": None},
    sentence="{how}, {images:,} {split} images",
    brief="KL {value} nats",
)
NEGATIVE_ELBO = Figure(
    "negative_elbo",
    "negative ELBO",
    "nats",
    ".1f",
    group="bound",
    better="lower",
    baseline="recon_floor",
    baseline_label="lowest possible cross-entropy",
    of="recon",
    brief="negative ELBO {value} nats",
    brief_baseline=" (bounds no log-probability)",
    rank=3,
)


def how_kl(model: LatentModel) -> str:
    """Return how objectives.elbo computes the KL of a model."""
    if model.discrete:
        return "-log p(z) in nats under the autoregressive prior"
    if not model.analytic_kl:
        return "log q(z|x) - log p(z) in nats at the posterior sample"
    return "KL(q(z|x) || p(z)) in nats, analytic" + (
        "; that of the bottom level at one sample of the top level" if model.levels else ""
    )


@MEASURES.register("bound")
class Bound(Measure):
    figures = (
        Figure("test_images", "test images", digits=",", shown=False, tolerance=0),
        Figure("validation_images", "validation images", digits=",", shown=False, tolerance=0),
        RECON,
        Figure(
            "recon_floor",
            "lowest possible reconstruction error",
            "nats",
            ".1f",
            group="bound",
            shown=False,
            sentence="the reconstruction error if x_hat = x; above 0 where pixels are grey: -log p(x|z) is then a "
            "cross-entropy and bounds no log-probability",
        ),
        KL,
        NEGATIVE_ELBO,
        Figure("kl_per_dim", "KL per dimension", "nats", ".2f", group="bound", of="kl", shown=False),
    )
    position = 10

    def measure(self, context: Context) -> dict:
        model, terms = context.model, context.terms
        given = "; the true label is given, so the bound is on log p(x|y)" if model.num_classes else ""
        context.describe(RECON, given=given)
        figures: dict[str, Any] = {f"{context.on}_images": context.n, "recon": terms.recon}
        if terms.recon_floor is not None:
            figures["recon_floor"] = terms.recon_floor
        if not model.has_elbo:
            return figures
        context.describe(KL, how=how_kl(model))
        figures |= {"kl": terms.kl, "negative_elbo": terms.recon + terms.kl}
        return figures if terms.kl_per_dim is None else figures | {"kl_per_dim": terms.kl_per_dim.tolist()}
