"""Lessons: guided steps on the app's pages, each with a question."""

import streamlit as st

from pages.components.lessons.catalogue import lessons
from pages.components.lessons.panel import begin_step, step_link
from pages.components.shell import cached
from pages.components.shell.navigation import ensure_entry_point
from pages.components.shell.title import show_title
from vae.lessons import required_models

PLACE = 10  # order in the navigation
GROUP = "Learn"

ensure_entry_point()
show_title("Lessons")
st.markdown(
    "**Choose a lesson.** Each step gives you something to try and a question. You see the explanation after you have "
    "answered."
)

ACROSS = 3
cards = cached.zoo_scan()[0]
usable_lessons, problems = lessons()
for sentence in problems:
    st.warning(sentence)
minutes = sum(lesson.minutes for lesson in usable_lessons.values())
if usable_lessons:
    st.caption(f"The {len(usable_lessons)} lessons build on each other. Together they take about {minutes} minutes.")
for index, (key, lesson) in enumerate(usable_lessons.items()):
    if index % ACROSS == 0:
        columns = st.columns(ACROSS)
    with columns[index % ACROSS].container(border=True, height="stretch", key=f"lesson_card_{key}"):
        st.header(f"{index + 1}. {lesson.title}", anchor=False)
        st.caption(f"{lesson.minutes} minutes, {len(lesson.steps)} steps")
        st.markdown(lesson.about)
        usable = required_models(lesson) <= cards.keys()
        st.button("Begin", key=f"begin_{key}", type="primary", on_click=begin_step, args=(key, 0), disabled=not usable)
        if not usable:
            st.caption("This lesson needs a model that is not installed.")
        with st.expander("Questions in this lesson"):
            st.markdown("\n".join(
                f"1. [{step.predict.question}]({step_link(key, number)})" for number, step in enumerate(lesson.steps)
            ))  # fmt: skip
st.caption(
    "For teachers: the links under *Questions in this lesson* open a step for anyone. Answers stay in the learner's "
    "own session."
)
