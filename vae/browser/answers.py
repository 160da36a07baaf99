"""Answers to widgets that ask for what a browser cannot compute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..data import pictures
from ..data.modality import IMAGES, Modality
from .messages import message

if TYPE_CHECKING:
    from torch import Tensor


def pictures_message(request: dict, decode: Callable[[], Tensor], modality: Modality = IMAGES) -> bytes:
    """Encode the images of decode(), (N, C, H, W), for answer_channel.js. "missing" lists the indices of those that
    are not finite.

    request: the fields that identify the question, "panel" and "seq", which the answer repeats.
    """
    start = time.perf_counter()
    images = decode()
    pixels = modality.picture(images)  # (N, H, W, C)
    milliseconds = 1000 * (time.perf_counter() - start)
    header = {
        **request, "count": len(pixels), "missing": pictures.non_finite(images), "milliseconds": milliseconds,
    }  # fmt: skip
    return message(header, pixels.tobytes())
