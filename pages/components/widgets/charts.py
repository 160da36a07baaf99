"""Plotly charts that pages share. Magnitudes have the colours of cividis.

Those that are drawn often are built from traces and a layout: every later change of a figure, such as add_hline, takes
Plotly some milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

# Plotly looks up pandas in sys.modules, and meets half of it while another visitor's page imports it. An import waits.
import pandas as pd  # noqa: F401
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vae.browser.colours import PETROFF

ACCENT = PETROFF[0]
DASHES = ("solid", "dash", "dot", "dashdot")
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
    down, gap, room = -(-len(factors) // 2), 0.04, 0.12
    width, height = (1 - gap) / 2, (1 - room * (down - 1)) / down
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "height": 190 * down, "margin": {"l": 8, "r": 8, "t": 28, "b": 8}, "dragmode": False, "showlegend": False,
        "shapes": [], "annotations": [],
    }  # fmt: skip
    for k, (code, at) in enumerate(zip(codes, values, strict=True)):
        number, left, top = str(k + 1) if k else "", k % 2 * (width + gap), 1 - k // 2 * (height + room)
        x, y = f"x{number}", f"y{number}"
        layout[f"xaxis{number}"] = {
            "domain": [left, left + width], "anchor": y, "showticklabels": False, "showgrid": False,
        }  # fmt: skip
        layout[f"yaxis{number}"] = {  # the same scale as on the left of it
            "domain": [max(0, top - height), top], "anchor": x,
            **({"matches": f"y{k if k > 1 else ''}", "showticklabels": False} if k % 2 else {}),
        }  # fmt: skip
        most = int(np.ptp(code, axis=0).argmax())
        others = [d for d in range(code.shape[1]) if d != most]
        traces.append({  # one trace of all, with a gap between two of them
            "x": np.tile([*at, None], len(others)).tolist(),
            "y": [v for d in others for v in (*code[:, d].tolist(), None)],
            "text": [names[d] for d in others for _ in range(len(at) + 1)],
            "hovertemplate": "%{text}: %{y:.2f}<extra></extra>", "line": {"color": GREY, "width": 1},
        })  # fmt: skip
        traces.append({  # on top
            "x": at.tolist(), "y": code[:, most].tolist(), "name": names[most],
            "hovertemplate": f"{names[most]}: %{{y:.2f}}<extra></extra>", "line": {"color": ACCENT, "width": 3},
        })  # fmt: skip
        for trace in traces[-2:]:
            trace |= {"type": "scatter", "mode": "lines", "xaxis": x, "yaxis": y}
        layout["annotations"] += [
            {
                "x": int(at[-1]), "y": float(code[-1, most]), "text": f"<b>{names[most]}</b>", "xref": x, "yref": y,
                "showarrow": False, "xanchor": "right", "yanchor": "bottom", "font": {"color": ACCENT},
            },
            {
                "x": left + width / 2, "y": top, "text": factors[k], "xref": "paper", "yref": "paper",
                "showarrow": False, "xanchor": "center", "yanchor": "bottom", "font": {"size": 16},
            },
        ]  # fmt: skip
        layout["shapes"].append({
            "type": "line", "xref": x, "x0": int(current[k]), "x1": int(current[k]), "yref": f"{y} domain", "y0": 0,
            "y1": 1, "line": {"dash": "dot", "width": 2, "color": GREY},
        })  # fmt: skip
    return go.Figure(traces, layout)


def trade_off(
    names: list[str], kl: list[float], recon: list[float], mig: list[float], scores: list[str], current: int | None
) -> go.Figure:
    """Plot models as points, the current one larger: KL on x, reconstruction on y (nats), coloured by MIG. scores: of
    each model, for its tooltip."""
    # Label only the extremes, so that labels do not overlap. All names are in the tooltips.
    labelled = {i for values in (kl, recon, mig) for i in (int(np.argmin(values)), int(np.argmax(values)))} | {current}
    points = go.Scatter(
        x=kl, y=recon, text=[f" {name}" if i in labelled else "" for i, name in enumerate(names)],
        customdata=list(zip(names, scores, strict=True)), mode="markers+text", textposition="middle right",
        cliponaxis=False,
        marker={
            "size": [20 if i == current else 14 for i in range(len(names))], "color": mig, "colorscale": "Cividis",
            "colorbar": {"title": "MIG", "thickness": 12}, "line": {"width": 1, "color": "#888"},
        },
        hovertemplate="%{customdata[0]}<br>KL %{x:.1f}, reconstruction error %{y:.1f}<br>%{customdata[1]}"
            "<extra></extra>",
    )  # fmt: skip
    room = {"range": [0, 1.25 * max(kl) + 1]}  # for the last label
    return go.Figure(points, _layout("KL (nats)", "reconstruction error (nats)", room, height=380))


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
    points = go.Scatter(
        x=np.array(kl)[order], y=np.array(recon)[order], text=[f" {names[i]}" for i in order],
        mode="lines+markers+text", textposition="middle right", cliponaxis=False,
        line={"color": GREY, "width": 1, "dash": "dot"}, marker={"size": 14, "color": ACCENT},
        hovertemplate="%{text}<br>rate %{x:.1f}, distortion %{y:.1f} nats<extra></extra>",
    )  # fmt: skip
    room = {"range": [-0.04 * max(kl), 1.3 * max(kl)]}  # for the last label
    layout = _layout("rate: KL (nats)", "distortion: -log p(x|z) (nats)", room, height=360)
    if no_kl_recon is not None:
        layout |= _line(no_kl_recon, f"no KL: {no_kl_recon:.1f} nats", "#a96b59", "dash", "top")
    return go.Figure(points, layout)


def support_line(t: np.ndarray, values: np.ndarray) -> go.Figure:
    """Plot the support (0 to 1) of each step t of an interpolation."""
    line = go.Scatter(x=t, y=values, mode="lines+markers", line={"color": ACCENT}, showlegend=False)
    median = _line(0.5, "median test image", GREY, "dot")
    return go.Figure(line, _layout("step t", "support", y={"range": [-0.05, 1.05]}, **median))


def class_counts(classes: list[str], counts: np.ndarray, totals: np.ndarray) -> go.Figure:
    """Plot the number of selected images of each class, with the class's total."""
    bars = go.Bar(
        y=classes, x=counts, orientation="h", marker={"color": ACCENT}, cliponaxis=False,
        text=[f"{c:,} of {n:,}" for c, n in zip(counts, totals, strict=False)], textposition="outside",
    )  # fmt: skip
    room = {"range": [0, 1.25 * max(counts)]}  # for the last label
    classes_down = {"autorange": "reversed", "type": "category"}
    return go.Figure(bars, _layout("selected images", "", room, classes_down, height=60 + 28 * len(classes)))


