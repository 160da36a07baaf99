"""Messages to the widgets: JSON without NaN, and raw bytes with a header. The modules named *_channel.js read them.

A server imports this before it answers, so it needs nothing outside the standard library.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any


def message(header: dict, payload: bytes) -> bytes:
    """Return [header length, uint32][JSON header][payload], the format that mailbox.js reads."""
    text = json.dumps(without_nan(header), allow_nan=False, separators=(",", ":")).encode()
    return struct.pack("<I", len(text)) + text + payload


def without_nan(value: Any) -> Any:
    """Return value with None for each NaN and infinity, which a browser's JSON parser rejects."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(part) for part in value]
    return value
