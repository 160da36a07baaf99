"""A user's own images as a data set: opened, checked, built into a folder, read again.

    source = own.open_source("photos.zip")
    check = own.check(source, size=64)
    if not check.refusal:
        info = own.build(source, check, Path("data/photos"), "My photos", 64)
    info = own.read(Path("data/photos"))  # a DatasetInfo

Nothing that a stranger sends is executed or unpickled, no name is used as a path, and images are read one at a time.
"""

from .checking import MAX_IN_APP, MIN_IMAGES, SIZES, Check, check
from .opening import open_source
from .sources import Source
from .storing import build, read

__all__ = ["MAX_IN_APP", "MIN_IMAGES", "SIZES", "Check", "Source", "build", "check", "open_source", "read"]
