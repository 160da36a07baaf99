"""The public interface of data/images.py: decode uploaded bytes into an image, prepare an image for a model."""

from .data.images import MAX_BYTES, MAX_MEGAPIXELS, Prepared, Stage, UploadError, prepare, read_image

__all__ = ["MAX_BYTES", "MAX_MEGAPIXELS", "Prepared", "Stage", "UploadError", "prepare", "read_image"]
