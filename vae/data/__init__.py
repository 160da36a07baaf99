"""Data sets, one a file, each of which registers itself. DATASETS is the registry: a card's "data" is a key of it."""

import sys

from ..registry import import_all
from .base import DATASETS, DatasetInfo, Split

import_all(sys.modules[__name__])

__all__ = ["DATASETS", "DatasetInfo", "Split"]
