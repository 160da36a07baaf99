"""vae.explore: a network of one's own in a notebook cell, in an HTML file, or in the full app.

    explorer = vae.explore((encoder, decoder), images, labels)
    explorer                     # in a notebook: the explorer in the cell
    explorer.z = [0.5, -1.0]     # moves it
    explorer.save("x.html")      # a file that works offline
    explorer.app()               # every page of the app

Everything goes through a temporary Store: the model with its card, its map and its networks for a browser, and the
images.
"""

from __future__ import annotations

import atexit
import html
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
import webbrowser
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import folders, jobs, notebook, pipeline, project, remote, store
from .cards import ModelCard, ModelUnavailable
from .data import DATASETS, DatasetInfo, in_memory
from .data.described import description
from .latent.directions import principal_directions
from .live import result
from .models import FAMILIES, LatentModel, foreign, portable

MAX_IMAGES = 1000  # as many as the map of a handout has; a notebook waits for its fit
MIN_IMAGES = 5  # that a map needs
MAX_SLIDERS = 64  # dimensions; a longer code is explored along its principal directions
MAX_WEIGHTS = store.MAX_BROWSER_BYTES - 2**21  # for a browser; the rest is for the file's header
START_TIMEOUT = 90  # seconds that the app may take to answer


def explore(
    model: Any, images: Any = None, labels: Any = None, factors: Any = None, title: str | None = None
) -> Explorer:
    """Return an explorer of a model's latent space, on images.

    model: a pair (encode, decode) of torch modules or functions, an object with these two methods, a LatentModel, or
    the name of a stored one. The encoder returns codes, a tuple (mean, log-variance) or a torch Distribution.
    images: N images; a tensor or an array (N, C, H, W) in [0, 1], or what data.in_memory converts to it, with a
    warning. By default the test images of a stored model. labels: N classes. factors: known factors, {name: N values}
    or an array (N, K); their measures are on the card.
    Raises ValueError, with one sentence, for what cannot be explored.
    """
    if images is None:
        return _stored(model, title)
    given = in_memory.as_images(images)
    notes = list(given.notes)
    if len(given.x) < MIN_IMAGES:
        raise ValueError(f"a map needs at least {MIN_IMAGES} images, not {len(given.x)}")
    info, more = in_memory.dataset(given, labels, factors, MAX_IMAGES)
    notes += more
    if len(given.x) > MAX_IMAGES:
        notes.append(f"Only the first {MAX_IMAGES:,} of your {len(given.x):,} images are used.")
        given = given._replace(x=given.x[:MAX_IMAGES])
    title = str(title or "")
    name = _name(title)
    found, about = as_model(model, given, name)
    if found.image_shape != info.image_shape:
        raise ValueError(f"this model takes images {found.image_shape}, not {info.image_shape}")
    notes += about.notes
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return Explorer(found, info, name, title or about.title, notes, about.dimensions)


def _stored(model: Any, title: str | None) -> Explorer:
    """Return an explorer of a model of the store, or loaded from it, on the test images that it has there."""
    found = store.load(model) if isinstance(model, str) else model
    if not isinstance(found, LatentModel) or found.card is None:
        raise ValueError("images are needed: a tensor or an array (N, C, H, W) in [0, 1]")
    _check_explorable(found)
    info = store.Store().dataset(found.card)
    title = str(title or "")
    return Explorer(found, info, _name(title), title or found.card.title, dimensions=found.card.dimensions)


def _check_explorable(model: LatentModel) -> None:
    """Raise ValueError for a model of this project without sliders, or with a class beside them."""
    if model.discrete or model.num_classes:
        has = "a discrete code" if model.discrete else "a class for each image"
        raise ValueError(f"vae.explore shows continuous codes without classes, and this model has {has}")


class About:
    """What is known about a model: a title, sentences, and {dimension: name} where dimensions have names."""

    def __init__(self, title: str, notes: Iterable[str] = (), dimensions: dict[str, str] | None = None):
        self.title, self.notes, self.dimensions = title, list(notes), dimensions or {}


def as_model(model: Any, images: in_memory.Images, name: str) -> tuple[LatentModel, About]:
    """Return what vae.explore was given as a LatentModel. Raises ValueError."""
    if isinstance(model, str):
        model = store.load(model)
    if isinstance(model, LatentModel) and type(model) in FAMILIES.values():
        _check_explorable(model)
        return model, About(model.card.title if model.card else type(model).__name__)
    pair = as_pair(model, images.signed).copied()
    codes = pair.check(images.x)
    about = About(_title(model), codes.notes)
    size = codes.mean.shape[1]
    if len(codes.shape) == 1 and size <= MAX_SLIDERS:
        return foreign.from_pair(pair, codes, images.x, name), about
    directions = principal_directions(codes.mean.numpy(), MAX_SLIDERS)
    kept = directions.explained.sum()
    about.notes.append(
        f"A code has {size:,} dimensions. Sliders move it along its {len(directions.axes)} principal directions, "
        f"which explain {100 * kept:.3g} % of the variance of your codes."
    )
    about.dimensions = {str(k): f"direction {k + 1}, {100 * v:.2g} %" for k, v in enumerate(directions.explained)}
    return foreign.from_pair(pair, codes, images.x, name, directions.origin, directions.axes), about


