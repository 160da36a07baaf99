"""The wing of Sliders, beside the live panel."""