def overlaid_histograms(a: np.ndarray, b: np.ndarray, name_a: str, name_b: str, title: str) -> go.Figure:
    """Plot two sets of values as histograms with the same bins. The axis ends at the 99th percentile of both."""
    both = np.concatenate([a, b])
    low, high = float(both.min()), float(np.quantile(both, 0.99))
    width = max(high - low, 1e-6) / 50
    histograms = [
        go.Histogram(
            x=values.clip(max=low + 50 * width - 1e-6), name=label, marker={"color": colour}, opacity=0.65,
            xbins={"start": low, "end": low + 50 * width, "size": width},
        )
        for values, label, colour in [(a, name_a, ACCENT), (b, name_b, PETROFF[1])]
    ]  # fmt: skip
    return go.Figure(histograms, _layout(title, "images", height=320, barmode="overlay"))


def roc_curve(fpr: np.ndarray, tpr: list[float], auroc: float) -> go.Figure:
    """Plot a receiver operating characteristic and its diagonal."""
    curve = go.Scatter(
        x=fpr, y=tpr, mode="lines", fill="tozeroy", line={"color": ACCENT, "width": 3},
        name=f"AUROC {auroc:.3f}", hovertemplate="false positives %{x:.2f}, true positives %{y:.2f}<extra></extra>",
    )  # fmt: skip
    chance = go.Scatter(x=[0, 1], y=[0, 1], mode="lines", name="chance: 0.5", line={"color": GREY, "dash": "dash"})
    x, y = "test images flagged (false positive rate)", "outliers flagged (true positive rate)"
    return go.Figure([curve, chance], _layout(x, y, {"range": [0, 1]}, {"range": [0, 1.02]}, height=320))


