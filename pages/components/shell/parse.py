"""Parsers of values from the browser: payloads of components and the text of links.

Every such value is validated here and nowhere else. A parser accepts whatever Python's json can read (including NaN,
infinity and integers of any size), never raises, and returns None for an invalid value.
"""

from __future__ import annotations

import base64
import math
import re
import unicodedata
from urllib.parse import unquote

import numpy as np

MAX_COUNT = 2**53 - 1  # JavaScript's Number.MAX_SAFE_INTEGER
MAX_ID = 40  # characters of a panel's id
MAX_POSITION = 1e6  # absolute value of a map coordinate
MAX_FLOAT = 1e30  # numbers from this size on count as infinite


def parse_object(value, **expected) -> dict | None:
    """Return value if it is an object with these values in these fields."""
    if isinstance(value, dict) and all(value.get(field) == wanted for field, wanted in expected.items()):
        return value
    return None


def parse_int(value, low: int, high: int) -> int | None:
    """Return an integer from low to high. Floats are invalid, because JavaScript sends 1.0 as 1, and so is True."""
    return value if type(value) is int and low <= value <= high else None


def parse_number(value, low: float, high: float) -> float | None:
    """Return a number from low to high as a float."""
    # the comparison is False for NaN, infinity and integers too large for a float
    return float(value) if _is_number(value) and low <= value <= high else None


def parse_numbers(values, count: int, max_abs: float) -> list[float] | None:
    """Return a list of count numbers from -max_abs to max_abs as floats."""
    if not isinstance(values, list) or len(values) != count:
        return None
    numbers = [parse_number(value, -max_abs, max_abs) for value in values]
    return None if None in numbers else numbers


def parse_code(values, fallback: np.ndarray, max_abs: float) -> tuple[np.ndarray | None, bool]:
    """Validate a code sent by the browser. Returns (code, repaired).

    The code (D,) is clamped to max_abs; it is None if values are not D numbers. JSON sends NaN and infinity as null:
    such a dimension takes its value from fallback (D,), and repaired is True.
    """
    if not isinstance(values, list) or len(values) != len(fallback):
        return None, False
    if not all(value is None or _is_number(value) for value in values):
        return None, False
    # the comparison is False for NaN, infinity and integers too large for a float
    usable = [value is not None and abs(value) < MAX_FLOAT for value in values]
    numbers = [float(value if ok else other) for value, ok, other in zip(values, usable, fallback, strict=False)]
    return np.clip(np.array(numbers, np.float32), -max_abs, max_abs), not all(usable)


def parse_codes(values, limit: int, fallback: np.ndarray, max_abs: float) -> np.ndarray | None:
    """Return a list of 1 to limit codes as (N, D), each validated by parse_code."""
    if not isinstance(values, list) or not 0 < len(values) <= limit:
        return None
    codes = [parse_code(code, fallback, max_abs)[0] for code in values]
    return None if any(code is None for code in codes) else np.stack(codes)


def parse_indices(values, count: int) -> np.ndarray | None:
    """Return the distinct indices from 0 to count - 1 in a list of integers, sorted. Drops all others."""
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        return None
    return np.array(sorted({value for value in values if 0 <= value < count}), int)


def parse_positions(values, limit: int) -> np.ndarray | None:
    """Return a list of 1 to limit pairs of numbers as (S, 2)."""
    if not isinstance(values, list) or not 0 < len(values) <= limit:
        return None
    pairs = [parse_numbers(pair, 2, MAX_POSITION) for pair in values]
    return None if None in pairs else np.array(pairs)


def parse_text(value, limit: int) -> str:
    """Return the first limit characters of a string; "" for any other value."""
    return value[:limit] if isinstance(value, str) else ""


def parse_name(value, limit: int) -> str | None:
    """Return a name without the characters that have a meaning in links and Markdown. It may be empty."""
    if not isinstance(value, str):
        return None
    return "".join(c for c in value if c.isprintable() and c not in ":;<>&")[:limit].strip()


def parse_flag(value) -> bool:
    """Return whether value is True. Other truthy values are False."""
    return value is True


