"""What a learner hands in: predictions, results, own sentences and bookmarked pictures. The browser makes it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ..bridge.assets import BASE
from ..bridge.component import widget
from . import progress
from .catalogue import lessons
from .listing import open_view

_component = widget("report")


def show(of: str) -> None:
    """Show the report on a lesson, or on all of them for ""."""
    st.html(Path(__file__).with_name("paper.css"))
    with st.container(key="paper_tools"):
        st.button("All lessons", key="paper_list", on_click=open_view, args=("list",))
    progress.show()
    _component(key="lesson_report", data={
        "of": of, "base": BASE, "steps": progress.steps(),
        "lessons": [
            {
                "key": key, "title": lesson.title,
                "steps": [
                    {"question": step.predict.question, "result": step.predict.correct} for step in lesson.steps
                ],
            }
            for key, lesson in lessons()[0].items()
        ],
    })  # fmt: skip
