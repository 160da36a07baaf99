"""The panel of a lesson's step, shown above the step's page."""

from __future__ import annotations

import urllib.parse

import streamlit as st

from vae.lessons import Step, fill_figures

from ..shell import cached, link, navigation, state
from .catalogue import lessons, parse_step


def read_link() -> None:
    """Set the step that the link's "lesson" names, and the settings of its page. Warns if it does not exist."""
    step = link.pop_page_parameter("lesson")
    found = parse_step(step) if step else None
    if found:
        link.add_page_parameters(_step(*found).try_.settings_link())
    elif step:
        state.add_warning("The link's lesson does not exist; all there are stand on Lessons.")
        step = ""
    if step is not None:
        _set_step(step)


def current() -> str:
    """Return the current step, such as "kl.2"; "" for none."""
    return st.session_state.get("lesson", "")


def _set_step(step: str) -> None:
    st.session_state.lesson = step


def _step(key: str, number: int) -> Step:
    return lessons()[0][key].steps[number]


def lesson_panel(page: str) -> None:
    """Show the step's instruction, its question and, after an answer, the explanation. page: the shown page."""
    found = parse_step(current()) if current() else None
    if found is None:  # no step, or one whose file is gone
        return
    link.set_page_parameter("lesson", current())
    key, number = found
    lesson, step = lessons()[0][key], _step(key, number)
    with st.container(border=True, key="lesson"):
        left, right = st.columns(2, gap="large")
        left.markdown(f"**{lesson.title}** · step {number + 1} of {len(lesson.steps)}")
        left.markdown(step.try_.text)
        if page != step.try_.page:
            left.button(
                f"This step is on {step.try_.page.capitalize()}: go there",
                key="lesson_there",
                on_click=begin_step,
                args=(key, number),
            )
        answer = right.radio(
            step.predict.question, step.predict.answers, index=None, key=f"lesson_{key}_{number}",
            persist_state="session",
        )  # fmt: skip
        if answer is not None:
            _reveal(step, answer, right)
        row = st.container(horizontal=True)  # after the columns: it follows the question on a phone and in Tab order
        row.button("Back", key="lesson_back", on_click=begin_step, args=(key, number - 1), disabled=number == 0)
        if number + 1 < len(lesson.steps):
            row.button(
                "Next",
                key="lesson_next",
                type="secondary" if answer is None else "primary",
                on_click=begin_step,
                args=(key, number + 1),
            )
        else:
            row.button(
                "All lessons", key="lesson_end", type="secondary" if answer is None else "primary", on_click=_end
            )
        row.button(
            "Set up again", key="lesson_again", type="tertiary", on_click=begin_step, args=(key, number),
            help="model, point and settings as this step began",
        )  # fmt: skip
        row.button("Leave", key="lesson_leave", type="tertiary", on_click=_set_step, args=("",))


def _reveal(step: Step, answer: str, where) -> None:
    try:
        text = fill_figures(step.explanation, cached.zoo_scan()[0])
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):  # the card is missing or malformed
        where.warning("A model that this step speaks of is unavailable, or its card lacks a figure.")
        return
    if answer == step.predict.correct:
        where.success(f"**Yes.** {text}")
    else:
        where.info(f"**{step.predict.correct}.** {text}")
    if step.source:
        where.caption(step.source)


def step_link(key: str, number: int) -> str:
    """Return the relative URL of a step: "sliders?model=...&lesson=kl.2"."""
    target = _step(key, number).try_
    return f"{target.page}?{urllib.parse.urlencode({**target.link(), 'lesson': f'{key}.{number + 1}'}, safe=',')}"


def begin_step(key: str, number: int) -> None:
    """Begin a step: set its page, its model, its point and the page's settings. The learner may then change them."""
    target = _step(key, number).try_
    link.apply(target.link())
    _set_step(f"{key}.{number + 1}")
    navigation.open_page(target.page)


def _end() -> None:
    _set_step("")
    navigation.open_page("lessons")
