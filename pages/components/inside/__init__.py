"""Components of the page Inside."""
