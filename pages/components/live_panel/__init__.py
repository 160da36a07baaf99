"""Components of the page Sliders."""
