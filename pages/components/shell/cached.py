"""Cache wrappers around vae's pure functions: one copy of each model and map for all sessions.

Sessions share the returned objects, so callers must not modify them.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

import vae
from vae import ModelUnavailable, latent, metrics, store
from vae.data import DATASETS, DatasetInfo, Split
from vae.evaluation import figures
from vae.evaluation.judge import head_sizes
from vae.models import FAMILIES
from vae.training.recipes import RECIPES


def refresh() -> None:
    """Empty the caches if a model was added, removed or replaced since they were filled."""
    if _fingerprint() != store.Store().fingerprint():
        st.cache_data.clear()
        st.cache_resource.clear()
        _fingerprint()  # before anything is read again


@st.cache_resource(max_entries=1, show_spinner=False)
def _fingerprint() -> tuple:
    return store.Store().fingerprint()


@st.cache_resource(max_entries=1, show_spinner=False)
def zoo_scan() -> tuple[dict[str, vae.ModelCard], dict[str, str]]:
    """Return ({name: card} of usable models, in the recipes' order; {name: reason} for the unusable ones)."""
    candidates, problems = store.Store().scan(check=figures.unknown)
    cards = []
    for card in candidates:
        try:
            dataset = store.Store().dataset(card)
            if card.image_shape != dataset.image_shape:
                shapes = f"its images are {card.image_shape}, and those of its data set {card.data!r}"
                raise ModelUnavailable(f"{shapes} {dataset.image_shape}")
            dataset.load("test", download=False)
            cards.append(card)
        except ModelUnavailable as error:
            problems[card.name] = str(error)
        except (OSError, ValueError) as error:
            problems[card.name] = f"its held-out images cannot be read ({error})"
    order = list(RECIPES)  # from simple to complex; models without a recipe come last
    cards.sort(key=lambda card: order.index(card.name) if card.name in order else len(order))
    return {card.name: card for card in cards}, problems


@st.cache_resource(max_entries=40, show_spinner="Loading the model")
def model(name: str) -> vae.models.LatentModel:
    return vae.load(name)


@st.cache_resource(max_entries=20, show_spinner=False)
def classifier(data: str) -> metrics.classifier.Classifier | None:
    """Return the classifier trained on a data set; None if none is shipped or its file is damaged."""
    try:
        return metrics.load_classifier(data, info(data).image_shape, head_sizes(info(data)))
    except OSError:
        return None


@st.cache_resource(max_entries=20, show_spinner="Loading held-out images")
def gallery(data: str) -> Split:
    return info(data).load("test", download=False)


def weights_id(name: str) -> str:
    """Return an identifier of a model's weights. A browser tab may stay open while a model is retrained."""
    return f"{name} {model(name).card.weights_hash}"


def info(data: str) -> DatasetInfo:
    """Return a data set: the registered one, or the one that the first usable model's card describes."""
    if data in DATASETS:
        return DATASETS[data]
    return store.Store().dataset(next(card for card in zoo_scan()[0].values() if card.data == data))


def beta(card: vae.ModelCard) -> float | None:
    """Return the final weight of the KL: 0 for an autoencoder, None for an objective other than beta-VAE's."""
    objective = vae.objectives.read(card.recipe)
    if not isinstance(objective, vae.objectives.BetaVAE):
        return None
    return objective.final()["beta"] if FAMILIES[card.family].has_elbo else 0.0


@st.cache_resource(max_entries=40, show_spinner=False)
def model_map(name: str) -> store.ModelMap | None:
    """Return the map of a model; None if map.npz is missing or damaged."""
    try:
        encoded = store.Store().read_map(name)
    except store.ModelUnavailable:
        return None
    # a map may be of images that this copy of the data set lacks
    return encoded if encoded.rows.max() < len(gallery(model(name).card.data)) else None


@st.cache_resource(max_entries=40, show_spinner=False)
def local_distances(name: str) -> np.ndarray:
    return latent.local_distances(features(name))


def posterior_samples(name: str) -> np.ndarray:
    """Return one sample from each encoded image's posterior, (N, D); (0, D) for a model without a map.

    In an inactive dimension all posterior means are near 0, but the samples are distributed like the prior.
    """
    encoded = model_map(name)
    if encoded is None:
        return np.empty((0, model(name).latent_dim))
    noise = np.random.default_rng(0).standard_normal(encoded.codes.shape)
    return encoded.codes + encoded.sigmas * noise


@st.cache_data(max_entries=40, show_spinner=False)
def slider_ranges(name: str) -> np.ndarray:
    """Return the range of encoded data in each dimension, (D, 2): quantiles of one sample from each posterior."""
    latent_model = model(name)
    samples = posterior_samples(name)
    if not len(samples):
        mu, sigma = latent_model.prior.mean.numpy(), latent_model.prior.stddev.numpy()
        return np.stack([mu - 3 * sigma, mu + 3 * sigma], axis=1)
    return np.quantile(samples, [0.002, 0.998], axis=0).T


@st.cache_data(max_entries=40, show_spinner=False)
def dimension_order(name: str) -> list[int]:
    return store.dimension_order(model(name), model_map(name))


@st.cache_resource(max_entries=40, show_spinner=False)
def features(name: str) -> np.ndarray:
    """Return the features (N, F) of the map's codes. Distances between codes are measured in them."""
    return model(name).features(torch.from_numpy(model_map(name).codes)).numpy()


@st.cache_data(max_entries=20, show_spinner=False)
def attribute_directions(name: str) -> dict[str, latent.AttributeDirection]:
    """Return the latent direction of each attribute of the data; {} without attributes, a map or continuous codes."""
    card, encoded = model(name).card, model_map(name)
    if encoded is None or model(name).discrete:
        return {}
    factors = gallery(card.data).factors
    codes = torch.from_numpy(encoded.codes)
    return {
        attribute: latent.attribute_direction(codes, torch.from_numpy(np.isin(factors[encoded.rows, k], values)))
        for attribute, (k, values) in info(card.data).attribute_values().items()
    }


@st.cache_data(max_entries=100, show_spinner=False)
def cover(name: str, n: int = 8) -> np.ndarray:
    """Decode n * n images (n * n, C, H, W) for a model's preview, in row order.

    A 2-D model shows a grid of the prior's quantiles; all others show samples from the prior (seed 0).
    """
    latent_model = model(name)
    if latent_model.latent_dim == 2 and not latent_model.num_classes:
        prior = latent_model.prior
        z = latent.prior_grid(n, prior.mean, (0, 1), prior.mean, prior.stddev).flatten(0, 1)
    else:
        z = latent_model.sample(n * n, generator=torch.Generator().manual_seed(0))
    y = None
    if latent_model.num_classes:  # one class per row
        y = (torch.arange(n * n) // n) % latent_model.num_classes
    with torch.no_grad():
        return latent_model.decode(z, y).numpy()
