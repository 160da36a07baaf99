"""The explorer (explorer.py) and the film of a training (watching.py) in a notebook cell: by anywidget where it is
installed, else as a frame."""

from __future__ import annotations

import base64
import html
import warnings
from typing import Any

import numpy as np
import torch

from . import extras
from .browser import handout
from .browser.answers import pictures_message
from .browser.bundle import bundle, compact

HEIGHT = 760  # pixels of a frame
MAX_CODES = 256  # in one question
MISSING = "anywidget is not installed: run pip install anywidget"


def has_widgets() -> bool:
    return not extras.missing("anywidget")


def frame(page: str) -> str:
    """Return HTML that shows a page within another one, with nothing of that one in its reach."""
    return (
        f'<iframe srcdoc="{html.escape(page)}" title="Latent-space explorer" width="100%" height="{HEIGHT}" '
        'style="border: 0" sandbox="allow-scripts allow-downloads"></iframe>'
    )


def explorer_widget(explorer: Any) -> Any:
    """Return the widget of an explorer, whose z and selection follow each other. Raises ImportError."""
    content = handout.content([explorer.name], explorer.store, answered=True)
    return widget_class("explorer")(explorer, content=content, place=f"#sliders?model={explorer.name}")


def widget_class(name: str) -> Any:
    """Return the class of the widget "explorer" or "training". It is made here, because anywidget is an extra."""
    if not has_widgets():
        raise ImportError(MISSING)
    import anywidget
    import traitlets

    class Explorer(anywidget.AnyWidget):
        """Traits: content, place, z and selection, see browser/notebook/explorer.js."""

        _esm = compact(bundle("notebook/explorer.js"))
        content = traitlets.Bytes().tag(sync=True)
        place = traitlets.Unicode().tag(sync=True)
        z = traitlets.List(traitlets.Float()).tag(sync=True)
        selection = traitlets.List(traitlets.Int()).tag(sync=True)

        def __init__(self, explorer: Any, **traits: Any):
            super().__init__(z=explorer.z.tolist(), selection=explorer.selection.tolist(), **traits)
            self.explorer = explorer
            self.observe(lambda change: explorer.moved(change["new"]), "z")
            self.observe(lambda change: explorer.selected(change["new"]), "selection")
            self.on_msg(self._receive)

        def _receive(self, widget: Any, message: dict, buffers: list) -> None:
            found = answer(self.explorer, message)
            if found is not None:
                self.send(*found)

    class Training(anywidget.AnyWidget):
        """Trait: props, see browser/notebook/training.js."""

        _esm = compact(bundle("notebook/training.js"))
        props = traitlets.Dict().tag(sync=True)

        def __init__(self, watch: Any, **traits: Any):
            super().__init__(props=watch.props(after=-1), **traits)
            self.watch = watch
            self.on_msg(self._receive)

        def _receive(self, widget: Any, message: dict, buffers: list) -> None:
            if isinstance(message, dict) and message.get("kind") == "missing":
                after = message.get("after")
                self.send(self.watch.props(after=after if isinstance(after, int) else -1))

    classes: dict[str, Any] = {"explorer": Explorer, "training": Training}
    return classes[name]


def answer(explorer: Any, message: object) -> tuple[dict, list[bytes]] | None:
    """Return the answer to a widget's question for pictures of codes or for the code of a picture, (content, buffers);
    None for anything else."""
    question = message.get("question") if isinstance(message, dict) else None
    if not isinstance(question, dict):
        return None
    request = {"panel": str(question.get("panel"))[:40], "seq": question.get("seq")}
    if "x" in question:
        return {"kind": "code", **request, "z": _code(explorer, question["x"])}, []
    try:
        zs = np.array(question["zs"], np.float32)
    except (KeyError, TypeError, ValueError):
        return None
    if zs.ndim != 2 or not 0 < len(zs) <= MAX_CODES or zs.shape[1] != explorer.model.latent_dim:
        return None
    return {"kind": "pictures"}, [pictures_message(request, lambda: _decoded(explorer, np.nan_to_num(zs)))]


def _decoded(explorer: Any, zs: np.ndarray) -> torch.Tensor:
    """Return the images of codes (B, D); those that a network of somebody's own fails on are NaN."""
    try:
        return explorer.decode(zs)
    except ValueError as error:
        if len(zs) > 1:
            return torch.cat([_decoded(explorer, z[None]) for z in zs])
        warnings.warn(str(error), stacklevel=2)
        return torch.full((1, *explorer.model.image_shape), torch.nan)


def _code(explorer: Any, text: object) -> list[float] | None:
    """Return the code of a picture, base64 of uint8 (C, H, W); None where it is none, or its code is not finite."""
    shape = explorer.model.image_shape
    try:
        levels = np.frombuffer(base64.b64decode(str(text)), np.uint8).reshape(1, *shape)
    except ValueError:
        return None
    try:
        with torch.no_grad():
            z = explorer.model.encode(torch.from_numpy(levels.copy()).float() / 255).mean[0]
    except ValueError as error:  # a network of somebody's own fails
        warnings.warn(str(error), stacklevel=2)
        return None
    return z.tolist() if z.isfinite().all() else None
