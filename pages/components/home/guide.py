"""What each page is for."""

from __future__ import annotations

import streamlit as st

GROUPS = {
    "Explore": {
        "sample": "Sample codes from the prior and decode them.",
        "sliders": "Change one dimension of the code at a time.",
        "interpolate": "Follow the path between the codes of two images.",
        "map": "See all codes on a plane and decode any position.",
    },
    "Understand": {
        "inside": "Follow one image through encoder, code and decoder, with every term of the loss.",
        "disentangle": "Find out which dimension encodes which factor.",
    },
    "Measure": {
        "compare": "Put models side by side, with their figures.",
        "uses": "Denoise, inpaint, detect outliers and learn from few labels, each beside a baseline.",
    },
    "Learn": {
        "lessons": "Predict, try and check, in short guided steps.",
        "match": "A game: match a target image by moving sliders.",
        "glossary": "Look up a term.",
    },
}  # fmt: skip


def show_guide() -> None:
    """Show what each page is for, in the navigation's groups."""
    st.subheader("What each page is for", anchor="pages")
    for column, (group, pages) in zip(st.columns(len(GROUPS)), GROUPS.items(), strict=True):
        column.markdown(f"**{group}**")
        for page, purpose in pages.items():
            with column.container(gap=None):
                st.page_link(f"pages/{page}.py", label=page.capitalize())
                st.caption(purpose)
    st.caption(
        "All pages share one model and one latent code: what you choose on one page, the others show. The address "
        "holds model, code and seed, so a link shows others the same picture."
    )
