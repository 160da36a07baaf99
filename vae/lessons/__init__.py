"""Lessons: steps on the app's pages, each a prediction, something to try and an explanation; one lesson a TOML file.

This package reads the files and imports nothing outside the standard library, so that whatever shows lessons (the app,
a handout, a static site) can use it.
"""

from .lesson import Lesson, Prediction, Step, Try, figure_keys, fill_figures, referenced_models, required_models
from .reader import FOLDER, LessonError, read, read_lesson

__all__ = [
    "FOLDER", "Lesson", "LessonError", "Prediction", "Step", "Try", "figure_keys", "fill_figures", "read",
    "read_lesson", "referenced_models", "required_models",
]  # fmt: skip
