"""Lessons: guided steps on the app's pages, each with a question."""

import streamlit as st

from pages.components.lessons import listing, paper, report
from pages.components.lessons.catalogue import lessons
from pages.components.shell import link, settings
from pages.components.shell.navigation import ensure_entry_point
from pages.components.shell.title import show_title

PLACE = 10  # order in the navigation
GROUP = "Learn"
VIEWS = {"list": "All lessons", "report": "Report", "sheet": "Sheet to print", "teacher": "For teachers"}
SETTINGS = {"lessons_view": ("choice", *VIEWS), "lessons_of": ("text",), "lessons_shuffle": ("int", 0, 9999)}

ensure_entry_point()
show_title("Lessons")
for key, default in (("lessons_view", "list"), ("lessons_of", ""), ("lessons_shuffle", 0)):
    settings.take(key)
    if st.session_state.setdefault(key, default) != default:
        link.set_page_parameter(key, str(st.session_state[key]))
view, of = st.session_state.lessons_view, st.session_state.lessons_of
if of not in lessons()[0]:
    if of:
        st.warning("The lesson in this link does not exist.")
    of = ""
if view == "list" or (view == "sheet" and not of):
    listing.show()
elif view == "report":
    report.show(of)
elif view == "sheet":
    paper.show_sheet(of, st.session_state.lessons_shuffle)
else:
    paper.show_teacher(of, st.session_state.lessons_shuffle)
