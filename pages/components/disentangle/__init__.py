"""Components of the page Disentangle."""
