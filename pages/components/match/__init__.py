"""Components of the page Match."""
