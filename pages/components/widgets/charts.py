"""Plotly figures that pages share. Colours: Petroff's ten for classes, cividis for magnitudes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

PETROFF = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
ACCENT = PETROFF[0]
GREY = PETROFF[3]  # seen on light and dark ground
MIN_TOP = 0.5  # nats, of an axis: a collapsed code must not look like information
CONFIG = {"displayModeBar": False, "scrollZoom": False}  # the wheel scrolls the page, and nothing lies over the data


def class_colours(n: int) -> list[str]:
    """Return n colours: Petroff's ten; for more classes than colours can tell apart their order."""
    return list(PETROFF[:n]) if n <= len(PETROFF) else sample_colorscale("Viridis", np.linspace(0, 1, n))


def kl_bars(
    kl: np.ndarray, average: np.ndarray | None, order: list[int], names: list[str], top: float | None = None
) -> go.Figure:
    """KL of one posterior per dimension against the data's average, in nats; arrays (D,),
    names in the order in which dimensions are shown. top: how far the axis goes, if it is shared."""
    places = list(range(len(order)))  # and not the names, of which two may be alike
    figure = go.Figure(go.Bar(x=places, y=kl[order], name="this image", marker_color=ACCENT))
    figure.update_layout(bargap=max(0.2, 1 - len(order) / 20))
    if average is not None:
        figure.add_scatter(
            x=places, y=average[order], name="average over test images", mode="markers",
            marker={"symbol": "line-ew-open", "size": 16, "color": PETROFF[1], "line": {"width": 3}},
        )  # fmt: skip
    figure.update_xaxes(tickvals=places, ticktext=names)
    if top is None:
        top = max(float(values.max()) for values in (kl, average) if values is not None)
    figure.update_yaxes(range=[0, 1.05 * max(top, MIN_TOP)])
    return _tidy(figure, "dimension", "KL (nats)")


