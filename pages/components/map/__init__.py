"""The wing of Map."""
