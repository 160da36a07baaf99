"""The wing of Disentangle."""
