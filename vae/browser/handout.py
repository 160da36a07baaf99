"""The explorer without a server: one HTML file that works offline, or a folder for any web server.

Both hold the same host (host/page.js) and the same content. The content of a model is its networks and weights, and
what its views need: encoded test images with maps and thumbnails, a few test images in full, and its description.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .. import api_reference
from ..cards import ModelCard, ModelUnavailable, Traits
from ..data import DatasetInfo, Split
from ..encoded import FITTED_MAPS, STRIP_SHARE, EncodedImages, data_ranges, quantised
from ..glossary import TERMS
from ..lessons import Lesson, Step, fill_figures, referenced_models
from ..store import Store, dimension_order, write_atomically
from ..uploads import MAX_BYTES
from . import collection, props
from .bundle import FOLDER, bundle, compact, inline
from .colours import CIVIDIS, class_colours, on_scale, ramps
from .messages import message

N_ENCODED = 1000  # test images on the map
N_IMAGES = 24  # test images in full, to start from
N_SAMPLES = 2000  # of posteriors, for histograms
N_PRIOR_SAMPLES = 400  # of a prior that a browser cannot sample
THUMBNAILS = {"largest": 32, "quality": 65, "effort": 6}
STEPS = 9  # pictures of a sweep of a factor
REFERENCE = "api.html"  # of a site: the reference of the Python API
VIEWS = frozenset(path.stem for path in (FOLDER / "host/views").glob("*.js"))  # host/views.js has their order
# content security policies: nothing leaves the page; a site fetches its own models
FILE_SECURITY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; worker-src blob:"
)
SITE_SECURITY = f"{FILE_SECURITY}; connect-src 'self'"


def handout(
    names: Sequence[str], lessons: Mapping[str, Lesson] | None = None, app: str = "", store: Store | None = None
) -> str:
    """Return one HTML file with models, by name, and lessons, by key. app: the address of the full app.

    Raises ModelUnavailable for a model that is not there or cannot run in a browser.
    """
    header, made = _content(store or Store(), names, lessons or {}, app)
    return _page(_pack(*_inlined(header, made)), header["title"], FILE_SECURITY)


def site(
    names: Sequence[str], folder: Path, lessons: Mapping[str, Lesson] | None = None, app: str = "",
    store: Store | None = None,
) -> list[Path]:  # fmt: skip
    """Write index.html, the reference of the Python API, and a file for each model and data set, fetched when it is
    needed. Returns their paths.

    Raises ModelUnavailable as handout() does, and OSError where the folder cannot be written.
    """
    header, made = _content(store or Store(), names, lessons or {}, app)
    header["reference"] = REFERENCE
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "index.html"]
    for described, parts in made:
        content = _pack({}, parts)
        described["file"] = f"{described['name']}-{hashlib.sha256(content).hexdigest()[:12]}.bin"
        paths.append(folder / described["file"])
        write_atomically(paths[-1], content)
    paths.append(folder / REFERENCE)
    write_atomically(paths[-1], api_reference.page(FILE_SECURITY).encode())
    write_atomically(paths[0], _page(_pack(header, {}), header["title"], SITE_SECURITY).encode())
    return paths


def content(names: Sequence[str], store: Store, answered: bool = False) -> bytes:
    """Return the content of a handout of models, as host/content.js reads it.

    answered: a process answers for a network that no browser can run, so that the model is there all the same. Raises
    ModelUnavailable as handout() does.
    """
    header, made = _content(store, names, {}, "", answered)
    return _pack(*_inlined(header, made))


def training_page(title: str, props: dict) -> str:
    """Return one HTML file with the film of a training. props: of the widget "training"."""
    packed = _pack({"title": title, "props": props}, {})
    return _page(packed, title, FILE_SECURITY, "host/training_page.js")


def obstacle(network: dict) -> str:
    """Return why a model cannot be in a handout, from the content of its network.json: the end of a sentence, and what
    would work; "" where it can."""
    if missing := not_portable(network):
        return f"a browser cannot run it ({missing}). Linear layers, convolutions and usual activations would work."
    if network["capabilities"]["discrete"]:
        return "its code is a grid of codebook indices, which has no sliders. Choose a model with a continuous code."
    return ""


def not_portable(network: dict) -> str:
    """Return which networks a browser cannot run, and why, as a part of a sentence; "" for none."""
    return "; ".join(f"{part}: {why}" for part, why in network["not_portable"].items())


# ---- the file


def _page(content: bytes, title: str, security: str, entry: str = "host/page.js") -> str:
    """Return the HTML of a host with its content. The scripts follow the content, so that a file cut short says so.

    entry: the host's main module.
    """
    template = (FOLDER / "host/host.html").read_text(encoding="utf-8")
    style = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("runtime/theme.css", "host/host.css"))
    packed = f'<script type="text/plain" id="content">{base64.b64encode(content).decode()}</script>'
    script = inline(compact(bundle(entry)), packed)
    parts = {
        "SECURITY": security, "TITLE": html.escape(title), "STYLE": style.replace(":host", ":root"), "SCRIPT": script,
    }  # fmt: skip
    for name, text in parts.items():
        template = template.replace(f"{{{{{name}}}}}", text, 1)
    return template


def _inlined(header: dict, made: list[Made]) -> tuple[dict, dict[str, bytes]]:
    """Return a header that names the parts of what it describes, and these parts."""
    blobs: dict[str, bytes] = {}
    for described, parts in made:
        described["blobs"] = {part: f"{described['name']} {part}" for part in parts}
        blobs |= {described["blobs"][part]: found for part, found in parts.items()}
    return header, blobs


def _pack(header: dict, blobs: dict[str, bytes]) -> bytes:
    """Return a header and named bytes, compressed. host/content.js reads it."""
    ends = np.cumsum([0, *map(len, blobs.values())]).tolist()
    header = {**header, "blobs": {name: [ends[i], ends[i + 1]] for i, name in enumerate(blobs)}}
    return gzip.compress(message(header, b"".join(blobs.values())), mtime=0)


Made = tuple[dict, dict[str, bytes]]  # the description of a model or a data set, and the bytes of its parts


def _content(
    store: Store, names: Sequence[str], lessons: Mapping[str, Lesson], app: str, answered: bool = False
) -> tuple[dict, list[Made]]:
    """Return the header of all content, and the models and data sets that it describes with their parts."""
    cards = {name: store.read_card(name) for name in names}
    models = [_model(store, name, answered) for name in cards]
    data = {card.data: _dataset(store, card) for card in reversed(cards.values())}
    titles = [card.title for card in cards.values()]
    header = {
        "models": [described for described, _ in models],
        "data": {name: described for name, (described, _) in data.items()},
        "lessons": [_lesson(key, lesson, cards) for key, lesson in lessons.items()],
        "title": titles[0] if len(titles) == 1 else f"{len(titles)} variational autoencoders", "app": app,
        "max_bytes": MAX_BYTES, "ramps": ramps(), "inside": {"white": props.WHITE, "empty": props.EMPTY_DRAWING},
        "glossary": {key: {"name": term.name, "definition": term.definition} for key, term in TERMS.items()},
    }  # fmt: skip
    return header, [*models, *data.values()]


# ---- data


def _dataset(store: Store, card: ModelCard) -> Made:
    """Return the description of a model's data set, and its test images: some in full, uint8 (N, C, H, W), and the
    thumbnails of those on the maps."""
    info = store.dataset(card)
    split = info.load("test", download=False)
    rows = _first_images(info, split)
    described = {
        "name": info.name, "title": info.title, "noun": info.noun, "classes": list(info.classes),
        "colours": class_colours(len(info.classes)), "shape": list(info.image_shape), "crisp": info.crisp,
        "binary": info.binary, "preparation": dataclasses.asdict(info.preparation), "licence": info.licence,
        "source": info.source, "rows": rows, "labels": split.labels[rows].tolist(),
    }  # fmt: skip
    blobs = {"images": split.render(np.array(rows)).tobytes()}
    encoded = _first(_encoded(store, card, split))
    if encoded is not None:
        images = lambda indices: split.batch(encoded.rows[indices])[0]  # noqa: E731
        blobs["thumbnails"] = collection.sheet(
            _sheet_name(info, encoded), len(encoded), images, info.modality, **THUMBNAILS
        )
    return described, blobs


def _first_images(info: DatasetInfo, split: Split) -> list[int]:
    """Return rows of test images: the one to start with, one of each class, and the first ones."""
    _, firsts = np.unique(split.labels, return_index=True)
    return list(dict.fromkeys([info.start, *firsts.tolist(), *range(len(split))[:N_IMAGES]]))[:N_IMAGES]


def _encoded(store: Store, card: ModelCard, split: Split) -> EncodedImages | None:
    """Return a model's encoded test images; None without a map."""
    try:
        encoded = store.read_map(card.name)
    except ModelUnavailable:
        return None
    return encoded if encoded.rows.max() < len(split) else None


