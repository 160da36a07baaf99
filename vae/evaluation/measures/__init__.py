"""Measures, one in each file: each describes its figures, measures them and states which models it applies to."""

import sys

from ...registry import import_all
from .base import MEASURES, Context, Measure, ordered, run

import_all(sys.modules[__name__])

__all__ = ["MEASURES", "Context", "Measure", "ordered", "run"]
