"""A column of a table that holds one figure of several models."""

from __future__ import annotations

import streamlit as st

from vae.evaluation.figures import Figure


def figure_column(figure: Figure):
    """Return the column's settings: the figure's own digits."""
    return st.column_config.NumberColumn(format="percent" if figure.digits.endswith("%") else f"%{figure.digits}")
