"""Measuring models: figures on test images, downstream tasks, and the model zoo's tables."""

from . import measures  # noqa: F401 - its files fill the registry of figures
