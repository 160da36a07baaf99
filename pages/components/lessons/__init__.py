"""The wing of Lessons: the lessons and the panel of a step."""
