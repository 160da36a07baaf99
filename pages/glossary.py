"""Glossary: what the terms on pages mean, each with a source."""

import streamlit as st

from pages.components.shell.navigation import ensure_entry_point
from pages.components.shell.title import show_title
from vae.glossary import TERMS

PLACE = 120  # order in the navigation
GROUP = "Learn"

ensure_entry_point()
show_title("Glossary")
st.markdown(
    "Pages underline the first mention of each term. Move the mouse over one, or tap it, to read its definition."
)
with st.container(key="glossary", width=760, gap=None):
    for key, term in TERMS.items():
        if term.group:
            st.header(term.group, anchor=False)
        st.subheader(term.name, anchor=key)
        st.markdown(term.definition)
        st.caption(f"Source: {term.source}.")
