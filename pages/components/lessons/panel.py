"""A step of a lesson, above the page on which it is taken."""

from __future__ import annotations

import urllib.parse

import streamlit as st

from ..shell import cached, link, navigation, state
from .catalogue import LESSONS, Step, parse, told


def read_link() -> None:
    """Begin the step that the link names, if it names one; complain of one that does not exist."""
    step = link.pop_page_parameter("lesson")
    if step and parse(step) is None:
        state.add_warning("The link's lesson does not exist; all there are stand on Lessons.")
        step = ""
    if step is not None:
        _set(step)


def current() -> str:
    """Return the step that is being taken, as its link names it; "" for none."""
    return st.session_state.get("lesson", "")


def _set(step: str) -> None:
    st.session_state.lesson = step


def lesson_panel(page: str) -> None:
    """Show what to try, a question and, once it is answered, the explanation. page: the address of the one shown."""
    if not current():
        return
    link.set_page_parameter("lesson", current())
    key, number = parse(current())
    lesson, step = LESSONS[key], LESSONS[key].steps[number]
    _settle(step)
    with st.container(border=True, key="lesson"):
        left, right = st.columns(2, gap="large")
        left.markdown(f"**{lesson.title}** · step {number + 1} of {len(lesson.steps)}")
        left.markdown(step.do)
        if page != step.page:
            left.button(
                f"This step is on {step.page.capitalize()}: go there",
                key="lesson_there",
                on_click=take,
                args=(key, number),
            )
        answer = right.radio(
            step.question, step.answers, index=None, key=f"lesson_{key}_{number}", persist_state="session"
        )
        if answer is not None:
            _reveal(step, step.answers.index(answer), right)
        row = st.container(horizontal=True)  # after the question, on a phone and for the Tab key too
        row.button("Back", key="lesson_back", on_click=take, args=(key, number - 1), disabled=number == 0)
        if number + 1 < len(lesson.steps):
            row.button(
                "Next",
                key="lesson_next",
                type="secondary" if answer is None else "primary",
                on_click=take,
                args=(key, number + 1),
            )
        else:
            row.button(
                "All lessons", key="lesson_end", type="secondary" if answer is None else "primary", on_click=_end
            )
        row.button(
            "Set up again", key="lesson_again", type="tertiary", on_click=take, args=(key, number),
            help="model, point and settings as this step began",
        )  # fmt: skip
        row.button("Leave", key="lesson_leave", type="tertiary", on_click=_set, args=("",))


def _reveal(step: Step, given: int, where) -> None:
    try:
        text = told(step.reveal, cached.zoo_scan()[0])
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):  # a card is missing, or not as it should be
        where.warning("A model that this step speaks of is unavailable, or its card lacks a figure.")
        return
    if given == step.right:
        where.success(f"**Yes.** {text}")
    else:
        where.info(f"**{step.answers[step.right]}.** {text}")


def link_of(key: str, number: int) -> str:
    """The address of a step, beside this page's own: "sliders?model=...&lesson=kl.2"."""
    step = LESSONS[key].steps[number]
    return f"{step.page}?{urllib.parse.urlencode({**step.link, 'lesson': f'{key}.{number + 1}'}, safe=',')}"


def take(key: str, number: int) -> None:
    """Take a step: its page, its model, its point."""
    step = LESSONS[key].steps[number]
    st.session_state.pop("lesson_settled", None)
    link.apply(step.link)
    _set(f"{key}.{number + 1}")
    navigation.open_page(step.page)


def _end() -> None:
    _set("")
    navigation.open_page("lessons")


def _settle(step: Step) -> None:
    """The settings of a step's page, once: afterwards they are the learner's."""
    if st.session_state.get("lesson_settled") != current():
        st.session_state.lesson_settled = current()
        for key, value in step.settings.items():
            st.session_state[key] = value
