"""Figures for a paper, as SVG and PDF: one kind a file, registered in KINDS.

Widths are those of a column and of a page with two columns. Labels have 8 points and remain text, in an embedded
font. They need matplotlib.
"""

import sys

from ..registry import import_all
from .base import FORMATS, KINDS, WIDTHS, Options, PaperFigure, draw

import_all(sys.modules[__name__])

__all__ = ["FORMATS", "KINDS", "WIDTHS", "Options", "PaperFigure", "draw"]
