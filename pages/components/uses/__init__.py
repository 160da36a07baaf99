"""The wing of Uses: one downstream task a file."""
