"""Model families, one in each file, registered in FAMILIES under the name that a card stores."""

import sys

from ..registry import import_all
from .base import FAMILIES, LatentModel, NetworkConfig, Output

import_all(sys.modules[__name__])

__all__ = ["FAMILIES", "LatentModel", "NetworkConfig", "Output"]
