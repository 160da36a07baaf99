"""vae.watch: the film of one's own training, in a notebook cell or in an HTML file.

    for step, x in enumerate(batches):
        ...
        if step % 100 == 0:
            vae.watch((encoder, decoder), images, step=step)

The film, the latent plane and the reconstructions are those of the page Train.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from . import explorer, notebook, objectives, store
from .browser import handout
from .data import DatasetInfo, in_memory
from .live import props
from .live.film import Film
from .live.view import View
from .models import foreign

SIGMA = 0.1  # of the Gaussian pixels whose score the curves show
UNKNOWN = np.full(3, np.nan)  # terms of training batches, which only the training knows
MAX_WATCHED = 4  # models whose films are kept
_watched: dict[int, Watch] = {}  # by the identity of _key(model), which the Watch keeps alive


def watch(
    model: Any, images: Any, labels: Any = None, step: int | None = None, file: str | Path | None = None,
    title: str | None = None,
) -> Watch:  # fmt: skip
    """Add a frame to the film of a model in training, and show it: in the notebook cell, or in the HTML file `file`.

    The first call begins the film, with at most some hundred of the images; later calls with the same networks add to
    it. model, images and labels: as vae.explore takes them. step: training steps so far, by default the calls.
    A step whose codes are not finite is left out, with a warning. Raises ValueError for what cannot be shown.
    """
    found = _watched.get(key := id(_key(model)))
    if found is None or step is not None and found.film.last is not None and step < found.film.last.step:
        given = in_memory.as_images(images)
        found = _watched[key] = Watch(explorer.as_pair(model, given.signed), given, labels, title)
        for oldest in list(_watched)[:-MAX_WATCHED]:
            del _watched[oldest]
    found.add(step)
    if file is not None:
        found.save(file)
    elif "ipykernel" in sys.modules:
        found.show()
    elif found.widget is None and len(found.film.after(-1)) == 1:
        warnings.warn("Outside a notebook, vae.watch needs file=..., the HTML file to write.", stacklevel=2)
    return found


def _key(model: Any) -> Any:
    """Return what stays the same over the calls: the first module, else the encoder or the owner of this method, which
    is another object at each look."""
    networks = model if isinstance(model, (tuple, list)) else (getattr(model, "encode", model),)
    modules = [part for network in networks for part in foreign.modules_of(network)]
    return modules[0] if modules else getattr(networks[0], "__self__", networks[0])


class Watch:
    """The film of a model in training."""

    def __init__(self, pair: foreign.Pair, images: in_memory.Images, labels: Any, title: str | None):
        self.info, notes = in_memory.dataset(images, labels)
        codes = pair.check(images.x[: foreign.BATCH])
        self.notes = [*images.notes, *notes, *codes.notes]
        self.title = title or "Training"
        self.view = OwnView(pair, codes, self.info)
        self.film, self.calls = Film(), 0
        self.widget: Any = None

    def add(self, step: int | None = None) -> None:
        """Append a frame after so many steps, unless the codes or the pixels are not finite."""
        self.calls += 1
        self.view.step = self.calls if step is None else int(step)
        try:
            self.film.add(self.view.frame(1.0, objectives.BetaVAE(), {"beta": 1.0}, UNKNOWN))
        except FloatingPointError:
            text = f"Step {self.view.step:,} is left out: the model returns values that are not finite."
            warnings.warn(text, stacklevel=3)

    def props(self, after: int = -1) -> dict[str, Any]:
        """Return what the widget "training" takes, with the frames of more than `after` steps."""
        frames = self.film.after(-1)
        sigma = f"Reconstruction errors are those of Gaussian pixels, σ = {SIGMA}."
        return {
            "film": f"watch-{id(self)}", "has_kl": self.view.model.has_elbo, "watched": True,
            **props.scene(self.view.scene, self.info), "curve": props.curve(self.film.curve()),
            "steps": [frame.step for frame in frames],
            "frames": [props.frame(frame) for frame in frames if frame.step > after],
            "phase": "idle", "can_start": False, "can_act": False, "can_stop": False, "has_beta": False,
            "betas": [1], "beta": 1, "beta_version": 0, "status": f"Your training, seen from Python. {sigma}",
        }  # fmt: skip

    def show(self) -> None:
        """Show the film in the notebook cell of the first call, and let it grow there."""
        from IPython.display import HTML, display

        last = self.film.last
        if notebook.has_widgets():
            if self.widget is None:
                self.widget = notebook.widget_class("training")(self)
                display(self.widget)
            elif last is not None:
                self.widget.props = self.props(after=last.step - 1)
        elif self.widget is None:
            self.widget = display(HTML(notebook.frame(self.html())), display_id=True)
        else:
            self.widget.update(HTML(notebook.frame(self.html())))

    def html(self) -> str:
        """Return the film as a page that works offline."""
        return handout.training_page(self.title, self.props())

    def save(self, path: str | Path) -> Path:
        """Write the film as one HTML file. Returns its path."""
        store.write_atomically(Path(path), self.html().encode())
        return Path(path)

    def __repr__(self) -> str:
        return f"<Watch of {self.title}: {len(self.film.after(-1))} frames>"


class OwnView(View):
    """A view of a model that is not copied: a frame shows the weights that it has now."""

    def __init__(self, pair: foreign.Pair, codes: foreign.Codes, info: DatasetInfo):
        split = info.load("test")
        family = foreign.ForeignAutoencoder if codes.stddev is None else foreign.ForeignVAE
        config = family.Config(image_shape=info.image_shape, latent_dim=codes.mean.shape[1], sigma=SIGMA)
        self._set_up(family(config, pair).eval().requires_grad_(False), info, len(split), split, 1)
