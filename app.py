"""The front door: streamlit run app.py"""

import os
from pathlib import Path

# before torch is imported: each script run has its own thread, and one thread each is
# what lets a class of thirty share a machine
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st

from pages.components.lessons import panel as lesson
from pages.components.shell import link
from pages.components.shell.navigation import navigation

st.set_page_config(page_title="Latent-space explorer", layout="wide")
st.html(Path(__file__).parent / "pages/components/shell/style.css")
page = navigation()
link.begin_run()
lesson.read_link()
with st.container():  # always there: what comes and goes outside one builds a page's parts anew
    link.tell_complaints()
    lesson.lesson_panel(page.url_path)
page.run()
link.end_run()