def responses(codes: list[np.ndarray], current: np.ndarray, factors: tuple[str, ...], names: list[str]) -> go.Figure:
    """One panel per factor: codes[k] (V_k, D) as factor k takes each of its values; the dimension
    that moves most is coloured and named. current (K,): the value that each factor has now."""
    across, down = 2, -(-len(factors) // 2)
    figure = make_subplots(
        rows=down, cols=across, subplot_titles=factors,
        shared_yaxes=True, horizontal_spacing=0.04, vertical_spacing=0.12,
    )  # fmt: skip
    for k, swept in enumerate(codes):
        cell = {"row": k // across + 1, "col": k % across + 1}
        most = int(np.ptp(swept, axis=0).argmax())
        for d in [*(d for d in range(swept.shape[1]) if d != most), most]:  # the coloured one on top
            figure.add_scatter(
                y=swept[:, d], mode="lines", showlegend=False, name=names[d],
                line={"color": ACCENT if d == most else GREY, "width": 3 if d == most else 1},
                hovertemplate=f"{names[d]}: %{{y:.2f}}<extra></extra>", **cell,
            )  # fmt: skip
        figure.add_annotation(
            x=len(swept) - 1, y=float(swept[-1, most]), text=f"<b>{names[most]}</b>", showarrow=False,
            xanchor="right", yanchor="bottom", font={"color": ACCENT}, **cell,
        )  # fmt: skip
        figure.add_vline(x=int(current[k]), line={"dash": "dot", "width": 2, "color": GREY}, **cell)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_layout(height=190 * down, margin={"l": 8, "r": 8, "t": 28, "b": 8}, dragmode=False)
    return figure


def trade_off(
    names: list[str], kl: list[float], recon: list[float], mig: list[float], current: int | None
) -> go.Figure:
    """Return models as points, the current one larger: KL across, reconstruction up, both in nats, coloured by MIG."""
    # what lies at an end is named, the rest under the pointer: names would cover each other
    named = {i for values in (kl, recon, mig) for i in (int(np.argmin(values)), int(np.argmax(values)))} | {current}
    figure = go.Figure(
        go.Scatter(
            x=kl, y=recon, text=[f" {name}" if i in named else "" for i, name in enumerate(names)],
            customdata=names, mode="markers+text", textposition="middle right", cliponaxis=False,
            marker={
                "size": [20 if i == current else 14 for i in range(len(names))], "color": mig, "colorscale": "Cividis",
                "colorbar": {"title": "MIG", "thickness": 12}, "line": {"width": 1, "color": "#888"},
            },
            hovertemplate="%{customdata}<br>KL %{x:.1f}, reconstruction %{y:.1f}, MIG "
                "%{marker.color:.3f}<extra></extra>",
        )
    )  # fmt: skip
    _tidy(figure, "KL (nats)", "reconstruction (nats)")
    figure.update_layout(height=380)
    figure.update_xaxes(range=[0, 1.25 * max(kl) + 1])  # room for the last label
    return figure


def over_beta(betas: list[float], rows: dict[str, list[float]]) -> go.Figure:
    """One panel per figure, its values at each beta; every point is a trained model."""
    figure = make_subplots(rows=1, cols=len(rows), subplot_titles=list(rows), horizontal_spacing=0.07)
    places = list(range(len(betas)))  # the betas double: equal steps
    for column, (name, values) in enumerate(rows.items(), 1):
        figure.add_scatter(
            x=places, y=values, mode="lines+markers+text", showlegend=False, line={"color": ACCENT, "width": 2},
            marker={"size": 11}, text=[f"{v:.3g}" for v in values], textposition="top center", cliponaxis=False,
            hovertemplate=f"beta %{{x}}: %{{y:.4g}}<extra>{name}</extra>", row=1, col=column,
        )  # fmt: skip
        low, high = min(values), max(values)
        figure.update_yaxes(range=[low - 0.1 * (high - low), high + 0.2 * (high - low) + 1e-9], row=1, col=column)
    figure.update_xaxes(title="beta", tickvals=places, ticktext=[f"{beta:g}" for beta in betas])
    figure.update_layout(height=280, margin={"l": 8, "r": 8, "t": 32, "b": 8}, dragmode=False)
    return figure


def rate_distortion(kl: list[float], recon: list[float], names: list[str], without: float | None = None) -> go.Figure:
    """Models as points: rate, the KL, across; distortion, the reconstruction, up; both in nats.
    without: the distortion of a model that has no rate."""
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
    if without is not None:
        figure.add_hline(
            y=without, line_dash="dash", line_color="#a96b59", annotation_text=f"no KL: {without:.1f} nats",
            annotation_position="bottom right",
        )  # fmt: skip
    figure.update_layout(height=360)
    figure.update_xaxes(range=[-0.04 * max(kl), 1.3 * max(kl)])  # room for the last label
    return figure


def support_line(t: np.ndarray, values: np.ndarray) -> go.Figure:
    """The support (0 to 1) of each step t of an interpolation."""
    figure = go.Figure(go.Scatter(x=t, y=values, mode="lines+markers", line_color=ACCENT, showlegend=False))
    figure.add_hline(y=0.5, line_dash="dot", line_color=GREY, annotation_text="typical held-out image")
    figure.update_yaxes(range=[-0.05, 1.05])
    return _tidy(figure, "step t", "support")


def class_counts(classes: list[str], chosen: np.ndarray, of: np.ndarray) -> go.Figure:
    """How many of each class are chosen, and of how many."""
    figure = go.Figure(
        go.Bar(
            y=classes, x=chosen, orientation="h", marker_color=ACCENT, cliponaxis=False,
            text=[f"{c:,} of {n:,}" for c, n in zip(chosen, of, strict=False)], textposition="outside",
        )
    )  # fmt: skip
    _tidy(figure, "chosen images", "")
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(range=[0, 1.25 * max(chosen)])  # room for the last label
    figure.update_layout(height=60 + 28 * len(classes))
    return figure


def two_histograms(familiar: np.ndarray, foreign: np.ndarray, name: str, other: str, title: str) -> go.Figure:
    """How two sets of values lie, on one axis cut at the 99th percentile of both, in equal bins."""
    both = np.concatenate([familiar, foreign])
    low, high = float(both.min()), float(np.quantile(both, 0.99))
    width = max(high - low, 1e-6) / 50
    figure = go.Figure()
    for values, label, colour in [(familiar, name, ACCENT), (foreign, other, PETROFF[1])]:
        figure.add_histogram(
            x=values.clip(max=low + 50 * width - 1e-6), name=label, marker_color=colour, opacity=0.65,
            xbins={"start": low, "end": low + 50 * width, "size": width},
        )  # fmt: skip
    figure.update_layout(barmode="overlay")
    _tidy(figure, title, "images")
    figure.update_layout(height=320)
    return figure


def roc_curve(false_alarms: np.ndarray, hits: list[float], auroc: float) -> go.Figure:
    """A receiver operating characteristic, with chance beside it."""
    figure = go.Figure()
    figure.add_scatter(
        x=false_alarms, y=hits, mode="lines", fill="tozeroy", line={"color": ACCENT, "width": 3},
        name=f"AUROC {auroc:.3f}", hovertemplate="false alarms %{x:.2f}, found %{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="chance: 0.5", line={"color": GREY, "dash": "dash"})
    figure.update_xaxes(range=[0, 1])
    figure.update_yaxes(range=[0, 1.02])
    _tidy(figure, "test images taken for foreign (false positive rate)", "foreign images found (true positive rate)")
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
    """Shares of right answers as bars, in per cent."""
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
    """Accuracy in per cent against the number of labels, a line for each way, with standard errors."""
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
