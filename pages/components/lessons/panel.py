"""The panel of a lesson's step, shown above the step's page."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Literal

import streamlit as st

from vae.lessons import MAX_SHUFFLE, Lesson, Step, fill_figures, step_models

from ..bridge.component import widget
from ..shell import cached, link, navigation, parts, state
from ..shell.parse import parse_int_text
from . import progress
from .catalogue import lessons, parse_lesson, parse_step
from .text import to_html

_fold = widget("fold")
_look_at = widget("look_at")
LIST = "lessons"  # the page that exchanges progress itself
REVEALED = "yes"  # what a link says of an answer whose result the learner has seen


def read_link() -> None:
    """Set the step that the link's "lesson" names, the order of its answers, the answer that was given, and the
    settings of its page. The answer is shown; the browser keeps only what the learner chooses and reveals himself.

    Warns about a step, an order or an answer that does not exist, and begins the lesson, if that exists.
    """
    step, shuffle, answer, revealed = map(link.pop_page_parameter, link.TAB_PARAMETERS)
    if not step:
        if step is not None:
            _set_step("")
        return
    lesson = parse_lesson(step)
    if lesson is None:
        _set_step("")
        state.add_warning("The lesson in this link does not exist. The page Lessons lists them all.")
        return
    found, seed = parse_step(step), parse_int_text(shuffle or "0", 0, MAX_SHUFFLE)
    index = parse_int_text(answer, 1, len(_step(*found).predict.answers)) if found and answer else 0
    wrong = "step" if found is None else "order of answers" if seed is None else "answer" if index is None else ""
    if found is None or seed is None or index is None:
        state.add_warning(f"The {wrong} in this link does not exist in *{lesson.title}*. The lesson starts at step 1.")
        found, seed, index = (step.strip().lower().partition(".")[0], 0), 0, 0
    st.session_state.lesson_shuffle = seed
    link.add_page_parameters(_step(*found).try_.settings_link())
    _set_step(_name(*found))
    if index:
        progress.set_linked(_name(*found), lesson.answers(found[1], seed)[index - 1], revealed == REVEALED)


def _name(key: str, number: int) -> str:
    """Return the name of a step, counted from 0, as links write it: "terms.2"."""
    return f"{key}.{number + 1}"


def current() -> str:
    """Return the current step, such as "terms.2"; "" for none."""
    return st.session_state.get("lesson", "")


def shuffle() -> int:
    """Return the seed of the order of answers, which links carry."""
    return st.session_state.get("lesson_shuffle", 0)


def _set_step(step: str) -> None:
    st.session_state.lesson = step
    progress.forget_linked()


def _step(key: str, number: int) -> Step:
    return lessons()[0][key].steps[number]


def lesson_panel(page: str) -> None:
    """Show the step's question, what to try and, after Reveal, the result. page: the shown page.

    On a phone style.css makes the panel a sheet at the bottom of the screen, which folds to its last row.
    """
    found = parse_step(current()) if current() else None
    if found is None:  # no step, or one whose file is gone
        return
    link.set_page_parameter("lesson", current())
    link.set_page_parameter("shuffle", str(shuffle()))
    st.html(Path(__file__).with_name("style.css"))
    with st.container(border=True, key="lesson"):
        with st.container(key="lesson_body"):
            revealed = _show_step(*found, page)
        _show_buttons(*found, page, revealed)


def _show_step(key: str, number: int, page: str) -> bool:
    """Show the step's texts and its question. Returns whether the result is shown."""
    lesson, step = lessons()[0][key], _step(key, number)
    instruction, question, explanation = st.columns(3, gap="medium")
    with instruction:
        place = f'<span class="lesson-place"> · step {number + 1} of {len(lesson.steps)}</span>'
        title = f"<strong>{to_html(lesson.title)}</strong>{place}"
        st.html(f"<p>{title}</p><p>{to_html(step.try_.text)}</p>{_missing(step)}")
        if page != step.try_.page:
            label = f"Go to {step.try_.page.capitalize()} for this step"
            st.button(label, key="lesson_there", on_click=begin_step, args=(key, number))
    answer, revealed = progress.shown(current())
    with question:
        if not revealed:
            _ask(lesson, key, number, answer)
        elif answer is not None:
            st.html(_prediction_and_result(step, answer))
    if answer is not None:
        position = lesson.answers(number, shuffle()).index(answer) + 1
        link.set_page_parameter("answer", str(position))
        if revealed:
            link.set_page_parameter("revealed", REVEALED)
    with explanation:
        st.html(f'<div role="status">{_explanation(step) if revealed else WAITING}</div>')
    return revealed


WAITING = '<p class="lesson-source lesson-waiting">Choose an answer, then press Reveal.</p>'


