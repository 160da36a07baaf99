"""Measuring models: figures on test images, downstream tasks, and the tables of the README."""
