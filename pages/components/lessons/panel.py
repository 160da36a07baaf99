"""The panel of a lesson's step, shown above the step's page."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Literal

import streamlit as st

from vae.lessons import Lesson, Step, fill_figures

from ..bridge.component import widget
from ..shell import cached, link, navigation, state
from ..shell.parse import parse_int_text
from .catalogue import lessons, parse_lesson, parse_step
from .text import to_html

_fold = widget("fold")


def read_link() -> None:
    """Set the step that the link's "lesson" names, the answer that was given, and the settings of its page.

    Warns if the step does not exist, and begins its lesson, if that exists.
    """
    step, answer = link.pop_page_parameter("lesson"), link.pop_page_parameter("answer")
    if step and answer and (found := parse_step(step)):
        _answer(*found, answer)
    if step and parse_step(step) is None:
        lesson = parse_lesson(step)
        step = f"{step.strip().lower().partition('.')[0]}.1" if lesson else ""
        state.add_warning(_missing_step(lesson))
    if step and (found := parse_step(step)):
        link.add_page_parameters(_step(*found).try_.settings_link())
    if step is not None:
        _set_step(step)


def _answer(key: str, number: int, text: str) -> None:
    """Give the answer that a link has, as after a reload: "2" is a step's second answer."""
    answers = _step(key, number).predict.answers
    index = parse_int_text(text, 1, len(answers))
    if index is not None:
        st.session_state[_question_key(key, number)] = answers[index - 1]


def _question_key(key: str, number: int) -> str:
    return f"lesson_{key}_{number}"


def _missing_step(lesson: Lesson | None) -> str:
    if lesson is None:
        return "The lesson in this link does not exist. The page Lessons lists them all."
    steps = len(lesson.steps)
    return f"The lesson *{lesson.title}* has {steps} steps, and not the one in this link. You see the first."


def current() -> str:
    """Return the current step, such as "kl.2"; "" for none."""
    return st.session_state.get("lesson", "")


def _set_step(step: str) -> None:
    st.session_state.lesson = step


def _step(key: str, number: int) -> Step:
    return lessons()[0][key].steps[number]


def lesson_panel(page: str) -> None:
    """Show the step's instruction, its question and, after an answer, the explanation. page: the shown page.

    On a phone style.css makes the panel a sheet at the bottom of the screen, which folds to its last row.
    """
    found = parse_step(current()) if current() else None
    if found is None:  # no step, or one whose file is gone
        return
    link.set_page_parameter("lesson", current())
    st.html(Path(__file__).with_name("style.css"))
    with st.container(border=True, key="lesson"):
        with st.container(key="lesson_body"):
            answer = _show_step(*found, page)
        _show_buttons(*found, answer)


def _show_step(key: str, number: int, page: str) -> str | None:
    """Show the step's texts and its question. Returns the answer, if it has been given."""
    lesson, step = lessons()[0][key], _step(key, number)
    instruction, question, explanation = st.columns(3, gap="medium")
    with instruction:
        title = f"**{lesson.title}** · step {number + 1} of {len(lesson.steps)}"
        st.html(f"<p>{to_html(title)}</p><p>{to_html(step.try_.text)}</p>")
        if page != step.try_.page:
            label = f"Go to {step.try_.page.capitalize()} for this step"
            st.button(label, key="lesson_there", on_click=begin_step, args=(key, number))
    answer = question.radio(
        step.predict.question, step.predict.answers, index=None, key=_question_key(key, number),
        persist_state="session",
    )  # fmt: skip
    if answer is not None:
        link.set_page_parameter("answer", str(step.predict.answers.index(answer) + 1))
    with explanation:
        st.html(f'<div role="status">{_explanation(step, answer)}</div>')
    return answer


def _explanation(step: Step, answer: str | None) -> str:
    """Return the HTML of what an answer reveals."""
    if answer is None:
        return '<p class="lesson-source">Choose an answer to see the explanation.</p>'
    try:
        text = fill_figures(step.explanation, cached.zoo_scan()[0])
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):  # the card is missing or malformed
        sentence = "This step needs a model that is not available, or a figure that its card lacks."
        return f'<p class="lesson-answer">{sentence}</p>'
    right = answer == step.predict.correct
    verdict = "**Yes.**" if right else f"**Answer: {step.predict.correct}.**"
    source = f'<p class="lesson-source">{to_html(step.source)}</p>' if step.source else ""
    return f'<p class="lesson-answer{" right" if right else ""}">{to_html(f"{verdict} {text}")}</p>{source}'


def _show_buttons(key: str, number: int, answer: str | None) -> None:
    """Show the row of buttons. It stands after the question, which it follows in the order of Tab."""
    steps = len(lessons()[0][key].steps)
    kind: Literal["primary", "secondary"] = "secondary" if answer is None else "primary"
    with st.container(horizontal=True, key="lesson_buttons", vertical_alignment="center"):
        st.button("Back", key="lesson_back", on_click=begin_step, args=(key, number - 1), disabled=number == 0)
        if number + 1 < steps:
            st.button("Next", key="lesson_next", type=kind, on_click=begin_step, args=(key, number + 1))
        else:
            st.button("All lessons", key="lesson_end", type=kind, on_click=_end)
        _fold(key="lesson_fold", data={
            "name": "lesson", "content": current(), "summary": f"{number + 1} of {steps}",
            "answered": "" if answer is None else ".st-key-lesson .lesson-answer",
        })  # fmt: skip
        st.button(
            "Reset step", key="lesson_again", type="tertiary", on_click=begin_step, args=(key, number),
            help="restores the step's model, latent code and settings",
        )  # fmt: skip
        st.button("Leave lesson", key="lesson_leave", type="tertiary", on_click=_set_step, args=("",))


def step_link(key: str, number: int) -> str:
    """Return the relative URL of a step: "sliders?model=...&lesson=kl.2"."""
    target = _step(key, number).try_
    return f"{target.page}?{urllib.parse.urlencode({**target.link(), 'lesson': f'{key}.{number + 1}'}, safe=',')}"


def begin_step(key: str, number: int) -> None:
    """Begin a step: set its page, model, latent code and settings. The learner may then change them."""
    target = _step(key, number).try_
    link.apply(target.link())
    _set_step(f"{key}.{number + 1}")
    navigation.open_page(target.page)


def _end() -> None:
    _set_step("")
    navigation.open_page("lessons")
