"""The wing of Match."""
