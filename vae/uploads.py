"""The public interface of data/images.py and data/preparing.py: decode uploaded bytes, prepare an image."""

from .data.images import MAX_BYTES, MAX_MEGAPIXELS, UploadError, read_image
from .data.preparing import Preparation, Prepared, Stage, prepare

__all__ = ["MAX_BYTES", "MAX_MEGAPIXELS", "Preparation", "Prepared", "Stage", "UploadError", "prepare", "read_image"]