def parse_base64(value, limit: int) -> bytes | None:
    """Decode base64 of at most limit bytes."""
    if not isinstance(value, str) or len(value) > 4 * (limit // 3 + 1):
        return None
    try:
        content = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return content if len(content) <= limit else None


def parse_pixels(value, shape: tuple[int, ...]) -> np.ndarray | None:
    """Decode an image from base64 to uint8 of this shape."""
    size = math.prod(shape)
    content = parse_base64(value, size)
    return None if content is None or len(content) < size else np.frombuffer(content, np.uint8).reshape(shape)


def _is_number(value) -> bool:
    return type(value) in (int, float)  # isinstance would accept True


# ---- the text of links

MAX_ENCODINGS = 3  # percent-encodings on top of each other
TRAILING = " .,;:!?)>]}'\"’”…"  # what chats and mail programs take into the end of a link
INVISIBLE = re.compile("=?[\r\n\t\u00ad\u200b-\u200f\u2060\ufeff]+")  # "=" ends a line of quoted-printable
CUT_ESCAPE = re.compile("%[0-9A-Fa-f]?$")
DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")


def repair_link(parameters: dict[str, str]) -> dict[str, str]:
    """Undo what mail programs and chats do to a link's query parameters.

    They break lines, escape "&" as "&amp;" and "=" as "=3D", encode what is encoded already, change the case, cut an
    escape in two, and take the punctuation after a link into it.
    """
    pairs = [(key, INVISIBLE.sub("", value)) for key, value in parameters.items()]
    if pairs and all(value.startswith("3D") for _, value in pairs):
        pairs = [(key, value[2:]) for key, value in pairs]
    repaired: dict[str, str] = {}
    for part in "&".join(f"{key}={_decode(value)}" for key, value in pairs).split("&"):
        key, _, value = part.partition("=")
        name = re.sub("^(amp;)+", "", INVISIBLE.sub("", key).strip().lower())
        if name:
            repaired.setdefault(name, value)
    if repaired:
        last = next(reversed(repaired))
        repaired[last] = CUT_ESCAPE.sub("", repaired[last]).rstrip(TRAILING)
    return repaired


def _decode(value: str) -> str:
    """Undo percent-encodings that were added to a link."""
    for _ in range(MAX_ENCODINGS):
        value = unquote(value)
    return value


def _plain(text: str) -> str:
    """Return a number's text without spaces, in ASCII: minus signs, full-width digits."""
    return "".join(unicodedata.normalize("NFKC", text.translate(DASHES)).split())


def parse_int_text(text: str, low: int, high: int) -> int | None:
    """Return an integer from low to high, written in at most ten digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return parse_int(int(text), low, high)


def parse_number_text(text: str, low: float, high: float) -> float | None:
    """Return a number from low to high as a float."""
    try:
        return parse_number(float(text), low, high)
    except ValueError:
        return None


def parse_flag_text(text: str) -> bool | None:
    """Return True or False for "true" or "false"."""
    return {"true": True, "false": False}.get(text)


def parse_code_text(text: str, dims: int, max_abs: float) -> tuple[np.ndarray | None, str]:
    """Parse "0.1,-2". Returns (code (dims,), the problem as a phrase or "").

    A number that is unreadable, not finite, beyond max_abs or missing at the end is NaN in the code. The code is None
    if no number is left or there are too many. The phrase quotes nothing from the text: a page shows it as Markdown,
    and links are untrusted.
    """
    parts = _plain(text).rstrip(",").split(",")
    if len(parts) > dims:
        return None, f"its z has {len(parts)} dimensions, but this model's z has {dims}"
    values = [parse_number_text(part, -max_abs, max_abs) for part in parts]
    unusable = values.count(None)
    if unusable == len(values):
        return None, "its z cannot be read"
    missing = dims - len(values)
    values += [None] * missing
    code = np.array([math.nan if value is None else value for value in values], np.float32)
    return code, _code_problem(unusable, missing, dims)


def _code_problem(unusable: int, missing: int, dims: int) -> str:
    count = f"{unusable + missing} of the {dims} values of its z"
    if unusable:
        return f"{count} cannot be read"
    return f"{count} {'is' if missing == 1 else 'are'} missing" if missing else ""


def parse_names_text(text: str, dims: int, limit: int) -> list[tuple[int, str]]:
    """Parse "0:slant;3:width" to [(0, "slant"), (3, "width")]. Drops parts without a valid dimension."""
    names = []
    for part in text.split(";")[:dims]:
        number, _, name = part.partition(":")
        d = parse_int_text(number, 0, dims - 1)
        if d is not None:
            names.append((d, parse_name(name, limit)))
    return names
