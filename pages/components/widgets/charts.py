"""Plotly charts that pages share. Magnitudes have the colours of cividis."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vae.browser.colours import PETROFF

ACCENT = PETROFF[0]
GREY = PETROFF[3]  # visible on light and dark backgrounds
CONFIG = {"displayModeBar": False, "scrollZoom": False}  # no toolbar over the data; the wheel scrolls the page


def factor_responses(
    codes: list[np.ndarray], values: list[np.ndarray], current: np.ndarray, factors: tuple[str, ...],
    names: list[str],
) -> go.Figure:  # fmt: skip
    """Plot in one panel per factor how the code changes with it.

    codes[k]: (V_k, D), a code for each of values[k] (V_k,), indices of factor k's values. The dimension with the
    largest range is coloured and labelled. current (K,): the current value of each factor.
    """
    across, down = 2, -(-len(factors) // 2)
    figure = make_subplots(
        rows=down, cols=across, subplot_titles=factors,
        shared_yaxes=True, horizontal_spacing=0.04, vertical_spacing=0.12,
    )  # fmt: skip
    for k, (code, at) in enumerate(zip(codes, values, strict=True)):
        cell = {"row": k // across + 1, "col": k % across + 1}
        most = int(np.ptp(code, axis=0).argmax())
        for d in [*(d for d in range(code.shape[1]) if d != most), most]:  # the coloured one on top
            figure.add_scatter(
                x=at, y=code[:, d], mode="lines", showlegend=False, name=names[d],
                line={"color": ACCENT if d == most else GREY, "width": 3 if d == most else 1},
                hovertemplate=f"{names[d]}: %{{y:.2f}}<extra></extra>", **cell,
            )  # fmt: skip
        figure.add_annotation(
            x=int(at[-1]), y=float(code[-1, most]), text=f"<b>{names[most]}</b>", showarrow=False,
            xanchor="right", yanchor="bottom", font={"color": ACCENT}, **cell,
        )  # fmt: skip
        figure.add_vline(x=int(current[k]), line={"dash": "dot", "width": 2, "color": GREY}, **cell)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_layout(height=190 * down, margin={"l": 8, "r": 8, "t": 28, "b": 8}, dragmode=False)
    return figure


def trade_off(
    names: list[str], kl: list[float], recon: list[float], mig: list[float], current: int | None
) -> go.Figure:
    """Plot models as points, the current one larger: KL on x, reconstruction on y (nats), coloured by MIG."""
    # Label only the extremes, so that labels do not overlap. All names are in the tooltips.
    labelled = {i for values in (kl, recon, mig) for i in (int(np.argmin(values)), int(np.argmax(values)))} | {current}
    figure = go.Figure(
        go.Scatter(
            x=kl, y=recon, text=[f" {name}" if i in labelled else "" for i, name in enumerate(names)],
            customdata=names, mode="markers+text", textposition="middle right", cliponaxis=False,
            marker={
                "size": [20 if i == current else 14 for i in range(len(names))], "color": mig, "colorscale": "Cividis",
                "colorbar": {"title": "MIG", "thickness": 12}, "line": {"width": 1, "color": "#888"},
            },
            hovertemplate="%{customdata}<br>KL %{x:.1f}, reconstruction error %{y:.1f}, MIG "
                "%{marker.color:.3f}<extra></extra>",
        )
    )  # fmt: skip
    _tidy(figure, "KL (nats)", "reconstruction error (nats)")
    figure.update_layout(height=380)
    figure.update_xaxes(range=[0, 1.25 * max(kl) + 1])  # room for the last label
    return figure


def over_beta(betas: list[float], rows: dict[str, list[float]]) -> go.Figure:
    """Plot in one panel per figure its value at each beta. Every point is a trained model."""
    figure = make_subplots(rows=1, cols=len(rows), subplot_titles=list(rows), horizontal_spacing=0.07)
    positions = list(range(len(betas)))  # equal steps, because each beta is four times the previous one
    for column, (name, values) in enumerate(rows.items(), 1):
        figure.add_scatter(
            x=positions, y=values, mode="lines+markers+text", showlegend=False, line={"color": ACCENT, "width": 2},
            marker={"size": 11}, text=[f"{v:.3g}" for v in values], textposition="top center", cliponaxis=False,
            hovertemplate=f"beta %{{x}}: %{{y:.4g}}<extra>{name}</extra>", row=1, col=column,
        )  # fmt: skip
        low, high = min(values), max(values)
        figure.update_yaxes(range=[low - 0.1 * (high - low), high + 0.2 * (high - low) + 1e-9], row=1, col=column)
    figure.update_xaxes(title="beta", tickvals=positions, ticktext=[f"{beta:g}" for beta in betas])
    figure.update_layout(height=280, margin={"l": 8, "r": 8, "t": 32, "b": 8}, dragmode=False)
    return figure


def rate_distortion(
    kl: list[float], recon: list[float], names: list[str], no_kl_recon: float | None = None
) -> go.Figure:
    """Plot models as points: rate (KL) on x, distortion (reconstruction) on y, both in nats.

    no_kl_recon: distortion of a model trained without a KL term.
    """
    order = np.argsort(kl)
    figure = go.Figure(
        go.Scatter(
            x=np.array(kl)[order], y=np.array(recon)[order], text=[f" {names[i]}" for i in order],
            mode="lines+markers+text", textposition="middle right", cliponaxis=False,
            line={"color": GREY, "width": 1, "dash": "dot"}, marker={"size": 14, "color": ACCENT},
            hovertemplate="%{text}<br>rate %{x:.1f}, distortion %{y:.1f} nats<extra></extra>",
        )
    )  # fmt: skip
    _tidy(figure, "rate: KL (nats)", "distortion: -log p(x|z) (nats)")
    if no_kl_recon is not None:
        figure.add_hline(
            y=no_kl_recon, line_dash="dash", line_color="#a96b59", annotation_text=f"no KL: {no_kl_recon:.1f} nats",
            annotation_position="bottom right",
        )  # fmt: skip
    figure.update_layout(height=360)
    figure.update_xaxes(range=[-0.04 * max(kl), 1.3 * max(kl)])  # room for the last label
    return figure


def support_line(t: np.ndarray, values: np.ndarray) -> go.Figure:
    """Plot the support (0 to 1) of each step t of an interpolation."""
    figure = go.Figure(go.Scatter(x=t, y=values, mode="lines+markers", line_color=ACCENT, showlegend=False))
    figure.add_hline(y=0.5, line_dash="dot", line_color=GREY, annotation_text="median test image")
    figure.update_yaxes(range=[-0.05, 1.05])
    return _tidy(figure, "step t", "support")


def class_counts(classes: list[str], counts: np.ndarray, totals: np.ndarray) -> go.Figure:
    """Plot the number of selected images of each class, with the class's total."""
    figure = go.Figure(
        go.Bar(
            y=classes, x=counts, orientation="h", marker_color=ACCENT, cliponaxis=False,
            text=[f"{c:,} of {n:,}" for c, n in zip(counts, totals, strict=False)], textposition="outside",
        )
    )  # fmt: skip
    _tidy(figure, "selected images", "")
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(range=[0, 1.25 * max(counts)])  # room for the last label
    figure.update_layout(height=60 + 28 * len(classes))
    return figure


