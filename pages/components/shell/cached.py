"""Cache wrappers around vae's pure functions: one copy of each model and map for all sessions.

Sessions share the returned objects, so callers must not modify them. The key is the name of a model or of a data set.
A visitor's own have names that no other has had (see visitors.py), and zoo_scan lists them in his sessions only, so
that no other session reads them and none sees what was deleted.

torch is imported inside the functions that need it, because a page shows its first picture before torch is loaded.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

import vae
from vae import ModelUnavailable, store
from vae.cards import Traits
from vae.data import DATASETS, DatasetInfo, Split, idx
from vae.data.base import FactorGrid
from vae.data.factor_images import FactorImages
from vae.encoded import STRIP_SHARE, EncodedImages, data_ranges

from . import visitors

if TYPE_CHECKING:
    from torch import Tensor

    from vae.latent import AttributeDirection, PrincipalDirections
    from vae.metrics.classifier import Classifier


MIN_LISTED_KL = 0.1  # nats; a page lists no dimension with less as active
N_COMPARED = 1000  # test images with whose reconstruction errors a visitor's picture is compared
MAX_KEPT = 100  # models of which small things are kept, more than the shipped ones
MAX_LOADED = 40  # models in memory, with their maps: the shipped ones, and a few more
_refreshing = threading.Lock()


def refresh() -> None:
    """Empty the caches if a model was added, removed or replaced since they were filled."""
    with _refreshing:
        if _fingerprint() != store.Store().fingerprint():
            # data are computed from resources: in the other order another session could keep old ones
            st.cache_resource.clear()
            st.cache_data.clear()
            _fingerprint()  # before anything is read again


@st.cache_resource(max_entries=1, show_spinner=False)
def _fingerprint() -> tuple:
    return store.Store().fingerprint()


def zoo_scan() -> tuple[dict[str, vae.ModelCard], dict[str, str]]:
    """Return ({name: card} of the models that this session may use, in the recipes' order and the visitor's own last;
    {name: reason} for the unusable ones)."""
    cards, problems = shared_scan()
    return {**cards, **visitors.models()}, problems


@st.cache_resource(max_entries=1, show_spinner=False)
def shared_scan() -> tuple[dict[str, vae.ModelCard], dict[str, str]]:
    """Return what zoo_scan does, of the models that all sessions may use."""
    candidates, problems = store.Store().scan(check=_unknown_figures)
    cards = []
    for card in candidates:
        try:
            dataset = store.Store().dataset(card)
            if card.image_shape != dataset.image_shape:
                shapes = f"its images are {card.image_shape}, and those of its data set {card.data!r}"
                raise ModelUnavailable(f"{shapes} {dataset.image_shape}")
            if card.data in DATASETS:
                idx.check_gallery(dataset)
            else:
                dataset.load("test", download=False)
            cards.append(card)
        except ModelUnavailable as error:
            problems[card.name] = str(error)
        except (OSError, ValueError) as error:
            problems[card.name] = f"its test images cannot be read ({error})"
    cards.sort(key=lambda card: first_view(card.name, card).get("place", math.inf))
    return {card.name: card for card in cards}, problems


@st.cache_resource(max_entries=100, show_spinner=False)
def first_view(name: str, _card: vae.ModelCard) -> dict:
    """Return what is shown of a model before torch is loaded, see Store.first_view."""
    return visitors.store_of(name).first_view(_card)


def _unknown_figures(card: vae.ModelCard) -> str:
    from vae.evaluation import figures

    return figures.unknown(card)


def card(name: str) -> vae.ModelCard:
    """Return the card of a usable model. Raises ModelUnavailable for others."""
    try:
        return zoo_scan()[0][name]
    except KeyError as error:
        raise ModelUnavailable(f"there is no model named {name[:60]!r}") from error


@st.cache_resource(max_entries=MAX_KEPT, show_spinner=False)
def traits(name: str) -> Traits:
    """Return what a model can do. Needs torch only for a model without network.json."""
    return Traits.from_network_file(network(name))


@st.cache_resource(max_entries=MAX_KEPT, show_spinner="Preparing the model for the browser")
def network(name: str) -> dict:
    """Return the content of a model's network.json; for a model without one, its networks are exported now."""
    try:
        return visitors.store_of(name).read_network(name)
    except ModelUnavailable:
        from vae.models.portable import network_file

        return network_file(model(name))