def _first(encoded: EncodedImages | None) -> EncodedImages | None:
    """Return those encoded images that a handout holds."""
    return None if encoded is None else encoded.take(slice(N_ENCODED))


def _sheet_name(info: DatasetInfo, encoded: EncodedImages) -> str:
    return f"{info.name} {hashlib.sha256(encoded.rows.tobytes()).hexdigest()[:12]}"


# ---- models


def _model(store: Store, name: str, answered: bool) -> Made:
    """Return what the host needs of a model: JSON, and bytes by name. answered: see content. Raises
    ModelUnavailable."""
    card = store.read_card(name)
    network = store.read_network(name)
    asks = answered and not_portable(network)
    if not asks and (reason := obstacle(network)):
        raise ModelUnavailable(f"{name} cannot be in a handout: {reason}")
    traits = Traits.from_network_file(network)
    start = store.first_view(card).get("start") or {"z": traits.prior_mean.tolist(), "y": 0}
    network = {key: value for key, value in network.items() if key != "first_view"}
    info = store.dataset(card)
    split = info.load("test", download=False)
    everything = _encoded(store, card, split)
    encoded = _first(everything)
    ranges = data_ranges(encoded, traits.prior_mean, traits.prior_stddev, values=traits.values)
    order = dimension_order(card, traits.levels, encoded, traits.prior_stddev)
    described = {
        "name": name, "title": card.title, "description": card.description, "data": card.data, "family": card.family,
        "licence": card.licence, "network": network, "classes": list(info.classes) if traits.num_classes else [],
        "dims": props.dimensions(card, traits, ranges, order, {}), "order": order, "levels": _levels(traits),
        "start": {"z": list(start["z"]), "y": start["y"]}, "prior": _prior(traits),
        "strips": _strips(encoded, traits).round(4).tolist(), "map": None,
        "average": {key: card.figures.get(key) for key in props.AVERAGES},
        "centre": traits.centre_name, "active": _active(encoded, order),
        "inside": traits.analytic_kl and not traits.levels and not asks, "plane": None, "factors": None,
        "names": card.dimensions,
    }  # fmt: skip
    if asks:
        codes = dict(zip(encoded.rows.tolist(), encoded.codes.round(5).tolist(), strict=True)) if encoded else {}
        described["reason"] = asks
        described["image_codes"] = [codes.get(row) for row in _first_images(info, split)]
    blobs = {"weights": store.read_weight_bytes(card)}
    if not traits.prior_is_gaussian:
        blobs["prior"] = _prior_samples(store, name)
    labels = split.labels if encoded is None else split.labels[encoded.rows]
    if encoded is not None and everything is not None:
        blobs["samples"] = quantised(encoded.posterior_samples()[:N_SAMPLES], ranges).tobytes()
        described["map"] = _map(card, info, encoded, everything, blobs, labels)
    if traits.latent_dim == 2:
        described["plane"] = props.plane(None if encoded is None else encoded.codes, labels, len(info.classes))
    if info.grid is not None and "mutual_information" in card.figures:
        described["factors"] = _factors(card, info, split, order, blobs)
    return described, blobs