def as_pair(model: Any, signed: bool) -> foreign.Pair:
    """Return a pair of networks. Raises ValueError for what is none."""
    if isinstance(model, (tuple, list)) and len(model) == 2:
        return foreign.Pair(model[0], model[1], signed)
    encode, decode = (getattr(model, name, None) for name in ("encode", "decode"))
    if callable(encode) and callable(decode):
        return foreign.Pair(encode, decode, signed=signed)
    raise ValueError(
        "a model is a pair (encode, decode), an object with these methods, or the name of a stored model, not "
        f"{type(model).__name__}"
    )


def _title(model: Any) -> str:
    """Return the class of the networks as a title."""
    networks = model if isinstance(model, (tuple, list)) else (model.encode,)
    owners = [part for network in networks for part in foreign.modules_of(network)]
    return type(owners[0]).__name__ if owners else "Your model"


def _name(title: str | None) -> str:
    """Return a name that no other explorer has, for a folder."""
    slug = re.sub("[^a-z0-9]+", "-", (title or "model").lower()).strip("-")[:40].strip("-") or "model"
    return f"{slug}-{os.urandom(3).hex()}"


class Explorer:
    """A model and images, to be shown. In a notebook it shows itself.

    z: the code that is shown, (D,). selection: rows of the images selected on the map. Both can be read and set.
    notes: what was converted and assumed, a sentence each.
    """

    def __init__(
        self, model: LatentModel, info: DatasetInfo, name: str, title: str, notes: Sequence[str] = (),
        dimensions: dict[str, str] | None = None,
    ):  # fmt: skip
        self.model, self.info, self.name, self.title = model, info, name, title
        self.notes, self.dimensions = list(notes), dimensions or {}
        self._stored_card: ModelCard | None = model.card  # None of a model that was given from Python
        x, _ = info.load("test").batch([info.start])
        with torch.no_grad():
            self._z = model.encode(x).mean[0].numpy()
        self._selection = np.zeros(0, np.int64)
        self._folder: tempfile.TemporaryDirectory | None = None
        self._widget: Any = None

    @property
    def z(self) -> np.ndarray:
        return self._z.copy()

    @z.setter
    def z(self, value: Any) -> None:
        z = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value, np.float32)
        if z.shape != (self.model.latent_dim,) or not np.isfinite(z).all():
            raise ValueError(f"z must hold {self.model.latent_dim} finite numbers, not shape {z.shape}")
        self._z = z
        if self._widget is not None:
            self._widget.z = z.tolist()

    @property
    def selection(self) -> np.ndarray:
        return self._selection.copy()

    @selection.setter
    def selection(self, rows: Any) -> None:
        found = np.asarray(rows, np.int64).reshape(-1)
        n = len(self.info.load("test"))
        if found.size and not 0 <= found.min() <= found.max() < n:
            raise ValueError(f"a selection has rows from 0 to {n - 1}")
        self._selection = found
        if self._widget is not None:
            self._widget.selection = found.tolist()

    def moved(self, z: Sequence[float]) -> None:
        """Take over the code that the widget shows."""
        self._z = np.array(z, np.float32)

    def selected(self, rows: Sequence[int]) -> None:
        """Take over the rows that are selected on the widget's map."""
        self._selection = np.array(rows, np.int64)

    def decode(self, z: Any = None) -> torch.Tensor:
        """Decode codes (B, D), by default the current z -> images (B, C, H, W) in [0, 1]."""
        zs = torch.as_tensor(self.z[None] if z is None else z, dtype=torch.float32)
        with torch.no_grad():
            return self.model.decode(zs)

    @property
    def store(self) -> store.Store:
        """The temporary Store, which is filled when it is first asked for: the map takes some seconds."""
        if self._folder is None:
            folder = tempfile.TemporaryDirectory(prefix="vae-explore-")
            self.write(Path(folder.name))
            self._folder = folder
        return store.Store([self._folder.name])

    def write(self, root: Path, progress: jobs.Report | None = None) -> ModelCard:
        """Write the model and its images into a folder that a Store reads. Returns its card."""
        report = jobs.part(progress)
        where = store.Store([root])
        root.mkdir(parents=True, exist_ok=True)
        if self.info.name not in DATASETS and not (root / "galleries" / f"{self.info.name}.npz").exists():
            result.write_gallery(self.info, root)
        model = self.model
        model.card = self._card()
        figures, protocol = result.measure(model, self.info, result.SLOW, jobs.part(report, 0.0, 0.4))
        model.card = replace(model.card, figures=figures, protocol=protocol)
        encoded = pipeline.fit_map(model, 0, jobs.part(report, 0.4, 0.95), self.info, MAX_IMAGES, exact=True)
        stored, networks = _for_browser(model)
        model.card = where.save(stored, replace(model.card, config=asdict(stored.config)))
        where.write_map(model.card.name, encoded)
        project.write_network(where, model, networks=networks)
        return model.card

    def _card(self) -> ModelCard:
        model, stored = self.model, self._stored_card
        family = next(key for key, family in FAMILIES.items() if family is type(model))
        about = [f"{self.title}, given from Python."]
        if self.dimensions:
            about.append(f"Sliders move along the {model.latent_dim} principal directions of its code.")
        return ModelCard(
            name=self.name, title=self.title, description=stored.description if stored else " ".join(about),
            note=" ".join(self.notes), family=family, data=self.info.name, image_shape=model.image_shape,
            latent_dim=model.latent_dim, config=asdict(model.config), recipe={},
            licence=stored.licence if stored else "yours", weights_sha256="",
            dataset=description(self.info), dimensions=self.dimensions,
        )  # fmt: skip

    # ---- homes

    def save(self, path: str | Path, *others: Explorer) -> Path:
        """Write one HTML file that works offline, with other explorers beside this one. Returns its path.

        Raises ModelUnavailable, in one sentence, for a network that a browser cannot run.
        """
        from .browser.handout import handout

        where = store.Store([one.store.roots[0] for one in (self, *others)])
        content = handout([one.name for one in (self, *others)], store=where)
        store.write_atomically(Path(path), content.encode())
        return Path(path)

    def app(self, *others: Explorer, open_browser: bool = True) -> App:
        """Start the full app on this model, and on other explorers' to compare, and open it in a browser.

        This process answers where a browser cannot; the app says so when it has ended. Raises RuntimeError where the
        app does not start.
        """
        return App((self, *others), open_browser)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if notebook.has_widgets():
            return self.widget._repr_mimebundle_(**options)
        try:
            shown = notebook.frame(self.html())
        except ModelUnavailable as error:
            shown = f"<p>{html.escape(str(error))} With the extra <code>notebook</code>, Python runs it.</p>"
        return {"text/html": shown, "text/plain": repr(self)}

    @property
    def widget(self) -> Any:
        """The notebook widget, which is made once. Raises ImportError without the extra `notebook`."""
        if self._widget is None:
            self._widget = notebook.explorer_widget(self)
        return self._widget

    def html(self) -> str:
        """Return the handout as text."""
        from .browser.handout import handout

        return handout([self.name], store=self.store)

    def __repr__(self) -> str:
        n = len(self.info.load("test"))
        return f"<Explorer of {self.title}: {self.model.latent_dim} dimensions, {n:,} images>"


