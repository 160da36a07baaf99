"""The front door: streamlit run app.py"""

import os

# before torch is imported: each script run has its own thread, and one thread each is
# what lets a class of thirty share a machine
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st

from pages.components import state

st.set_page_config(page_title="Latent-space explorer", page_icon="🌀", layout="wide")

page = st.navigation(
    [
        st.Page("pages/home.py", title="Home", icon="🏠", default=True),
        st.Page("pages/sample.py", title="Sample", icon="🎲"),
        st.Page("pages/sliders.py", title="Sliders", icon="🎚️"),
        st.Page("pages/interpolate.py", title="Interpolate", icon="🌉"),
        st.Page("pages/map.py", title="Map", icon="🗺️"),
    ],
    position="top",
)
state.begin_run()
page.run()
state.end_run()