def _levels(traits: Traits) -> dict[str, list[int]]:
    return {name: list(dims) for name, dims in traits.levels.items()}


def _prior(traits: Traits) -> dict:
    return {
        "name": traits.prior_name, "temperature": traits.temperature_name, "gaussian": traits.prior_is_gaussian,
        "mean": traits.prior_mean.tolist(), "stddev": traits.prior_stddev.tolist(),
    }  # fmt: skip


def _prior_samples(store: Store, name: str) -> bytes:
    """Return samples of a prior (N, D) as float32."""
    import torch

    with torch.no_grad():
        zs = store.load(name).sample(N_PRIOR_SAMPLES, generator=torch.Generator().manual_seed(0))
    return zs.numpy().astype(np.float32).tobytes()


def _strips(encoded: EncodedImages | None, traits: Traits) -> np.ndarray:
    return data_ranges(encoded, traits.prior_mean, traits.prior_stddev, (1 - STRIP_SHARE) / 2, traits.values)


def _active(encoded: EncodedImages | None, order: list[int]) -> list[int]:
    """Return the active dimensions in display order; none without a map."""
    from ..metrics.disentanglement import ACTIVE, active_units

    if encoded is None:
        return []
    variances = active_units(encoded.codes).variances
    return [d for d in order if variances[d] > ACTIVE]


