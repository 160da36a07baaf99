"""The column settings of a figure in a table of models."""

from __future__ import annotations

import streamlit as st

from vae.evaluation.figures import Figure


def figure_column(figure: Figure):
    """Return the column settings that show a figure with its number of digits."""
    return st.column_config.NumberColumn(format="percent" if figure.digits.endswith("%") else f"%{figure.digits}")