def _ask(lesson: Lesson, key: str, number: int, answer: str | None) -> None:
    """Ask for a prediction, which can be changed until it is revealed. answer: the current one."""
    step, widget_key = current(), f"lesson_question_{key}_{number}"
    if st.session_state.get(widget_key) != answer:  # it comes from the browser or from a link
        st.session_state[widget_key] = answer
    st.radio(
        _step(key, number).predict.question, lesson.answers(number, shuffle()), index=None, key=widget_key,
        on_change=lambda: progress.put(step, st.session_state[widget_key], False),
    )  # fmt: skip
    st.button(
        "Reveal", key="lesson_reveal", type="primary", disabled=answer is None, on_click=progress.put,
        args=(step, answer, True),
    )  # fmt: skip


def _missing(step: Step) -> str:
    """Return the HTML that names the models that a step needs and that are not installed."""
    names = [name for name in step_models(step) if name not in cached.zoo_scan()[0]]
    if not names:
        return ""
    which = f"the model {names[0]}, which is" if len(names) == 1 else f"the models {', '.join(names)}, which are"
    return f'<p class="lesson-missing">{to_html(f"This step needs {which} not installed.")}</p>'


def _prediction_and_result(step: Step, answer: str) -> str:
    """Return the HTML of a question with the prediction beside the result."""
    right = answer == step.predict.correct
    return (
        f'<p class="lesson-question">{to_html(step.predict.question)}</p><dl class="lesson-result">'
        f"<dt>Your prediction {'✓' if right else '✗'}</dt><dd>{to_html(answer)}</dd>"
        f"<dt>Result</dt><dd>{to_html(step.predict.correct)}</dd></dl>"
    )


def _explanation(step: Step) -> str:
    """Return the HTML of what the step reveals, and why."""
    cards = cached.zoo_scan()[0]
    try:
        texts = [fill_figures(text, cards) for text in (step.reveal, step.why) if text]
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):  # the card is missing or malformed
        return '<p class="lesson-answer">A figure that this step needs is not available.</p>'
    shown = "".join(f"<p>{to_html(text)}</p>" for text in texts)
    source = f'<p class="lesson-source">{to_html(step.source)}</p>' if step.source else ""
    return f'<div class="lesson-answer">{shown}</div>{source}'


def _show_buttons(key: str, number: int, page: str, revealed: bool) -> None:
    """Show the row of buttons. It stands after the question, which it follows in the order of Tab."""
    steps, target = len(lessons()[0][key].steps), _step(key, number).try_
    kind: Literal["primary", "secondary"] = "primary" if revealed else "secondary"
    with st.container(horizontal=True, key="lesson_buttons", vertical_alignment="center"):
        st.button("Back", key="lesson_back", on_click=begin_step, args=(key, number - 1), disabled=number == 0)
        if number + 1 < steps:
            st.button("Next", key="lesson_next", type=kind, on_click=begin_step, args=(key, number + 1))
        else:
            st.button("Summary", key="lesson_end", type=kind, on_click=_end, args=(key,))
        _fold(key="lesson_fold", data={
            "name": "lesson", "content": current(), "summary": f"{number + 1} of {steps}",
            "answered": ".st-key-lesson .lesson-answer" if revealed else "",
        })  # fmt: skip
        st.button(
            "Reset step", key="lesson_again", type="tertiary", on_click=begin_step, args=(key, number),
            help="restores the step's model, latent code and settings",
        )  # fmt: skip
        st.button("Leave lesson", key="lesson_leave", type="tertiary", on_click=_set_step, args=("",))
        if page != LIST:
            progress.show()
        place = parts.place(page, target.look_at) if page == target.page else ""
        _look_at(key="lesson_look_at", data={"step": current(), "revealed": revealed, "place": place})


def step_link(key: str, number: int) -> str:
    """Return the relative URL of a step: "sliders?model=...&lesson=terms.2&shuffle=0"."""
    target = _step(key, number).try_
    query = {**target.link(), "lesson": _name(key, number), "shuffle": "0"}
    return f"{target.page}?{urllib.parse.urlencode(query, safe=',')}"


def begin_step(key: str, number: int, seed: int | None = None) -> None:
    """Begin a step: set its page, model, latent code and settings. The learner may then change them.

    seed: of the order of answers; the current one if it is None.
    """
    target = _step(key, number).try_
    st.session_state.lesson_shuffle = shuffle() if seed is None else seed
    link.apply(target.link())
    _set_step(_name(key, number))
    navigation.open_page(target.page)


def _end(key: str) -> None:
    _set_step("")
    st.session_state.lessons_view, st.session_state.lessons_of = "report", key
    navigation.open_page(LIST)
