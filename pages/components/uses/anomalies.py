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

NEEDS = "Foreign images have been measured for models of grey digits and clothes."
N_RANKED = 400  # images of each kind
SHOWN = 20  # at each end of the ranking
EXAMPLES = 8
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
    settings.take("anomaly_kind", among=kinds)
    settings.take("anomaly_score", among=scores)
    if st.session_state.get("anomaly_kind") not in kinds:
        st.session_state.anomaly_kind = kinds[0]
    if st.session_state.get("anomaly_score") not in scores:
        st.session_state.anomaly_score = scores[-1]
    kind = st.segmented_control(
        f"Foreign to a model of {info.title}",
        kinds,
        required=True,
        key="anomaly_kind",
        persist_state="session",
        format_func=kind_labels().get,
    )
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="large")
    score = row.segmented_control(
        "Ranked by", scores, required=True, key="anomaly_score", persist_state="session", format_func=SCORES.get,
        help="squared error of the reconstruction; negative ELBO in nats; excess: the negative ELBO less the entropy "
            "of the image's own grey pixels",
    )  # fmt: skip
    if KNOWN_FAILURE[0] in models():
        row.button("The known failure", on_click=_set_failure, help="a model of clothes is shown blurred clothes")
    auroc = figures[f"auroc_{score}_{kind}"]
    test_images, test_scores = _scored_images(card.name, None)
    outliers, outlier_scores = _scored_images(card.name, kind)
    test_values, outlier_values = getattr(test_scores, score), getattr(outlier_scores, score)

    left, right = st.columns(2, gap="large")
    with left:
        st.plotly_chart(
            charts.overlaid_histograms(test_values, outlier_values, "test images", kind_labels()[kind],
                f"{SCORES[score]} of an image" + ("" if score == "squared_error" else ", nats")),
            config=charts.CONFIG, key="anomaly_scores", alt="how the scores of familiar and foreign images lie",
        )  # fmt: skip
    with right:
        st.plotly_chart(
            charts.roc_curve(metrics.FALSE_POSITIVE_RATES, figures[f"roc_{score}_{kind}"], auroc),
            config=charts.CONFIG, key="anomaly_roc", alt="foreign images found against false alarms",
        )  # fmt: skip
    st.markdown(_verdict(auroc, score))
    with torch.no_grad():
        shown = torch.cat([outliers[:EXAMPLES], state.model().reconstruct(outliers[:EXAMPLES])])
    picture_grid(
        shown,
        [f"{kind_labels()[kind]} {i + 1}, {title}" for title in ("as it is", "decoded") for i in range(EXAMPLES)],
        key="anomaly_examples", columns=EXAMPLES, row_labels=["foreign", "decoded"], size=72, name="foreign images",
    )  # fmt: skip

    st.subheader("Ranked together")
    both, values = torch.cat([test_images, outliers]), np.concatenate([test_values, outlier_values])
    is_outlier = np.arange(len(both)) >= len(test_images)
    order = np.argsort(-values, kind="stable")
    ends = {"The most foreign, as the model sees it": order[:SHOWN], "The most familiar": order[-SHOWN:]}
    for column, (title, rows) in zip(st.columns(2, gap="large"), ends.items(), strict=False):
        with column:
            st.markdown(f"**{title}**: {100 * is_outlier[rows].mean():.0f} % of these {SHOWN} are foreign.")
            picture_grid(
                both[rows], [f"{'foreign' if is_outlier[i] else 'test image'}, {_text(values[i])}" for i in rows],
                key=f"anomaly_{title[9:14]}", size=56,
                captions=["foreign" if is_outlier[i] else "–" for i in rows], name=title,
            )  # fmt: skip

    st.subheader("All kinds")
    table = {"foreign images": [kind_labels()[k] for k in kinds]}
    table |= {f"{AUROC.label} by {SCORES[s]}": [figures[f"auroc_{s}_{k}"] for k in kinds] for s in scores}
    st.dataframe(
        table, hide_index=True, key="anomaly_table",
        column_config={name: figure_column(AUROC) for name in table if name != "foreign images"},
    )  # fmt: skip
    st.caption(f"From the card, by `python -m vae evaluate {card.name}`: {card.protocol['auroc']}.")
    below = st.container(horizontal=True)

    def scores_csv() -> bytes:
        rows = [
            f"{'foreign' if f else 'own'},{i % len(test_images)},{v:.6g}"
            for i, (f, v) in enumerate(zip(is_outlier, values, strict=False))
        ]
        return "\n".join([f"kind,row,{score}", *rows, ""]).encode()

    with below:
        exports.download(
            "Scores (CSV)", scores_csv, f"{card.name}-{kind}-{score}.csv", "text/csv",
            key="anomaly_csv",
        )  # fmt: skip
    with below.popover("Where does my image lie?"):
        picked = image_input("anomaly_image")
        value = float(getattr(_scores(card.name, picked.x), score)[0])
        if value >= NO_SCORE:
            st.warning(state.not_finite_message())
        else:
            st.markdown(
                f"{SCORES[score][0].upper()}{SCORES[score][1:]} **{value:.4g}**: above "
                f"{100 * float((test_values < value).mean()):.0f} % of "
                f"{len(test_values)} test images."
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
        f"**{AUROC.label} {AUROC.text(auroc)}**: in {share} % of pairs the foreign image has the higher "
        f"{SCORES[score]}. "
    )
    if auroc >= 0.5:
        return sentence + "By chance it would be 50 %."
    return sentence + "**Worse than chance.** " + {
        "squared_error": "Smooth pictures are easy to decode, wherever they come from.",
        "negative_elbo": (
            "This score counts, too, how uncertain grey pixels are in themselves, and these images have fewer of "
            "them. "
            "The excess over the pixels' entropy leaves that share out."
        ),
        "excess": (
            "The model needs fewer nats for these images than for those it learnt from: they are simpler, and simpler "
            "ones are cheaper to describe, wherever they come from (Nalisnick et al. 2019). A density is no detector "
            "by itself."
        ),
    }[score]  # fmt: skip


@st.cache_resource(max_entries=24, show_spinner="Looking at foreign images")
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
