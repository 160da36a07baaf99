"""Image files as tests need them, some of which Pillow reads but does not write."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6  # colour types of PNG


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(values, colour, interlaced=False, chunks=()):
    """Write values (H, W, C), uint8 or uint16, as a PNG of a colour type."""
    height, width = values.shape[:2]
    depth = 8 * values.dtype.itemsize
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [values[y::down, x::across] for y, x, down, across in passes]
    lines = [row.astype(row.dtype.newbyteorder(">")).tobytes() for part in parts if part.size for row in part]
    data = zlib.compress(b"".join(b"\0" + line for line in lines))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    return SIGNATURE + header + b"".join(chunks) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def promise(format, width, height):
    """The start of a file whose header promises a size and which holds next to nothing."""
    if format == "PNG":
        header = struct.pack(">IIBBBBB", width, height, 8, RGB, 0, 0, 0)
        return SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(100)))
    if format == "GIF":
        content = bytearray(encoded(Image.new("P", (8, 8)), "GIF"))
        content[6:10] = struct.pack("<HH", width, height)
        return bytes(content)
    if format == "WEBP":
        content = bytearray(encoded(Image.new("RGB", (8, 8)), "WEBP"))
        content[26:30] = struct.pack("<HH", width, height)
        return bytes(content)
    content = bytearray(encoded(Image.new("RGB", (8, 8)), "JPEG"))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def noise(height, width, channels=3, top=256):
    """Random values (H, W, C), uint8 or uint16."""
    values = np.random.default_rng(0).integers(0, top, (height, width, channels))
    return values.astype(np.uint8 if top <= 256 else np.uint16)
