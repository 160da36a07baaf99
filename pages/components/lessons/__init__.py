"""Components of the page Lessons: the lessons and the panel of a step."""