def handout(name: str, app: str) -> Callable[[], str]:
    """Return a function that makes a model's handout, an HTML file. app: the address that it links to.

    The function needs no session. It raises ModelUnavailable.
    """
    return partial(_handout, name, card(name).title, app, visitors.store_of(name))


@st.cache_data(max_entries=3, show_spinner=False)
def _handout(name: str, title: str, app: str, _store: store.Store) -> str:
    """title: the model's, which its owner may change."""
    from vae.browser.handout import handout

    return handout([name], app=app, store=_store)


@st.cache_data(max_entries=100, show_spinner=False)
def summary(name: str) -> str:
    """Return a model's figures in one line."""
    known = first_view(name, card(name))
    if "summary" in known:
        return known["summary"]
    from vae.evaluation import report

    return report.summary(card(name))


@st.cache_resource(max_entries=MAX_LOADED, show_spinner="Loading the model")
def model(name: str) -> vae.models.LatentModel:
    return visitors.store_of(name).load(name)


@st.cache_resource(max_entries=20, show_spinner=False)
def classifier(data: str) -> Classifier | None:
    """Return the classifier trained on a data set; None if none is shipped or its file is damaged."""
    from vae import metrics
    from vae.evaluation.judge import head_sizes

    try:
        return metrics.load_classifier(data, info(data).image_shape, head_sizes(info(data)))
    except OSError:
        return None


@st.cache_resource(max_entries=10, show_spinner="Loading test images")
def gallery(data: str) -> Split:
    return info(data).load("test", download=False)


def weights_id(name: str) -> str:
    """Return an identifier of a model's weights. A browser tab may stay open while a model is retrained."""
    return f"{name} {card(name).weights_hash}"


def info(data: str) -> DatasetInfo:
    """Return a data set: the registered one, or the one that the first usable model's card describes."""
    if data in DATASETS:
        return DATASETS[data]
    card = next(card for card in zoo_scan()[0].values() if card.data == data)
    return visitors.store_of(card.name).dataset(card)


def factor_images(data: str) -> FactorGrid | FactorImages | None:
    """Return a data set's images by their known factors: rendered, or the nearest test images where there is no grid;
    None if the factors are unknown."""
    found = info(data)
    if found.grid is not None or found.factors is None:
        return found.grid
    return FactorImages(found.factors.names, found.factors.values, gallery(data))


def beta(card: vae.ModelCard) -> float | None:
    """Return the final weight of the KL: 0 for an autoencoder, None for an objective other than beta-VAE's."""
    from vae.models import FAMILIES

    objective = vae.objectives.read(card.recipe)
    if not isinstance(objective, vae.objectives.BetaVAE):
        return None
    return objective.final()["beta"] if FAMILIES[card.family].has_elbo else 0.0


@st.cache_resource(max_entries=MAX_LOADED, show_spinner=False)
def model_map(name: str) -> EncodedImages | None:
    """Return the map of a model; None if map.npz is missing or damaged."""
    try:
        encoded = visitors.store_of(name).read_map(name)
    except store.ModelUnavailable:
        return None
    # a map may be of images that this copy of the data set lacks
    data = card(name).data
    try:
        n = idx.gallery_length(info(data))
    except OSError:
        return None
    return encoded if encoded.rows.max() < (len(gallery(data)) if n is None else n) else None


@st.cache_data(max_entries=MAX_KEPT, show_spinner=False)
def map_id(name: str) -> str:
    """Return an identifier of a model's weights and its map, which may be fitted again for the same weights."""
    content = b"".join(np.ascontiguousarray(part).tobytes() for part in model_map(name).arrays.values())
    return f"{weights_id(name)} {hashlib.sha256(content).hexdigest()[:16]}"


@st.cache_resource(max_entries=MAX_KEPT, show_spinner=False)
def excess_errors(name: str) -> np.ndarray:
    """Return the reconstruction errors (N,) in nats of at most N_COMPARED images on a model's map.

    Of a cross-entropy it is the excess over the lowest possible value, which depends on how many pixels are grey.
    """
    encoded = model_map(name)
    step = math.ceil(len(encoded) / N_COMPARED)
    errors, rows = encoded.recon[::step], encoded.rows[::step]
    if traits(name).is_cross_entropy:
        batches = gallery(card(name).data).batches(rows=rows)
        errors = errors - np.concatenate([lowest_errors(name, x) for x, _ in batches])
    return errors


