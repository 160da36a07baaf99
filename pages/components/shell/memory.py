"""Memory that a server would keep although nothing needs it any more."""

from __future__ import annotations

import ctypes
import platform
from functools import cache

# of glibc's malloc.h, and the values that are set
ARENAS = -8, 2
MMAP_THRESHOLD = -3, 2**19  # bytes


@cache  # app.py calls this in every run
def tune_malloc() -> None:
    """Make the C library return freed memory to the system. Do nothing where it is not glibc.

    Each run of a page has a new thread. By default, threads use eight pools of memory per core, and arrays of up to
    32 MB are in them, so that a pool keeps what its largest run has needed: half a gigabyte once every model has been
    opened.
    """
    if platform.libc_ver()[0] == "glibc":
        for option, value in (ARENAS, MMAP_THRESHOLD):
            ctypes.CDLL(None).mallopt(option, value)