def probabilities(names: list[str], values: np.ndarray) -> go.Figure:
    bars = go.Bar(
        x=names, y=values.tolist(), marker={"color": ACCENT}, text=[f"{v:.2f}" for v in values],
        textposition="outside", cliponaxis=False,
    )  # fmt: skip
    return go.Figure(bars, _layout("class", "probability", {"type": "category"}, {"range": [0, 1.12]}))


def accuracies(names: list[str], values: list[float]) -> go.Figure:
    """Plot accuracies, given from 0 to 1, as bars in per cent."""
    return bars(names, [100 * v for v in values], "accuracy (%)", "{:.1f} %", largest=100)


def bars(names: list[str], values: list[float], title: str, text: str, largest: float = 0) -> go.Figure:
    """Plot a horizontal bar for each value. title: of the axis. text: a format string for the value beside each bar.
    largest: the largest value that the axis has room for, 0 for that of values."""
    drawn = go.Bar(
        y=names, x=values, orientation="h", marker={"color": ACCENT}, cliponaxis=False,
        text=[text.format(v) for v in values], textposition="outside",
    )  # fmt: skip
    x = {"range": [0, largest or max(values) or 1]}
    y = {"type": "category", "automargin": True}
    margin = {"l": 8, "r": 44, "t": 8, "b": 8}  # room for the text beside a bar, on a phone too
    return go.Figure(drawn, _layout(title, "", x, y, height=70 + 34 * len(names), margin=margin))


def accuracy_lines(counts: list[int], rows: dict[str, list[float]], errors: dict[str, list[float]]) -> go.Figure:
    """Plot accuracy in per cent against the number of labels: one line per method, with standard errors."""
    lines = [
        go.Scatter(
            x=counts, y=[100 * v for v in values], name=name, mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 3},
            error_y={"array": [100 * v for v in errors[name]], "thickness": 1.5, "width": 4},
            hovertemplate=f"{name}: %{{y:.1f}} %<extra></extra>",
        )
        for (name, values), colour, dash in zip(rows.items(), PETROFF, DASHES, strict=False)
    ]  # fmt: skip
    x = {"type": "log", "tickvals": counts, "ticktext": [str(n) for n in counts]}
    return go.Figure(lines, _layout("labelled images", "accuracy (%)", x, height=340))


def group_lines(groups: list[str], rows: dict[str, Mapping[str, float]], title: str, text: str) -> go.Figure:
    """Plot a value of each group, one line per model. rows: {model: {group: value}}, where groups may be missing.
    title: of the axis. text: a D3 format with the value's unit, for tooltips."""
    lines = [
        go.Scatter(
            x=groups, y=[values.get(group) for group in groups], name=name, mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 3},
            hovertemplate=f"{name}, %{{x}}: {text}<extra></extra>",
        )
        for (name, values), colour, dash in zip(rows.items(), PETROFF, DASHES, strict=False)
    ]  # fmt: skip
    legend = {"orientation": "v", "y": 1.02, "yanchor": "bottom", "x": 0}
    y = {"rangemode": "tozero"}
    return go.Figure(lines, _layout("", title, {"type": "category"}, y, height=340, legend=legend, showlegend=True))


NOTHING: Mapping[str, Any] = MappingProxyType({})


def _layout(
    x_title: str, y_title: str, x: Mapping[str, Any] = NOTHING, y: Mapping[str, Any] = NOTHING, **more: Any
) -> dict[str, Any]:
    """Return a layout with two axes. x, y: more of an axis."""
    return {
        "height": 260, "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "dragmode": False,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "xaxis": {"title": {"text": x_title}, **x}, "yaxis": {"title": {"text": y_title}, **y}, **more,
    }  # fmt: skip


def _line(y: float, text: str, colour: str, dash: str, anchor: str = "bottom") -> dict[str, Any]:
    """Return the part of a layout that draws a horizontal line with a text at its right end. anchor: the edge of the
    text that lies on the line."""
    return {
        "shapes": [{
            "type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "y0": y, "y1": y,
            "line": {"color": colour, "dash": dash},
        }],
        "annotations": [{
            "xref": "x domain", "x": 1, "xanchor": "right", "yref": "y", "y": y, "yanchor": anchor, "text": text,
            "showarrow": False,
        }],
    }  # fmt: skip
