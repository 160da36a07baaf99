"""The panel of a lesson's step, shown above the step's page."""

from __future__ import annotations

import urllib.parse

import streamlit as st

from ..shell import cached, link, navigation, state
from .catalogue import LESSONS, Step, fill_figures, parse_step


def read_link() -> None:
    """Set the step that the link's "lesson" names. Warns if it does not exist."""
    step = link.pop_page_parameter("lesson")
    if step and parse_step(step) is None:
        state.add_warning("The link's lesson does not exist; all there are stand on Lessons.")
        step = ""
    if step is not None:
        _set_step(step)


def current() -> str:
    """Return the current step, such as "kl.2"; "" for none."""
    return st.session_state.get("lesson", "")


def _set_step(step: str) -> None:
    st.session_state.lesson = step


def lesson_panel(page: str) -> None:
    """Show the step's instruction, its question and, after an answer, the explanation. page: the shown page."""
    if not current():
        return
    link.set_page_parameter("lesson", current())
    key, number = parse_step(current())
    lesson, step = LESSONS[key], LESSONS[key].steps[number]
    _apply_settings(step)
    with st.container(border=True, key="lesson"):
        left, right = st.columns(2, gap="large")
        left.markdown(f"**{lesson.title}** · step {number + 1} of {len(lesson.steps)}")
        left.markdown(step.instruction)
        if page != step.page:
            left.button(
                f"This step is on {step.page.capitalize()}: go there",
                key="lesson_there",
                on_click=begin_step,
                args=(key, number),
            )
        answer = right.radio(
            step.question, step.answers, index=None, key=f"lesson_{key}_{number}", persist_state="session"
        )
        if answer is not None:
            _reveal(step, step.answers.index(answer), right)
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


def _reveal(step: Step, given: int, where) -> None:
    try:
        text = fill_figures(step.reveal, cached.zoo_scan()[0])
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):  # the card is missing or malformed
        where.warning("A model that this step speaks of is unavailable, or its card lacks a figure.")
        return
    if given == step.correct:
        where.success(f"**Yes.** {text}")
    else:
        where.info(f"**{step.answers[step.correct]}.** {text}")


def step_link(key: str, number: int) -> str:
    """Return the relative URL of a step: "sliders?model=...&lesson=kl.2"."""
    step = LESSONS[key].steps[number]
    return f"{step.page}?{urllib.parse.urlencode({**step.link, 'lesson': f'{key}.{number + 1}'}, safe=',')}"


def begin_step(key: str, number: int) -> None:
    """Begin a step: set its page, its model and its point."""
    step = LESSONS[key].steps[number]
    st.session_state.pop("lesson_settings_applied", None)
    link.apply(step.link)
    _set_step(f"{key}.{number + 1}")
    navigation.open_page(step.page)


def _end() -> None:
    _set_step("")
    navigation.open_page("lessons")


def _apply_settings(step: Step) -> None:
    """Set the widgets of a step's page once, when the step begins. The learner may then change them."""
    if st.session_state.get("lesson_settings_applied") != current():
        st.session_state.lesson_settings_applied = current()
        for key, value in step.settings.items():
            st.session_state[key] = value
