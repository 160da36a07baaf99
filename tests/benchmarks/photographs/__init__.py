"""Photographs drawn by code, of digits, characters, shapes and garments, and how well `prepare` reads them."""
