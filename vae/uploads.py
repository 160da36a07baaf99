"""The public face of data/images.py: bytes become a picture, a picture becomes what a model sees."""

from .data.images import FORMATS, MAX_BYTES, MAX_PIXELS, Prepared, Stage, UploadError, prepare, read_image

__all__ = ["FORMATS", "MAX_BYTES", "MAX_PIXELS", "Prepared", "Stage", "UploadError", "prepare", "read_image"]
