"""Data sets: one per file, each registers itself. DATASETS is the registry; a card's "data" is one of its keys."""

import sys

from ..registry import import_all
from .base import DATASETS, DatasetInfo, Split

import_all(sys.modules[__name__])

__all__ = ["DATASETS", "DatasetInfo", "Split"]
