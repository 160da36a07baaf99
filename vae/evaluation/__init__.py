"""Measuring models: figures on test images, downstream tasks, and the tables of the README."""

from . import measures  # noqa: F401 - its files fill the registry of figures
