"""The browser's PNG encoder, run in node: Pillow decodes its files to the pixels that went in."""

import io
import json
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from .test_network import node_of

SCRIPT = Path(__file__).parents[2] / "js/run_png.mjs"


def encoded(pixels: np.ndarray, **options) -> Image.Image:
    """Encode pixels (H, W, 4) uint8 in node; return the file as Pillow opens it, with its checksums verified."""
    height, width, _ = pixels.shape
    job = {"picture": {"rgba": pixels.ravel().tolist(), "width": width, "height": height}, "options": options}
    done = subprocess.run([node_of(), SCRIPT], input=json.dumps(job).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    Image.open(io.BytesIO(done.stdout)).verify()
    image = Image.open(io.BytesIO(done.stdout))
    image.load()
    return image


def test_pixels_come_back_enlarged_without_smoothing():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4)).astype(np.uint8)
    image = encoded(pixels, scale=3)
    assert image.format == "PNG" and image.mode == "RGB" and "Copyright" not in image.info
    np.testing.assert_array_equal(np.asarray(image), np.kron(pixels[..., :3], np.ones((3, 3, 1), np.uint8)))


def test_the_file_names_its_copyright_in_any_alphabet():
    image = encoded(np.zeros((1, 1, 4), np.uint8), copyright="Modèle (β = 4), CC BY-SA 3.0")
    assert image.info["Copyright"] == "Modèle (β = 4), CC BY-SA 3.0"
