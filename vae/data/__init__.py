"""Data sets, one a file. DATASETS is the registry: a card's "data" is a key of it."""

from . import fashion, mnist, rooms, sprites
from .base import DatasetInfo, Split

DATASETS = {
    "mnist": mnist.INFO,
    "fashion-mnist": fashion.INFO,
    "sprites": sprites.INFO,
    "rooms": rooms.INFO,
}

__all__ = ["DATASETS", "DatasetInfo", "Split"]
