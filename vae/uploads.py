"""The public interface of data/images.py: decode uploaded bytes into an image, prepare an image for a model."""

from .data.images import FORMATS, MAX_BYTES, MAX_PIXELS, Prepared, Stage, UploadError, prepare, read_image

__all__ = ["FORMATS", "MAX_BYTES", "MAX_PIXELS", "Prepared", "Stage", "UploadError", "prepare", "read_image"]
