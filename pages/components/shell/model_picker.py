"""The row on top of every page: which model is looked at, and what it is."""

from __future__ import annotations

import streamlit as st

from vae import objectives
from vae.evaluation import report

from . import cached, state
from .navigation import ensure_entry_point


def model_picker() -> None:
    """Choose the model; says what it is and what its figures are."""
    ensure_entry_point()
    cards, problems = cached.zoo_scan()
    names = list(cards)
    current = st.session_state.model
    # the link or another page may have chosen: the widget follows the state
    st.session_state["model_picker"] = current
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    row = left.container(horizontal=True, vertical_alignment="bottom")
    row.selectbox(
        "Model",
        names,
        key="model_picker",
        format_func=lambda name: cards[name].title,
        on_change=lambda: state.set_model(st.session_state["model_picker"]),
    )
    card = state.card()
    with right.container(gap=None):
        st.caption(card.description)
        st.container(key="model_figures").caption(report.summary(card))
    with row.popover("About", help="this model: its figures, recipe and licence"):
        about(card)
    if problems:
        with row.popover(f"{len(problems)} unavailable"):
            for name, reason in problems.items():
                st.write(f"**{name}**: {reason}.")


def choose_one(names: list[str]) -> None:
    """A button to the first of the models that the page can serve, where the current one is none."""
    st.button("Choose one", type="primary", on_click=state.set_model, args=tuple(names[:1]), disabled=not names)


def about(card) -> None:
    """The model's card: figures with their baselines, how they were measured, the recipe."""
    st.markdown(report.figures_table(card))
    chosen = report.selection_sentence(card.selection)
    for text in (
        card.note,
        f"Settings and seed: {chosen}." if chosen else "",
        f"Published: {card.published}" if card.published else "",
    ):
        if text:
            st.markdown(text)
    st.caption(f"**How it was measured.** {report.protocols(card)}.")
    objective = objectives.read(card.recipe)
    of_objective = ("objective", *objectives.FLAT_FIELDS)
    trained = [
        f"{k} {v}"
        for k, v in card.recipe.items()
        if k not in of_objective and (k == "seed" or v not in (0, "no", "", False))
    ]
    trained.append(f"objective {objective.described()}")
    st.caption("**Trained with** " + ", ".join(trained) + ".")
    st.caption(f"`{card.name}` · {card.licence}")


def class_picker() -> None:
    """The class of a conditional model, z held."""
    model = state.model()
    if not model.num_classes:
        return
    classes = cached.info(model.card.data).classes
    st.session_state["class_picker"] = st.session_state.y
    st.segmented_control(
        f"Class, one of {model.num_classes} (the picture changes, z stays)",
        range(model.num_classes),
        key="class_picker",
        required=True,
        format_func=lambda label: classes[label],
        on_change=lambda: state.set_y(st.session_state["class_picker"]),
    )
