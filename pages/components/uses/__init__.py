"""Components of the page Uses: one downstream task per file."""
