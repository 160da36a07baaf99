"""Data sets, one a file. DATASETS is the registry: a card's "data" is a key of it."""

from . import faces, fashion, glyphs, mnist, rooms, sprites
from .base import DatasetInfo, Split

DATASETS = {
    "mnist": mnist.INFO,
    "mnist-binary": mnist.BINARY,
    "fashion-mnist": fashion.INFO,
    "glyphs": glyphs.INFO,
    "faces": faces.INFO,
    "sprites": sprites.INFO,
    "rooms": rooms.INFO,
}

__all__ = ["DATASETS", "DatasetInfo", "Split"]
