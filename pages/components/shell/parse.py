"""Parsers of what a browser sends: payloads of components and the text of links.

This is the one place where such a value is found valid or not. A parser accepts whatever Python's json
reads (NaN, infinity and integers of any size included), raises nothing, and returns None for what is not
valid. The module stands in the shell because links, which the shell reads, need it too.
"""

from __future__ import annotations

import base64
import math

import numpy as np
import torch
from torch import Tensor

MAX_COUNT = 2**53 - 1  # the highest that JavaScript counts without a gap
MAX_ID = 40  # characters of the name that a panel gives itself
MAX_PLACE = 1e6  # farthest a place of a map lies from 0, on either axis
MAX_FLOAT = 1e30  # numbers of this size and more count as infinite


def parse_object(value, **expected) -> dict | None:
    """Return value if it is an object whose fields hold what is expected of them."""
    if isinstance(value, dict) and all(value.get(field) == known for field, known in expected.items()):
        return value
    return None


def parse_int(value, low: int, high: int) -> int | None:
    """Return a whole number from low to high.

    JavaScript sends 1.0 as 1, so a float is no whole number; neither is True.
    """
    return value if type(value) is int and low <= value <= high else None


def parse_number(value, low: float, high: float) -> float | None:
    """Return a number from low to high as a float."""
    # the comparison is False for NaN, infinity and integers too large for a float
    return float(value) if _is_number(value) and low <= value <= high else None


def parse_numbers(values, count: int, max_abs: float) -> list[float] | None:
    """Return a list of that many numbers from -max_abs to max_abs as floats."""
    if not isinstance(values, list) or len(values) != count:
        return None
    numbers = [parse_number(value, -max_abs, max_abs) for value in values]
    return None if None in numbers else numbers


def parse_code(values, fallback: np.ndarray, max_abs: float) -> tuple[Tensor | None, bool]:
    """Validate a code sent by the browser. Returns (code, repaired).

    The code (D,) is clamped to max_abs, or None where values are not D numbers. JSON sends NaN and infinity
    as null: such a dimension takes its value of fallback (D,), and repaired is True.
    """
    if not isinstance(values, list) or len(values) != len(fallback):
        return None, False
    if not all(value is None or _is_number(value) for value in values):
        return None, False
    # the comparison is False for NaN, infinity and integers too large for a float
    usable = [value is not None and abs(value) < MAX_FLOAT for value in values]
    numbers = [float(value if ok else other) for value, ok, other in zip(values, usable, fallback, strict=False)]
    return torch.tensor(numbers, dtype=torch.float32).clamp(-max_abs, max_abs), not all(usable)


def parse_codes(values, limit: int, fallback: np.ndarray, max_abs: float) -> Tensor | None:
    """Return a list of 1 to limit codes as (N, D), each as parse_code returns it."""
    if not isinstance(values, list) or not 0 < len(values) <= limit:
        return None
    codes = [parse_code(code, fallback, max_abs)[0] for code in values]
    return None if any(code is None for code in codes) else torch.stack(codes)


def parse_indices(values, count: int) -> np.ndarray | None:
    """Return a list of whole numbers, sorted and each once, without those outside 0 to count - 1."""
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        return None
    return np.array(sorted({value for value in values if 0 <= value < count}), int)


def parse_places(values, limit: int) -> np.ndarray | None:
    """Return a list of 1 to limit pairs of numbers as (S, 2)."""
    if not isinstance(values, list) or not 0 < len(values) <= limit:
        return None
    pairs = [parse_numbers(pair, 2, MAX_PLACE) for pair in values]
    return None if None in pairs else np.array(pairs)


def parse_text(value, limit: int) -> str:
    """Return the first characters of a text; "" for any other value."""
    return value[:limit] if isinstance(value, str) else ""


def parse_name(value, limit: int) -> str | None:
    """Return a name without what links and Markdown give a meaning to; it may be empty."""
    if not isinstance(value, str):
        return None
    return "".join(c for c in value if c.isprintable() and c not in ":;<>&")[:limit].strip()


def parse_flag(value) -> bool:
    """Return whether value is true, and not merely something that Python takes for true."""
    return value is True


def parse_drawing(value, size: int) -> np.ndarray | None:
    """Return a drawing, grey, in base64, as (size, size) uint8."""
    if not isinstance(value, str) or len(value) > 2 * size * size:
        return None
    try:
        content = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return np.frombuffer(content, np.uint8).reshape(size, size) if len(content) == size * size else None


def _is_number(value) -> bool:
    return type(value) in (int, float)  # True is an int too


# ---- the text of links


def parse_int_text(text: str, low: int, high: int) -> int | None:
    """Return a whole number from low to high that is written in at most ten digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return parse_int(int(text), low, high)


def parse_code_text(text: str, dims: int, max_abs: float) -> tuple[Tensor | None, str]:
    """Parse "0.1,-2" -> (code (dims,), "") or (None, what is wrong with it, a phrase for the link's reader).

    The phrase repeats nothing of the text: a page shows it as Markdown, and a link may be anybody's.
    """
    parts = text.split(",")
    if len(parts) != dims:
        return None, f"it has {len(parts)} numbers and this model's codes have {dims}"
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return None, "it must be numbers with commas between them"
    if not all(math.isfinite(value) for value in values):
        return None, "it must be finite numbers"
    if any(abs(value) > max_abs for value in values):
        return None, f"its numbers must lie between -{max_abs:g} and {max_abs:g}"
    return torch.tensor(values, dtype=torch.float32), ""


def parse_names_text(text: str, dims: int, limit: int) -> list[tuple[int, str]]:
    """Parse "0:slant;3:width" -> [(0, "slant"), (3, "width")], without the parts that name no dimension."""
    found = []
    for part in text.split(";")[:dims]:
        number, _, name = part.partition(":")
        d = parse_int_text(number, 0, dims - 1)
        if d is not None:
            found.append((d, parse_name(name, limit)))
    return found
