"""Cache wrappers around vae's pure functions: one copy of each model and map for all sessions.

What comes out is shared between sessions and must not be changed.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

import vae
from vae import latent, metrics, store
from vae.data import DATASETS, DatasetInfo, Split
from vae.evaluation import figures
from vae.evaluation.judge import head_sizes
from vae.models import FAMILIES
from vae.training.recipes import RECIPES


@st.cache_resource(max_entries=1, show_spinner=False)
def zoo_scan() -> tuple[dict[str, vae.ModelCard], dict[str, str]]:
    """({name: card} of usable models in the order of the recipes, {name: reason} for the others)."""
    found, problems = store.scan(check=figures.unknown)
    cards = []
    for card in found:
        if card.data not in DATASETS:
            problems[card.name] = f"its data set {card.data!r} is not known here"
            continue
        if card.image_shape != info(card.data).image_shape:
            expected = info(card.data).image_shape
            shapes = f"its images are {card.image_shape}, and those of its data set {card.data!r} {expected}"
            problems[card.name] = shapes
            continue
        try:
            gallery(card.data)
            cards.append(card)
        except (OSError, ValueError) as error:
            problems[card.name] = f"its held-out images cannot be read ({error})"
    order = list(RECIPES)  # from simple to involved; a model without a recipe comes last
    cards.sort(key=lambda card: order.index(card.name) if card.name in order else len(order))
    return {card.name: card for card in cards}, problems


@st.cache_resource(max_entries=40, show_spinner="Loading the model")
def model(name: str) -> vae.models.LatentModel:
    return vae.load(name)


@st.cache_resource(max_entries=20, show_spinner=False)
def judge(data: str) -> metrics.classifier.Classifier | None:
    """The classifier of a data set; None where none is shipped or it is damaged."""
    try:
        return metrics.load_classifier(data, info(data).image_shape, head_sizes(info(data)))
    except OSError:
        return None


@st.cache_resource(max_entries=20, show_spinner="Loading held-out images")
def gallery(data: str) -> Split:
    return DATASETS[data].load("test", download=False)


def weights_id(name: str) -> str:
    """Names these very weights: a browser tab may outlive a model's retraining."""
    return f"{name} {model(name).card.weights_sha256[:12]}"


def info(data: str) -> DatasetInfo:
    return DATASETS[data]


def beta(card: vae.ModelCard) -> float | None:
    """Return the final weight of the KL, which an autoencoder does not have; None for another objective."""
    objective = vae.objectives.read(card.recipe)
    if not isinstance(objective, vae.objectives.BetaVAE):
        return None
    return objective.final()["beta"] if FAMILIES[card.family].has_elbo else 0.0


@st.cache_resource(max_entries=40, show_spinner=False)
def model_map(name: str) -> store.ModelMap | None:
    """The map of a model; None where map.npz is missing or damaged."""
    try:
        found = store.read_map(name)
    except store.ModelUnavailable:
        return None
    return found if found.rows.max() < len(gallery(model(name).card.data)) else None


@st.cache_resource(max_entries=40, show_spinner=False)
def local_distances(name: str) -> np.ndarray:
    return latent.local_distances(features(name))


def posterior_draws(name: str) -> np.ndarray:
    """One draw from each encoded image's posterior (N, D); (0, D) without encoded data.

    Draws and not means: a dimension that carries nothing has all its means at 0, and its
    draws spread like the prior.
    """
    found = model_map(name)
    if found is None:
        return np.empty((0, model(name).latent_dim))
    noise = np.random.default_rng(0).standard_normal(found.codes.shape)
    return found.codes + found.sigmas * noise


@st.cache_data(max_entries=40, show_spinner=False)
def slider_ranges(name: str) -> np.ndarray:
    """(D, 2): where encoded data lies in each dimension, by one draw from each posterior."""
    the_model = model(name)
    draws = posterior_draws(name)
    if not len(draws):
        mu, sigma = the_model.prior.mean.numpy(), the_model.prior.stddev.numpy()
        return np.stack([mu - 3 * sigma, mu + 3 * sigma], axis=1)
    return np.quantile(draws, [0.002, 0.998], axis=0).T


@st.cache_data(max_entries=40, show_spinner=False)
def dimension_order(name: str) -> list[int]:
    return store.dimension_order(model(name), model_map(name))


@st.cache_resource(max_entries=40, show_spinner=False)
def features(name: str) -> np.ndarray:
    """The map's codes as their model compares them (N, F)."""
    return model(name).features(torch.from_numpy(model_map(name).codes)).numpy()


@st.cache_data(max_entries=20, show_spinner=False)
def attribute_directions(name: str) -> dict[str, latent.AttributeDirection]:
    """The directions of the data's attributes in a model's space; {} where it has none to show."""
    card, found = model(name).card, model_map(name)
    if found is None or model(name).discrete:
        return {}
    factors = gallery(card.data).factors
    codes = torch.from_numpy(found.codes)
    return {
        attribute: latent.attribute_direction(codes, torch.from_numpy(np.isin(factors[found.rows, k], values)))
        for attribute, (k, values) in info(card.data).attribute_values().items()
    }


@st.cache_data(max_entries=100, show_spinner=False)
def cover(name: str, n: int = 8) -> np.ndarray:
    """A picture of a model: for 2-D models the plane by prior quantiles, else draws from the
    prior (seed 0) -> (n * n, C, H, W), by rows."""
    the_model = model(name)
    if the_model.latent_dim == 2 and not the_model.num_classes:
        prior = the_model.prior
        z = latent.prior_grid(n, prior.mean, (0, 1), prior.mean, prior.stddev).flatten(0, 1)
    else:
        z = the_model.sample(n * n, generator=torch.Generator().manual_seed(0))
    y = None
    if the_model.num_classes:  # a class per row
        y = (torch.arange(n * n) // n) % the_model.num_classes
    with torch.no_grad():
        return the_model.decode(z, y).numpy()
