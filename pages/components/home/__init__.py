"""Home: a model at work."""
