"""The list of lessons, with what the learner has done."""

from __future__ import annotations

import streamlit as st

from vae.lessons import Lesson, step_models

from ..shell import cached
from . import progress
from .catalogue import lessons
from .panel import begin_step, step_link

ACROSS = 3


def show() -> None:
    """Show a card for each lesson, and the buttons that apply to all of them."""
    st.markdown("**Choose a lesson.** In each step you predict, try, and then reveal what happens and why.")
    usable, problems = lessons()
    for sentence in problems:
        st.warning(sentence)
    if usable:
        minutes = sum(lesson.minutes for lesson in usable.values())
        st.caption(f"The {len(usable)} lessons build on each other. Together they take about {minutes} minutes.")
    for index, (key, lesson) in enumerate(usable.items()):
        if index % ACROSS == 0:
            columns = st.columns(ACROSS)
        with columns[index % ACROSS].container(border=True, height="stretch", key=f"lesson_card_{key}"):
            _show_card(index, key, lesson)
    with st.container(horizontal=True, key="lessons_below"):
        st.button("My report", on_click=open_view, args=("report",), key="lessons_report")
        st.button("Plans for teachers", on_click=open_view, args=("teacher",), key="lessons_plans")
        progress.show(forgets=True)
    st.caption(
        "Your predictions stay in this browser. Anyone can open a step with its link under *Questions in this lesson*."
    )


def _show_card(index: int, key: str, lesson: Lesson) -> None:
    done, steps = progress.done(key, lesson), len(lesson.steps)
    st.header(f"{index + 1}. {lesson.title}", anchor=False)
    progressed = f", {done} done" + (" ✓" if done == steps else "") if done else ""
    st.caption(f"{lesson.minutes} minutes, {steps} steps{progressed}")
    st.markdown(lesson.about)
    for number, step in enumerate(lesson.steps):
        missing = [name for name in step_models(step) if name not in cached.zoo_scan()[0]]
        if missing:
            st.caption(f"Step {number + 1} needs a model that is not installed: {', '.join(missing)}.")
    with st.container(horizontal=True, gap="small"):
        st.button("Begin", key=f"begin_{key}", type="primary", on_click=begin_step, args=(key, 0, 0))
        if 0 < done < steps:
            first = next(n for n in range(steps) if not progress.is_revealed(f"{key}.{n + 1}"))
            st.button(f"Step {first + 1}", key=f"continue_{key}", on_click=begin_step, args=(key, first, 0))
        st.button("Sheet", key=f"sheet_{key}", type="tertiary", on_click=open_view, args=("sheet", key))
        st.button("For teachers", key=f"teacher_{key}", type="tertiary", on_click=open_view, args=("teacher", key))
    with st.expander("Questions in this lesson"):
        st.markdown("\n".join(
            f"1. {_done(key, number)}[{step.predict.question}]({step_link(key, number)})"
            for number, step in enumerate(lesson.steps)
        ))  # fmt: skip


def _done(key: str, number: int) -> str:
    return "✓ " if progress.is_revealed(f"{key}.{number + 1}") else ""


def open_view(view: str, of: str = "") -> None:
    """Show another view of the page: "list", "report", "sheet" or "teacher". of: the key of its lesson."""
    st.session_state.lessons_view, st.session_state.lessons_of = view, of
