"""What the widget "training" is given: frames as text, curves thinned."""

from __future__ import annotations

import base64

import numpy as np

from ..browser.colours import class_colours
from ..data import DatasetInfo
from . import Curve, Frame, Scene

MAX_ROWS = 240  # of the curves: as many as a chart's pixels can show
INT16 = 32767


def scene(scene: Scene | None, info: DatasetInfo) -> dict:
    """Return what all snapshots share; scene is None before the first one."""
    return {
        "labels": [] if scene is None else scene.labels.tolist(), "classes": list(info.classes),
        "colours": class_colours(len(info.classes)), "originals": "" if scene is None else _text(scene.originals),
        "crisp": info.crisp, "credit": f"{info.title}, {info.licence}",
    }  # fmt: skip


def frame(frame: Frame) -> dict:
    """Return one snapshot. Codes are shares of the largest one, "reach", in 16 bits."""
    reach = max(float(np.abs(frame.codes).max(initial=0)), 1e-6)
    return {
        "step": frame.step, "images": frame.images_seen, "loss": frame.loss, "extent": frame.extent.tolist(),
        "reach": reach, "codes": _text((frame.codes / reach * INT16).round().astype("<i2").tobytes()),
        "plane": _text(frame.plane), "reconstructions": _text(frame.reconstructions),
        "samples": _text(frame.samples), "kl": frame.kl.astype(float).round(4).tolist(),
    }  # fmt: skip


def curve(curve: Curve) -> dict:
    """Return the terms over the steps, at most MAX_ROWS values each; the last one is always there."""
    rows = np.unique(np.linspace(0, len(curve.step) - 1, min(len(curve.step), MAX_ROWS)).round().astype(int))
    terms = {
        f"{prefix}{term}": values[rows, i].round(3).tolist()
        for prefix, values in (("train_", curve.train), ("", curve.validation))
        for i, term in enumerate(("recon", "kl"))
    }
    return {"step": curve.step[rows].tolist(), "beta": curve.beta[rows].tolist(), **terms}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
