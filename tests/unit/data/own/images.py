"""Small images of one's own for tests, as files of a folder or of a zip."""

import functools
import io
import zipfile

import numpy as np
from PIL import Image

from ..files import encoded


@functools.cache
def picture(seed, size=(20, 20), colour=False, format="PNG"):
    """An image file that is different for each seed: a bright rectangle on black."""
    random = np.random.default_rng(seed)
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = random.integers(0, size[0] // 2), random.integers(0, size[1] // 2)
    pixels[top : top + size[1] // 2, left : left + size[0] // 2] = random.integers(64, 256, 3 if colour else 1)
    pixels[: size[1] // 4, : size[0] // 4] = random.integers(0, 256)
    return encoded(Image.fromarray(pixels), format)


def named(n=120, **options):
    """n different images in two folders: [(path, content)]."""
    return [(f"{'ab'[i % 2]}/{i:03}.png", picture(i, **options)) for i in range(n)]


def zipped(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def unpacked(entries, folder):
    """Write entries below a folder and return it."""
    for name, content in entries:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
