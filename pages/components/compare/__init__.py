"""The wing of Compare."""