def _for_browser(model: LatentModel) -> tuple[LatentModel, dict[str, Any]]:
    """Return a model as a Store holds it, with the weights that a browser reads, and the content of its
    network.json."""
    if not isinstance(model, foreign.Foreign):
        return model, portable.network_file(model)
    try:
        exported = foreign.in_browser(model)
    except ValueError as error:
        return model, portable.network_file(model, str(error))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch.export's, of its own classes
        networks, state = portable.network_file(exported), exported.state_dict()
    names = {name for graph in networks["networks"].values() for name in portable.tensor_names(graph)}
    used = sorted(names & state.keys())
    if 4 * sum(state[name].nelement() for name in used) > MAX_WEIGHTS:
        return model, portable.network_file(model, f"its weights are larger than {MAX_WEIGHTS // 2**20} MB")
    return foreign.with_weights(model, exported, used), networks


# ---- the app


class App:
    """The full app in a process of its own, on explorers' models. close() ends it; so does the end of this process."""

    def __init__(self, explorers: Sequence[Explorer], open_browser: bool = True):
        self._folder = tempfile.TemporaryDirectory(prefix="vae-app-")
        home, models = Path(self._folder.name), {one.name: one.model for one in explorers}
        for one in explorers:
            shutil.copytree(one.store.roots[0], home, dirs_exist_ok=True)

        def answer(question: str, array: np.ndarray) -> remote.Arrays:
            name, _, what = question.partition("/")
            model = models[name]
            assert isinstance(model, foreign.Foreign)
            return model.answer(what, array)

        self._server = remote.Server(answer)
        port = _free_port()
        self.address = f"http://127.0.0.1:{port}"
        command = [
            sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true", "--server.port",
            str(port), "--server.address", "127.0.0.1",
        ]  # fmt: skip
        environment = {**folders.environment(), "VAE_DATA": str(folders.data()), "VAE_RUNS": str(folders.runs())}
        environment |= {"VAE_HOME": str(home), **self._server.environment}
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command, cwd=folders.app(), env=environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        atexit.register(self.close)
        self._wait()
        self.link = f"{self.address}/sliders?model={explorers[0].name}"
        if open_browser:
            webbrowser.open(self.link)

    def _wait(self) -> None:
        """Wait until the app answers. Raises RuntimeError."""
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        self._log.seek(0)
        last = self._log.read().decode(errors="replace").strip().splitlines()[-1:] or ["it printed nothing"]
        self.close()
        raise RuntimeError(f"the app did not start: {last[0]}")

    def close(self) -> None:
        """End the app and remove its files."""
        atexit.unregister(self.close)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._server.close()
        self._log.close()
        self._folder.cleanup()

    def __enter__(self) -> App:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<App at {self.link}>"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
