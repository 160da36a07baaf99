"""The browser's GIF encoder, run in node: Pillow decodes its files to the frames that went in."""

import base64
import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from .test_network import node_of

SCRIPT = Path(__file__).parents[2] / "js/run_gif.mjs"


def encoded(frames: np.ndarray, **options) -> Image.Image:
    """Encode frames (N, H, W, C) uint8 in node; return the file as Pillow opens it."""
    _, height, width, channels = frames.shape
    options = {"width": width, "height": height, "channels": channels, "delay": 8, **options}
    job = {"frames": [base64.b64encode(frame.tobytes()).decode() for frame in frames], "options": options}
    done = subprocess.run([node_of(), SCRIPT], input=json.dumps([job]).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return Image.open(io.BytesIO(base64.b64decode(json.loads(done.stdout)[0])))


def decoded(image: Image.Image) -> np.ndarray:
    return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)])


def noise(*shape: int, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(low, high, shape).astype(np.uint8)


# noise fills LZW's table several times, constant frames have the longest strings, two colours the fewest bits
@pytest.mark.parametrize("frames", [
    noise(3, 64, 48, 1), np.full((2, 40, 300, 1), 7, np.uint8), 255 * noise(2, 9, 5, 1, high=2),
    noise(4, 70, 70, 1, high=17), noise(3, 1, 1, 1), 80 * noise(3, 20, 31, 3, high=4),
], ids=["grey noise", "constant", "two colours", "17 greys", "one pixel", "64 colours"])  # fmt: skip
def test_up_to_256_colours_come_back_exactly(frames):
    found = decoded(encoded(frames))
    # Pillow merges equal frames, and so must the expected ones
    expected = [frames[0], *(b for a, b in zip(frames, frames[1:], strict=False) if (a != b).any())]
    np.testing.assert_array_equal(found[: len(expected)], np.broadcast_to(expected, found[: len(expected)].shape))


def test_more_colours_are_reduced_to_near_ones():
    x, y = np.meshgrid(np.linspace(0, 255, 64), np.linspace(0, 255, 64))
    frames = np.stack([x, y, 255 - x], -1)[None].astype(np.uint8)
    found = decoded(encoded(frames))
    error = np.abs(found.astype(int) - frames).max(-1)
    assert error.mean() < 10 and error.max() < 32  # 256 boxes of 16 x 16 values each lie within 8 of their means


def test_pixels_are_enlarged_and_the_file_says_how_long_and_by_whom():
    frames = noise(2, 5, 7, 1)
    image = encoded(frames, scale=3, delay=12, comment="MNIST, CC BY-SA 3.0 – made here")
    assert image.size == (21, 15) and image.info["loop"] == 0 and image.info["duration"] == 120
    assert image.info["comment"] == b"MNIST, CC BY-SA 3.0 ? made here"
    np.testing.assert_array_equal(decoded(image)[:, ::3, ::3, :1], frames)
