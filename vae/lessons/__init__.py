"""Lessons: steps on the app's pages, each a prediction, something to try and an explanation; one lesson a TOML file.

This package reads the files and imports nothing outside the standard library, so that whatever shows lessons (the app,
a handout, a static site) can use it.
"""

from .lesson import (
    Lesson,
    Misconception,
    Plan,
    PlanPart,
    Prediction,
    Step,
    Try,
    figure_keys,
    fill_figures,
    referenced_models,
    step_models,
)  # fmt: skip
from .reader import FOLDER, PLANS, LessonError, lesson_files, read, read_lesson, read_plans
from .shuffle import MAX_SHUFFLE

__all__ = [
    "FOLDER", "MAX_SHUFFLE", "PLANS", "Lesson", "LessonError", "Misconception", "Plan", "PlanPart", "Prediction",
    "Step", "Try", "figure_keys", "fill_figures", "lesson_files", "read", "read_lesson", "read_plans",
    "referenced_models", "step_models",
]  # fmt: skip
