"""A collection of encoded images as messages to the map, see the channels of widgets/scatter."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data import pictures
from ..data.modality import IMAGES, Modality
from ..encoded import EncodedImages
from .messages import message

if TYPE_CHECKING:
    from torch import Tensor

MAX_THUMBNAIL = 40  # pixels across
MAX_SHEET = 4096  # pixels across a sheet of thumbnails; it takes 64 MB in the browser


def points(
    collection: str, sheet: str, encoded: EncodedImages, labels: np.ndarray, ys: np.ndarray,
    names: Sequence[str] | None = None,
) -> bytes:  # fmt: skip
    """Encode a collection of N images for points_channel.js.

    The payload is codes (N, D), reconstruction errors (N,) and fitted maps (N, 2) as float32, then labels (N,) and the
    classes to decode under (N,) as uint16. collection, sheet: the identifiers of these codes and of their thumbnails.
    names: of files; None for test images, which have rows.
    """
    header = {
        "collection": collection, "sheet_name": sheet, "n": len(encoded),
        "dims": encoded.codes.shape[1], "layouts": list(encoded.layouts),
        "rows": encoded.rows.tolist() if names is None else None,
        "names": None if names is None else list(names),
    }  # fmt: skip
    # NaN counts as the highest error: the browser has a colour for infinity
    recon = np.nan_to_num(encoded.recon, nan=np.inf, posinf=np.inf)
    floats = [encoded.codes, recon, *encoded.layouts.values()]
    payload = b"".join(np.ascontiguousarray(part, np.float32).tobytes() for part in floats)
    payload += b"".join(part.astype(np.uint16).tobytes() for part in (labels, ys))
    return message(header, payload)


def sheet(
    name: str, n: int, images: Callable[[np.ndarray], Tensor], modality: Modality = IMAGES,
    largest: int = MAX_THUMBNAIL, quality: int = 82, effort: int = 1,
) -> bytes:  # fmt: skip
    """Encode the thumbnails of n images for sheet_channel.js, as one square WebP picture, row by row.

    images: indices (B,) -> x (B, C, H, W) in [0, 1]. largest: pixels across a thumbnail. quality, effort: of WebP.
    """
    import torch

    across = math.ceil(math.sqrt(n))
    side = min(largest, MAX_SHEET // across)
    strips = []
    for first in range(0, n, 10 * across):  # in batches, because 70,000 large images take gigabytes
        x = images(np.arange(first, min(first + 10 * across, n)))
        if x.shape[-1] > side:
            x = torch.nn.functional.interpolate(x, side, mode="area")
        strips.append(pictures.tile(modality.picture(x), across))
    buffer = io.BytesIO()
    pictures.to_image(np.concatenate(strips)).save(buffer, "WEBP", quality=quality, method=effort)
    height, width = x.shape[-2:]
    header = {"sheet": name, "type": "image/webp", "width": width, "height": height, "across": across}
    return message(header, buffer.getvalue())
