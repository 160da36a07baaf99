"""Checkpoints of other projects, read as models of the families here. One project a file, registered in READERS.

    found = checkpoints.read(Path("results/btcvae_dsprites"))
    model = found.model(None)

Only `vae import` and Python reach this room: a checkpoint may be a pickle. It is read by torch.load with weights_only,
which builds tensors and plain containers and calls nothing else.
"""

import sys

from ..registry import import_all
from .base import READERS, Checkpoint, CheckpointError, is_checkpoint, read

import_all(sys.modules[__name__])

__all__ = ["READERS", "Checkpoint", "CheckpointError", "is_checkpoint", "read"]
