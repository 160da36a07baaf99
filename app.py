"""The front door: streamlit run app.py"""

import os
from pathlib import Path

# before torch is imported: each script run has its own thread, and one thread each is
# what lets a class of thirty share a machine
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st

from pages.components import state

st.set_page_config(page_title="Latent-space explorer", layout="wide")
st.html(Path(__file__).parent / "pages/components/style.css")

page = st.navigation(
    [
        st.Page("pages/home.py", title="Home", default=True),
        st.Page("pages/sample.py", title="Sample"),
        st.Page("pages/sliders.py", title="Sliders"),
        st.Page("pages/interpolate.py", title="Interpolate"),
        st.Page("pages/map.py", title="Map"),
    ],
    position="top",
)
state.begin_run()
page.run()
state.end_run()
