"""All models, behind filters and a search."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from vae import ModelCard

from ..shell import cached, navigation, own, state
from ..shell.glossary import explain
from ..shell.own_panel import show_opening

ACROSS = 4
FAMILIES = {  # names of card.family; a family that is not listed goes by its key
    "vae": "VAE and beta-VAE", "cvae": "Conditional VAE", "ae": "Autoencoder", "dvae": "Denoising VAE", "iaf": "IAF",
    "ladder": "Ladder VAE", "m2": "Semi-supervised M2", "vaegan": "VAE-GAN", "vamp": "VampPrior", "vqvae": "VQ-VAE",
}  # fmt: skip
SHOWS: dict[str, Callable[[ModelCard], bool]] = {
    "A latent space of two dimensions": lambda card: card.latent_dim == 2,
    "Disentanglement": lambda card: cached.info(card.data).factors is not None,
    "Class-conditional samples": lambda card: cached.traits(card.name).conditional,
    "Attribute directions": lambda card: bool(cached.info(card.data).attributes),
    "Discrete codes": lambda card: cached.traits(card.name).discrete,
    "Several levels of latent codes": lambda card: bool(cached.traits(card.name).levels),
    "No prior": lambda card: not cached.traits(card.name).has_elbo,
    # grey pixels under a Bernoulli likelihood have a floor above 0, and their score bounds no log-probability
    "A bound on log p(x)": lambda card: "negative_elbo" in card.figures and not card.figures.get("recon_floor"),
}


def show_catalogue() -> None:
    """Show the filters and, once one is set, the models that match."""
    cards, problems = cached.zoo_scan()
    st.header(f"All {len(cards)} models", anchor="models")
    if mine := own.names():
        st.markdown("**Your models**")
        _cards([cards[name] for name in mine], "explore_own")
    filters = _filters(cards)
    found = [card for card in cards.values() if all(keep(card) for keep in filters)]
    if not filters:
        st.caption("Choose a data set, a family or what a model shows, or search for a word.")
    elif not found:
        st.info("No model matches. Remove a filter.")
    else:
        _cards(found, "explore")
    with st.popover("Open a model file"):
        show_opening("home_open")
    for name, reason in problems.items():
        st.info(f"**{name}** is unavailable: {reason}.")


def _filters(cards: dict[str, ModelCard]) -> list[Callable[[ModelCard], bool]]:
    """Show the filters and return those that are set."""
    titles = {card.data: cached.info(card.data).title for card in cards.values()}
    families = {card.family: FAMILIES.get(card.family, card.family) for card in cards.values()}
    shows = [label for label, keep in SHOWS.items() if any(map(keep, cards.values()))]
    data = st.pills("Data", titles, format_func=titles.get, key="home_data")
    left, middle, right = st.columns(3)
    family = left.selectbox(
        "Family", families, index=None, format_func=families.get, placeholder="all families", key="home_family"
    )
    shown = middle.selectbox("What it shows", shows, index=None, placeholder="anything", key="home_shows")
    search = right.text_input("Search", placeholder="a word in the title or description", key="home_search")
    words = search.lower().split()
    filters: list[Callable[[ModelCard], bool]] = []
    if data:
        filters.append(lambda card: card.data == data)
    if family:
        filters.append(lambda card: card.family == family)
    if shown:
        filters.append(SHOWS[shown])
    if words:
        filters.append(lambda card: all(word in _text(card) for word in words))
    return filters


def _text(card: ModelCard) -> str:
    """Return what a search looks through."""
    family = FAMILIES.get(card.family, card.family)
    return " ".join((card.name, card.title, card.description, family, cached.info(card.data).title)).lower()


def _cards(found: list[ModelCard], key: str) -> None:
    for first in range(0, len(found), ACROSS):
        columns = st.container(key=f"home_{key}_{first}").columns(ACROSS)
        for column, card in zip(columns, found[first : first + ACROSS], strict=False):
            with column.container(border=True, height="stretch"):
                _card(card, key)


def _card(card: ModelCard, key: str) -> None:
    shown = "a grid of decoded codes" if card.latent_dim == 2 else "samples"
    st.image(cached.cover(card.name), width="stretch", alt=f"{card.title}: {shown}")
    st.markdown(f"**{card.title}**  \n{explain(card.description)}")
    st.button(
        "Explore", key=f"{key}_{card.name}", on_click=_explore, args=(card.name,), width="stretch",
        type="primary" if card.name == st.session_state.model else "secondary",
    )  # fmt: skip


def _explore(name: str) -> None:
    state.set_model(name)
    navigation.open_page("sliders")
