"""What a file is, by its first bytes: image formats that are decoded, and others that get a sentence."""

from __future__ import annotations

import re
from typing import NamedTuple

ACCEPTED = "PNG, JPEG, WebP or GIF"
SUFFIXES = ("png", "apng", "jpg", "jpeg", "jfif", "jpe", "webp", "gif")  # usual for these; the bytes decide

_PICTURE, _PAGE = "save it as PNG or JPEG", "save its page as PNG or take a screenshot"
_OTHERS = (  # (first bytes, what the file is, what to do)
    (b"BM", "a BMP image", _PICTURE),
    (b"II*\0", "a TIFF image or a raw photo", _PICTURE),
    (b"MM\0*", "a TIFF image or a raw photo", _PICTURE),
    (b"II+\0", "a TIFF image", _PICTURE),
    (b"MM\0+", "a TIFF image", _PICTURE),
    (b"8BPS", "a Photoshop file", "export it as PNG or JPEG"),
    (b"gimp xcf", "a GIMP file", "export it as PNG or JPEG"),
    (b"\0\0\x01\0", "an icon", "save it as PNG"),
    (b"\xff\x0a", "a JPEG XL image", _PICTURE),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image", _PICTURE),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image", _PICTURE),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image", _PICTURE),
    (b"%PDF", "a PDF", _PAGE),
    (b"%!PS", "a PostScript file", _PAGE),
    (b"PK\x03\x04", "a zip or an office document", "choose an image"),
    (b"Rar!", "an archive", "choose an image"),
    (b"7z\xbc\xaf", "an archive", "choose an image"),
    (b"\x1f\x8b", "an archive", "choose an image"),
    (b"\x1aE\xdf\xa3", "a video", "take a screenshot of it"),
)  # fmt: skip
_BRANDS = (  # of the boxes in which HEIC, AVIF and videos come
    ((b"avif", b"avis"), "an AVIF image", _PICTURE),
    ((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "a HEIC photo",
     "export it as JPEG or take a screenshot"),
    ((b"",), "a video", "take a screenshot of it"),
)  # fmt: skip


def format_of(content: bytes) -> str | None:
    """Return Pillow's name of the format of an image that can be decoded here; None for any other file."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    return None


def refusal(content: bytes) -> str:
    """Return the sentence on a file that has none of these formats: what it is, and what to do."""
    what, todo = _other(content)
    if not what:
        return f"This file is not a {ACCEPTED} image, or it is damaged."
    return f"This is {what}, not a {ACCEPTED} image; {todo}."


def _other(content: bytes) -> tuple[str, str]:
    for signature, what, todo in _OTHERS:
        if content.startswith(signature):
            return what, todo
    if content[4:8] == b"ftyp":
        brands = content[8 : min(int.from_bytes(content[:4], "big"), 256)]
        return next((what, todo) for known, what, todo in _BRANDS if any(brand in brands for brand in known))
    start = content[:2000]
    if re.search(rb"<svg[\s>]", start, re.IGNORECASE):
        return "an SVG drawing", "export it as PNG"
    if re.search(rb"<(!doctype html|html)[\s>]", start, re.IGNORECASE):
        return "a web page", "save the image itself"
    return ("text", "choose an image") if _is_text(start) else ("", "")


def _is_text(start: bytes) -> bool:
    text = start.decode("utf-8", "ignore")  # the last character may be cut
    return len(text.encode("utf-8")) > len(start) - 4 and all(c.isprintable() or c in "\n\r\t\ufeff" for c in text)


class Scans(NamedTuple):
    """How a JPEG's coefficients are stored."""

    passes: int
    buffered: bool  # they come in several scans, so that a decoder holds all of them


_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])")  # those with a length, and the end
_END, _SCAN, _PROGRESSIVE = 0xD9, 0xDA, (0xC2, 0xC6, 0xCA, 0xCE)
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
MAX_SEGMENTS = 1000  # of a JPEG: a few hundred in large profiles and many scans


def jpeg_scans(content: bytes) -> Scans | None:
    """Return how a JPEG is stored, from its markers alone; None where it has more than MAX_SEGMENTS.

    A small file may ask for thousands of passes over a large image; and a decoder holds every coefficient of an
    image that is progressive, or whose first scan lacks a component.
    """
    at, passes, components, buffered = 2, 0, 0, False
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(content, at)
        if found is None or found[1][0] == _END:
            return Scans(passes, buffered)
        kind, at = found[1][0], found.end()
        if kind in _FRAMES:
            components = content[at + 7] if len(content) > at + 7 else 0
            buffered = kind in _PROGRESSIVE
        elif kind == _SCAN:
            passes += 1
            buffered = buffered or (len(content) > at + 2 and content[at + 2] < components)
        at += int.from_bytes(content[at : at + 2], "big")
    return None
