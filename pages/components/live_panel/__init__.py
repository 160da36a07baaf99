"""The wing of Sliders."""
