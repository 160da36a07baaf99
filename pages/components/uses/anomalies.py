"""Out-of-distribution detection: images ranked by a model's anomaly score."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from vae import metrics
from vae.evaluation import downstream
from vae.evaluation.measures.anomalies import AUROC, SCORES, kind_labels

from ..shell import cached, settings, state
from ..widgets import charts, exports
from ..widgets.figure_column import figure_column
from ..widgets.image_input import image_input
from ..widgets.picture_grid import picture_grid

NEEDS = "measured scores of outliers"
N_RANKED = 400  # images of each kind
SHOWN = 20  # at each end of the ranking
EXAMPLES = 5
EXAMPLE_ROWS = ("outlier", "reconstruction")
NO_SCORE = torch.finfo(torch.float32).max  # vae.metrics returns it for a score that is not finite
SETTINGS = {"anomaly_kind": ("text",), "anomaly_score": ("text",), "anomaly_image": ("int", 0, 9999)}
KNOWN_FAILURE = ("fashion-vae-16d", "blurred", "excess")


def models() -> list[str]:
    return [
        name
        for name, card in cached.zoo_scan()[0].items()
        if f"auroc_squared_error_{downstream.EMPTY}" in card.figures
    ]


def show() -> None:
    card = state.card()
    info, figures = cached.info(card.data), card.figures
    kinds = [k for k in downstream.outlier_kinds(info) if k not in info.out_of_distribution or _has_images(k)]
    scores = [score for score in SCORES if f"auroc_{score}_{kinds[0]}" in figures]
    settings.take("anomaly_kind", among=kinds, labels=kind_labels())
    settings.take("anomaly_score", among=scores, labels=SCORES)
    if st.session_state.get("anomaly_kind") not in kinds:
        st.session_state.anomaly_kind = kinds[0]
    if st.session_state.get("anomaly_score") not in scores:
        st.session_state.anomaly_score = scores[-1]
    pictures, controls = st.columns([3, 2], gap="large")
    with controls:
        kind = st.pills(
            "Outliers", kinds, required=True, key="anomaly_kind", persist_state="session", wrap=True,
            format_func=kind_labels().get,
        )  # fmt: skip
        score = st.segmented_control(
            "Score", scores, required=True, wrap=True, key="anomaly_score", persist_state="session",
            format_func=SCORES.get,
            help="Squared error: of the reconstruction. Negative ELBO: in nats. Excess: the negative ELBO minus its "
                "lowest possible value, the entropy of the grey pixels.",
        )  # fmt: skip
        if KNOWN_FAILURE[0] in models():
            st.button("Show a failure", on_click=_set_failure, help="blurred clothes, scored by a model of clothes")
    auroc = figures[f"auroc_{score}_{kind}"]
    test_images, test_scores = _scored_images(card.name, None)
    outliers, outlier_scores = _scored_images(card.name, kind)
    test_values, outlier_values = getattr(test_scores, score), getattr(outlier_scores, score)

    with torch.no_grad():
        shown = torch.cat([outliers[:EXAMPLES], state.model().reconstruct(outliers[:EXAMPLES])])
    with pictures:
        picture_grid(
            shown,
            [f"{kind_labels()[kind]} {i + 1}, {what}" for what in EXAMPLE_ROWS for i in range(EXAMPLES)],
            key="anomaly_examples", columns=EXAMPLES, row_labels=EXAMPLE_ROWS, size=120,
            name="outliers and their reconstructions",
        )  # fmt: skip
        st.markdown(_verdict(auroc, score))
    left, right = st.columns(2, gap="large")
    with left:
        st.plotly_chart(
            charts.overlaid_histograms(test_values, outlier_values, "test images", kind_labels()[kind],
                f"{SCORES[score]} per image" + ("" if score == "squared_error" else ", nats")),
            config=charts.CONFIG, key="anomaly_scores", alt="histograms of the scores of test images and outliers",
        )  # fmt: skip
    with right:
        st.plotly_chart(
            charts.roc_curve(metrics.FALSE_POSITIVE_RATES, figures[f"roc_{score}_{kind}"], auroc),
            config=charts.CONFIG, key="anomaly_roc", alt="ROC curve: true positive rate against false positive rate",
        )  # fmt: skip

    st.header("Ranking")
    both, values = torch.cat([test_images, outliers]), np.concatenate([test_values, outlier_values])
    is_outlier = np.arange(len(both)) >= len(test_images)
    order = np.argsort(-values, kind="stable")
    ends = {"highest": order[:SHOWN], "lowest": order[-SHOWN:]}
    for column, (end, rows) in zip(st.columns(2, gap="large"), ends.items(), strict=True):
        with column:
            share = 100 * is_outlier[rows].mean()
            st.markdown(f"**The {SHOWN} {end} scores.** {share:.0f} % of these images are outliers.")
            picture_grid(
                both[rows], [f"{'outlier' if is_outlier[i] else 'test image'}, {_text(values[i])}" for i in rows],
                key=f"anomaly_{end}", size=56, captions=["outlier" if is_outlier[i] else "–" for i in rows],
                name=f"images with the {end} scores",
            )  # fmt: skip

    st.header("All outliers")
    table = {"outliers": [kind_labels()[k] for k in kinds]}
    table |= {f"{AUROC.label} by {SCORES[s]}": [figures[f"auroc_{s}_{k}"] for k in kinds] for s in scores}
    st.dataframe(
        table, hide_index=True, key="anomaly_table", placeholder="–",
        column_config={name: figure_column(AUROC) for name in table if name != "outliers"},
    )  # fmt: skip
    st.caption(f"Measured by `python -m vae evaluate {card.name}`. **About** gives the protocol.")
    below = st.container(horizontal=True)

    def scores_csv() -> bytes:
        rows = [
            f"{'outlier' if f else 'test'},{i % len(test_images)},{v:.6g}"
            for i, (f, v) in enumerate(zip(is_outlier, values, strict=False))
        ]
        return "\n".join([f"kind,row,{score}", *rows, ""]).encode()

    with below:
        exports.download(
            "Scores (CSV)", scores_csv, f"{card.name}-{kind}-{score}.csv", "text/csv",
            key="anomaly_csv",
        )  # fmt: skip
    with below.popover("Score an image"):
        picked = image_input("anomaly_image")
        value = float(getattr(_scores(card.name, picked.x), score)[0])
        if value >= NO_SCORE:
            st.warning(state.not_finite_message())
        else:
            st.markdown(
                f"{SCORES[score][0].upper()}{SCORES[score][1:]} **{value:.4g}**: higher than for "
                f"{100 * float((test_values < value).mean()):.0f} % of {len(test_values)} test images."
            )


def _text(score: float) -> str:
    return f"{score:.4g}" if score < NO_SCORE else "not a finite number"


def _has_images(data: str) -> bool:
    try:
        return len(cached.gallery(data)) > 0
    except (OSError, ValueError):  # its file is missing or damaged; the model picker says so
        return False


def _set_failure() -> None:
    name, kind, score = KNOWN_FAILURE
    if state.card().name != name:
        state.set_model(name)
    st.session_state.anomaly_kind, st.session_state.anomaly_score = kind, score


def _verdict(auroc: float, score: str) -> str:
    share = "more than 99.9" if 0.9995 <= auroc < 1 else f"{100 * auroc:.1f}"
    sentence = (
        f"**{AUROC.label} {AUROC.text(auroc)}**: an outlier has a higher {SCORES[score]} than a test image with "
        f"probability {share} %. "
    )
    if auroc >= 0.5:
        return sentence + "Chance is 50 %."
    return sentence + "**Worse than chance.** " + {
        "squared_error": "Smooth images are easy to reconstruct, whatever they show.",
        "negative_elbo": (
            "Grey pixels raise the minimum of this score, and these images have fewer of them. The excess subtracts "
            "that minimum."
        ),
        "excess": (
            "These images are simpler than the training data, and simpler images need fewer nats (Nalisnick et al. "
            "2019). So a low score does not show that an image is in distribution."
        ),
    }[score]  # fmt: skip


@st.cache_resource(max_entries=8, show_spinner="Scoring outliers")
def _scored_images(name: str, kind: str | None) -> tuple[torch.Tensor, metrics.Scores]:
    """Return N_RANKED images (N, C, H, W) of a kind, or test images of the model's data for None, and their scores."""
    data = cached.model(name).card.data
    other = kind in cached.info(data).out_of_distribution
    x, _ = cached.gallery(kind if other else data).batch(range(N_RANKED))
    if kind is not None:
        x = downstream.outlier_images(kind, x, torch.Generator().manual_seed(1))
    return x, _scores(name, x)


def _scores(name: str, x: torch.Tensor) -> metrics.Scores:
    return metrics.outlier_scores(cached.model(name), x, torch.Generator().manual_seed(0))