def _map(
    card: ModelCard, info: DatasetInfo, encoded: EncodedImages, everything: EncodedImages, blobs: dict[str, bytes],
    labels: np.ndarray,
) -> dict:  # fmt: skip
    """Return the layouts of a model's map, and add its points to the blobs. encoded: the first of everything."""
    from ..latent import maps

    name = f"{card.name} {card.weights_hash}"
    blobs["points"] = collection.points(name, _sheet_name(info, encoded), encoded, labels, labels)
    others = everything.take(slice(len(encoded), None))
    pca = maps.pca_plane(everything.codes)
    layouts = [
        {
            "key": key, "title": title, "dims": None, "k": maps.INVERSE_NEIGHBORS if key != "pca" else 0,
            "error": None if key == "pca" else _placement_error(encoded, others, key),
            "origin": pca.origin.tolist() if key == "pca" else None,
            "axes": pca.axes.tolist() if key == "pca" else None,
        }
        for key, title in FITTED_MAPS.items()
    ]  # fmt: skip
    return {"collection": name, "layouts": layouts, "details": card.map}


def _placement_error(encoded: EncodedImages, others: EncodedImages, key: str) -> float | None:
    """Return the median distance between the position of other images on a fitted map and the one that layout.js
    gives their codes, as a share of the map's span; None without other images."""
    from ..latent import maps

    if not len(others):
        return None
    xy, true = encoded.layouts[key], others.layouts[key]
    # the same mean, from codes to positions
    found = maps.inverse(others.codes, encoded.codes, xy, maps.INVERSE_NEIGHBORS)
    return round(float(np.median(np.linalg.norm(found - true, axis=1)) / np.ptp(xy, axis=0).max()), 4)


def _factors(card: ModelCard, info: DatasetInfo, split: Split, order: list[int], blobs: dict[str, bytes]) -> dict:
    """Return which dimension encodes which factor, as shares of each factor's entropy, and add sweeps of the
    factors of the first image to the blobs: STEPS pictures for each factor, (K * STEPS, H, W, C) uint8."""
    from ..evaluation import report

    grid = info.grid
    assert grid is not None and split.factors is not None
    entropies = np.array(card.figures["factor_entropy"])
    varying = np.flatnonzero(entropies > 0)  # a constant factor has no information to encode
    shares = np.array(card.figures["mutual_information"])[order].T[varying] / entropies[varying, None]
    truth = split.factors[info.start]
    values = [np.linspace(0, grid.sizes[k] - 1, STEPS).round().astype(int) for k in varying]
    rows = np.concatenate([grid.sweep(truth, int(k))[chosen] for k, chosen in zip(varying, values, strict=True)])
    blobs["sweeps"] = info.modality.picture(grid.render(rows) / np.float32(255)).tobytes()
    return {
        "names": [grid.names[k] for k in varying], "shares": shares.round(4).tolist(), "steps": STEPS,
        "colours": [on_scale(CIVIDIS, row.clip(0, 1)) for row in shares],
        "scores": report.disentanglement_scores(card),
        "values": [[grid.values[k][v] for v in chosen] for k, chosen in zip(varying, values, strict=True)],
    }  # fmt: skip


# ---- lessons


def _lesson(key: str, lesson: Lesson, cards: dict[str, ModelCard]) -> dict:
    """Return the steps of a lesson that a handout of these models can show, with their figures, and the number of the
    others. Raises ModelUnavailable where there is none."""
    steps = [
        {**_step(step, cards), "number": number} for number, step in enumerate(lesson.steps, 1) if _fits(step, cards)
    ]
    if not steps:
        models = ", ".join(sorted({step.try_.model for step in lesson.steps if step.try_.page in VIEWS}))
        raise ModelUnavailable(f"the lesson {key} has no step for these models; it needs {models or 'the full app'}.")
    more = len(lesson.steps) - len(steps)
    return {"key": key, "title": lesson.title, "order": lesson.order, "steps": steps, "more": more}


def _fits(step: Step, cards: dict[str, ModelCard]) -> bool:
    target = step.try_
    is_shown = target.page in VIEWS and target.model in cards and not target.app_only
    return is_shown and referenced_models(step.explanation) <= cards.keys()


def _step(step: Step, cards: dict[str, ModelCard]) -> dict:
    return {
        "question": step.predict.question, "answers": list(step.predict.answers), "correct": step.predict.correct,
        "try": step.try_.text, "page": step.try_.page, "model": step.try_.model, "link": step.try_.link(),
        "look_at": step.try_.look_at,
        "reveal": fill_figures(step.reveal, cards), "why": fill_figures(step.why, cards), "source": step.source,
    }  # fmt: skip
