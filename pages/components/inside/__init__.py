"""The wing of Inside."""
