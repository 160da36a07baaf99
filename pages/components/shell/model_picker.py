"""The row at the top of every page: the model, its description and figures."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from vae import ModelCard

from . import cached, link, own, state, visitors
from .glossary import explain
from .navigation import ensure_entry_point
from .own_panel import show_opening, show_own


def model_picker(serves: Callable[[ModelCard], bool] | None = None, instead: str = "", needs: str = "") -> None:
    """Show the model selector, the current model's description, and the tools that app.py adds.

    serves: whether the page can use a model; None for all. If it cannot use the current one, a stand-in becomes the
    current model until the visitor leaves the page: the model named instead if the page can use it, else one of the
    same data. needs: what the page needs, for the sentence that says so, such as "a continuous code". The page ends
    here if it can use no model.
    """
    ensure_entry_point()
    cards, problems = cached.zoo_scan()
    yours = own.names()
    first = [name for name in cards if name in yours] + [name for name in cards if name not in yours]
    usable = {name: cards[name] for name in first if serves is None or serves(cards[name])}
    if not usable:
        st.info(f"This page needs {needs or 'another kind of model'}. No installed model has that.")
        link.end_page()
    if state.own_model() in usable:
        state.restore_own_model()
    elif st.session_state.model not in usable:
        state.set_stand_in(_stand_in(usable, instead))
    # The link or another page may have set the model, so the widget takes its value from the state.
    st.session_state["model_picker"] = st.session_state.model
    left, right = st.columns([3, 2], vertical_alignment="center")
    row = left.container(horizontal=True, wrap=False, gap="small", key="model_row")
    row.selectbox(
        "Model",
        usable,
        key="model_picker",
        label_visibility="collapsed",
        format_func=lambda name: f"Yours: {cards[name].title}" if name in yours else menu_text(cards[name]),
        on_change=lambda: state.set_model(st.session_state["model_picker"]),
    )
    card = state.card()
    with right.container(gap=None):
        if state.own_model() != card.name:
            st.caption(_stand_in_sentence(needs))
        else:
            st.container(key="model_about").caption(_about(card))
    about = row.popover(
        "About", key="about", on_change="rerun", help="Figures, recipe and licence of this model. Open a model file."
    )
    if about.open:
        with about:
            if card.name in yours:
                show_own(card)
            show_details(card)
            for name, reason in problems.items():
                st.info(f"**{name}** is unavailable: {reason}.")
            show_opening("about_open")
    with row:
        link.show_tools.get()(True)


def menu_text(card: ModelCard) -> str:
    """Return a model's entry in the menu, which the menu's search looks through: its title, what the title leaves out
    of the data set's, and its name."""
    seen = {"and", *re.findall(r"\w+", card.title.lower())}
    data = " ".join(word for word in re.findall(r"[\w-]+", cached.info(card.data).title) if word.lower() not in seen)
    return " · ".join(part for part in (card.title, data, card.name) if part)


def _about(card: ModelCard) -> str:
    """Return the sentences beside the picker."""
    ends = card.name in visitors.models()
    return explain(card.description) + (" Only in your session: **About** has the download." if ends else "")


def _stand_in(usable: dict[str, ModelCard], instead: str) -> str:
    """Return which of the models that a page can use stands in for the current one."""
    if instead in usable:
        return instead
    same_data = (name for name, card in usable.items() if card.data == state.card().data)
    return next(same_data, link.DEFAULT_MODEL if link.DEFAULT_MODEL in usable else next(iter(usable)))


def _stand_in_sentence(needs: str) -> str:
    own, shown = cached.card(state.own_model()).title, state.card().title
    why = f"This page needs {needs}. " if needs else ""
    return f"{why}**{shown}** replaces **{own}** until you leave."


def show_details(card) -> None:
    """Show a model's card: figures with their baselines, how they were measured, the recipe."""
    st.markdown(explain(card.description))
    # here, because it imports torch, and the details are rarely opened
    from vae.evaluation import report

    st.markdown(report.figures_table(card))
    selection = report.selection_sentence(card.selection)
    for text in (
        card.note,
        f"Settings and seed: {selection}." if selection else "",
        f"Published: {card.published}" if card.published else "",
    ):
        if text:
            st.markdown(text)
    st.caption(f"**How it was measured**\n\n{report.protocols(card)}")
    st.caption(f"**How it was trained.** {report.training(card)}.")
    st.caption(f"`{card.name}` · {card.licence}")


def class_picker() -> None:
    """Show a class selector for conditional models. z stays the same."""
    model = state.traits()
    if not model.num_classes:
        return
    classes = state.info().classes
    st.session_state["class_picker"] = st.session_state.y
    st.segmented_control(
        f"Class, one of {model.num_classes} (the image changes, z does not)",
        range(model.num_classes),
        key="class_picker",
        required=True,
        format_func=lambda label: classes[label],
        on_change=lambda: state.set_y(st.session_state["class_picker"]),
    )
