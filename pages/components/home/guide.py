"""What each page is for."""

from __future__ import annotations

import streamlit as st

from ..shell import navigation

PURPOSES = {  # page: what it is for
    "sample": "Sample codes from the prior and decode them.",
    "sliders": "Change one dimension of the code at a time.",
    "interpolate": "Follow the path between the codes of two images.",
    "map": "See all codes on a plane and decode any position.",
    "train": "Train a model on shipped images or your own, and watch it learn.",
    "inside": "Follow one image through encoder, code and decoder, with every term of the loss.",
    "uses": "Denoise, inpaint, detect outliers and learn from few labels, each beside a baseline.",
    "disentangle": "Find out which dimension encodes which factor.",
    "compare": "Put models side by side, with their figures.",
    "lessons": "Predict, try and check, in short guided steps.",
    "match": "A game: match a target image by moving sliders.",
    "glossary": "Look up a term.",
}


def show_guide() -> None:
    """Show what each page is for, in the navigation's groups."""
    st.header("What each page is for", anchor="pages")
    pages = {path.stem: navigation.entry(path) for path in navigation.page_files() if path.stem in PURPOSES}
    groups = [group for group in navigation.GROUPS if group]
    for column, group in zip(st.columns(len(groups)), groups, strict=True):
        column.markdown(f"**{group}**")
        for page, entry in pages.items():
            if entry.group == group:
                with column.container(gap=None):
                    st.page_link(f"pages/{page}.py", label=entry.title)
                    st.caption(PURPOSES[page])
    st.caption(
        "All pages share one model and one latent code: what you choose on one page, the others show. The address "
        "contains the model, the latent code and the seed, so a link shows others the same image."
    )
