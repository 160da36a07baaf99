"""Measures, one a file: each says which models it applies to, measures figures and describes them."""

import sys

from ...registry import import_all
from .base import MEASURES, Context, Measure, ordered, run

import_all(sys.modules[__name__])

__all__ = ["MEASURES", "Context", "Measure", "ordered", "run"]