def lowest_errors(name: str, x: Tensor) -> np.ndarray:
    """Return the lowest possible reconstruction errors (N,) in nats of images x (N, C, H, W).

    They are above 0 where a model's likelihood is a cross-entropy and pixels are grey.
    """
    from vae.metrics.reconstruction import pixel_entropy

    return pixel_entropy(x).numpy() if traits(name).is_cross_entropy else np.zeros(len(x), np.float32)


def excess_percentile(name: str, excess: float) -> float:
    """Return the percentage of test images whose excess error, as excess_errors gives it, is smaller."""
    return 100 * float((excess_errors(name) < excess).mean())


@st.cache_resource(max_entries=MAX_KEPT, show_spinner=False)
def local_distances(name: str) -> np.ndarray:
    from vae import latent

    return latent.local_distances(features(name))


def posterior_samples(name: str) -> np.ndarray:
    """Return one sample from each encoded image's posterior, (N, D); (0, D) for a model without a map."""
    encoded = model_map(name)
    return np.empty((0, card(name).latent_dim)) if encoded is None else encoded.posterior_samples()


@st.cache_data(max_entries=MAX_KEPT, show_spinner=False)
def slider_ranges(name: str) -> np.ndarray:
    """Return the range of encoded data in each dimension, (D, 2)."""
    able = traits(name)
    return data_ranges(model_map(name), able.prior_mean, able.prior_stddev, values=able.values)


@st.cache_data(max_entries=MAX_KEPT, show_spinner=False)
def strip_ranges(name: str) -> np.ndarray:
    """Return the ends of a traversal of each dimension, (D, 2)."""
    tail, able = (1 - STRIP_SHARE) / 2, traits(name)
    return data_ranges(model_map(name), able.prior_mean, able.prior_stddev, tail, able.values)


@st.cache_data(max_entries=MAX_KEPT, show_spinner=False)
def principal_directions(name: str) -> PrincipalDirections:
    """Return all principal directions of the codes on a model's map. Raises ValueError where all are equal."""
    from vae import latent

    return latent.principal_directions(model_map(name).codes, traits(name).latent_dim)


@st.cache_data(max_entries=MAX_KEPT, show_spinner=False)
def dimension_order(name: str) -> list[int]:
    return store.dimension_order(card(name), traits(name).levels, model_map(name), traits(name).prior_stddev)


def listed_dimensions(name: str) -> list[int]:
    """Return the dimensions that a page lists as active, in dimension_order.

    They are those with a KL above MIN_LISTED_KL. Without a KL per dimension, they are the first ones, as many as there
    are active units. There is always one.
    """
    order, figures = dimension_order(name), card(name).figures
    kl = figures.get("kl_per_dim")
    if kl is not None:
        return [d for d in order if kl[d] > MIN_LISTED_KL] or order[:1]
    return order[: max(1, figures.get("active_units", len(order)))]


@st.cache_resource(max_entries=MAX_LOADED, show_spinner=False)
def features(name: str) -> np.ndarray:
    """Return the features (N, F) of the map's codes. Distances between codes are measured in them."""
    if not traits(name).discrete:
        return model_map(name).codes
    import torch

    return model(name).features(torch.from_numpy(model_map(name).codes)).numpy()


def attributes(name: str) -> list[str]:
    """Return the attributes that have a direction in a model's latent space; [] without a map or continuous codes."""
    if traits(name).discrete or model_map(name) is None:
        return []
    return list(info(card(name).data).attributes)


@st.cache_data(max_entries=20, show_spinner=False)
def attribute_directions(name: str) -> dict[str, AttributeDirection]:
    """Return the latent direction of each of the attributes."""
    data, encoded = card(name).data, model_map(name)
    if encoded is None or not attributes(name):
        return {}
    import torch

    from vae import latent

    factors = gallery(data).factors
    codes = torch.from_numpy(encoded.codes)
    return {
        attribute: latent.attribute_direction(codes, torch.from_numpy(np.isin(factors[encoded.rows, k], values)))
        for attribute, (k, values) in info(data).attribute_values().items()
    }


@st.cache_data(max_entries=100, show_spinner=False)
def cover(name: str) -> bytes:
    """Return the picture that stands for a model on Home, a WebP file."""
    try:
        if first_view(name, card(name)):
            return (visitors.store_of(name).folder(name) / "cover.webp").read_bytes()
    except OSError:
        pass
    from vae.evaluation import report

    return report.cover_file(model(name))
