"""Lessons: guided steps on the app's pages, each with a question."""

import streamlit as st

from pages.components.lessons.catalogue import lessons
from pages.components.lessons.panel import begin_step, step_link
from pages.components.shell import cached
from pages.components.shell.navigation import ensure_entry_point
from vae.lessons import required_models

PLACE = 10  # order in the navigation
GROUP = "Learn"

ensure_entry_point()
st.title("Lessons")
st.markdown(
    "**Choose a lesson.** Each step stands above the page on which it is taken: something to try, a question, and an "
    "answer once you have given yours."
)

ACROSS = 3
cards = cached.zoo_scan()[0]
usable_lessons, problems = lessons()
for sentence in problems:
    st.warning(sentence)
for index, (key, lesson) in enumerate(usable_lessons.items()):
    if index % ACROSS == 0:
        columns = st.columns(ACROSS)
    with columns[index % ACROSS].container(border=True, height="stretch"):
        st.subheader(f"{index + 1}. {lesson.title}", anchor=False)
        st.markdown(lesson.about)
        usable = required_models(lesson) <= cards.keys()
        st.button("Begin", key=f"begin_{key}", type="primary", on_click=begin_step, args=(key, 0), disabled=not usable)
        steps = " ".join(f"[{number + 1}]({step_link(key, number)})" for number in range(len(lesson.steps)))
        st.caption(f"{lesson.minutes} minutes · steps as links: {steps}")
st.caption(
    "For teachers: the link of a step opens its page with the lesson above it, the same for everybody. Nothing that a "
    "learner answers leaves the learner's own session."
)