def overlaid_histograms(a: np.ndarray, b: np.ndarray, name_a: str, name_b: str, title: str) -> go.Figure:
    """Plot two sets of values as histograms with the same bins. The axis ends at the 99th percentile of both."""
    both = np.concatenate([a, b])
    low, high = float(both.min()), float(np.quantile(both, 0.99))
    width = max(high - low, 1e-6) / 50
    figure = go.Figure()
    for values, label, colour in [(a, name_a, ACCENT), (b, name_b, PETROFF[1])]:
        figure.add_histogram(
            x=values.clip(max=low + 50 * width - 1e-6), name=label, marker_color=colour, opacity=0.65,
            xbins={"start": low, "end": low + 50 * width, "size": width},
        )  # fmt: skip
    figure.update_layout(barmode="overlay")
    _tidy(figure, title, "images")
    figure.update_layout(height=320)
    return figure


def roc_curve(fpr: np.ndarray, tpr: list[float], auroc: float) -> go.Figure:
    """Plot a receiver operating characteristic and its diagonal."""
    figure = go.Figure()
    figure.add_scatter(
        x=fpr, y=tpr, mode="lines", fill="tozeroy", line={"color": ACCENT, "width": 3},
        name=f"AUROC {auroc:.3f}", hovertemplate="false positives %{x:.2f}, true positives %{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="chance: 0.5", line={"color": GREY, "dash": "dash"})
    figure.update_xaxes(range=[0, 1])
    figure.update_yaxes(range=[0, 1.02])
    _tidy(figure, "test images flagged (false positive rate)", "outliers flagged (true positive rate)")
    figure.update_layout(height=320)
    return figure


def probabilities(names: list[str], values: np.ndarray) -> go.Figure:
    figure = go.Figure(
        go.Bar(
            x=names,
            y=values.tolist(),
            marker_color=ACCENT,
            text=[f"{v:.2f}" for v in values],
            textposition="outside",
            cliponaxis=False,
        )
    )
    figure.update_yaxes(range=[0, 1.12])
    figure.update_xaxes(type="category")
    return _tidy(figure, "class", "probability")


def accuracies(names: list[str], values: list[float]) -> go.Figure:
    """Plot accuracies, given from 0 to 1, as bars in per cent."""
    figure = go.Figure(
        go.Bar(
            y=names, x=[100 * v for v in values], orientation="h", marker_color=ACCENT, cliponaxis=False,
            text=[f"{100 * v:.1f} %" for v in values], textposition="outside",
        )
    )  # fmt: skip
    _tidy(figure, "accuracy (%)", "")
    figure.update_yaxes(type="category", automargin=True)
    figure.update_xaxes(range=[0, 112])
    figure.update_layout(height=70 + 34 * len(names))
    return figure


def accuracy_lines(counts: list[int], rows: dict[str, list[float]], errors: dict[str, list[float]]) -> go.Figure:
    """Plot accuracy in per cent against the number of labels: one line per method, with standard errors."""
    figure = go.Figure()
    for (name, values), colour, dash in zip(rows.items(), PETROFF, ("solid", "dash", "dot", "dashdot"), strict=False):
        figure.add_scatter(
            x=counts, y=[100 * v for v in values], name=name, mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 3},
            error_y={"array": [100 * v for v in errors[name]], "thickness": 1.5, "width": 4},
            hovertemplate=f"{name}: %{{y:.1f}} %<extra></extra>",
        )  # fmt: skip
    _tidy(figure, "labelled images", "accuracy (%)")
    figure.update_xaxes(type="log", tickvals=counts, ticktext=[str(n) for n in counts])
    figure.update_layout(height=340)
    return figure


def _tidy(figure: go.Figure, x: str, y: str) -> go.Figure:
    figure.update_layout(
        height=260, margin={"l": 8, "r": 8, "t": 8, "b": 8}, xaxis_title=x, yaxis_title=y, dragmode=False,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    return figure
