"""What decoding an image file adds to the memory: python -m tests.benchmarks.memory_of_files

Each file is made as large as read_image takes its kind and decoded in a process of its own (Linux only).
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from vae.uploads import read_image

ROOT = Path(__file__).parents[2]


def picture(megapixels: float, mode: str = "RGB", noise: int = 32) -> Image.Image:
    """Return a picture of a size, 4 to 3: large spots under as many levels of noise."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = int(megapixels * 1e6 / width)
    random, channels = np.random.default_rng(0), len(mode)
    coarse = Image.merge(mode, [
        Image.fromarray(random.integers(0, 256, (60, 80), dtype=np.uint8)) for _ in range(channels)
    ]).resize((width, height), Image.Resampling.BILINEAR)  # fmt: skip
    fine = random.integers(0, 256, (512, 512, channels), dtype=np.uint8) % noise
    tiled = np.tile(fine, (height // 512 + 1, width // 512 + 1, 1))[:height, :width]
    return Image.frombytes(mode, (width, height), (np.asarray(coarse) // 8 * 7 + tiled).tobytes())


def encoded(image: Image.Image, format: str, **options) -> bytes:
    content = io.BytesIO()
    image.save(content, format, **options)
    return content.getvalue()


def flat(width: int, height: int, mode: str, format: str) -> bytes:
    return encoded(Image.new(mode, (width, height), 200), format)


class Kind(NamedTuple):
    title: str
    make: Callable[[], bytes]


def jpeg(megapixels: float, mode: str = "RGB", **options) -> Callable[[], bytes]:
    return lambda: encoded(picture(megapixels, mode), "JPEG", quality=85, **options)


KINDS = {
    "baseline": Kind("JPEG, 48 megapixels", jpeg(48)),
    "progressive": Kind("progressive JPEG, 20 megapixels", jpeg(20, progressive=True)),
    "full": Kind("progressive JPEG, 20 megapixels, no chroma subsampling", jpeg(20, progressive=True, subsampling=0)),
    "cmyk": Kind("progressive CMYK JPEG, 15 megapixels", jpeg(15, "CMYK", progressive=True)),
    "png": Kind("RGBA PNG, 15 megapixels", lambda: encoded(picture(15, "RGBA", noise=1), "PNG", compress_level=1)),
    "wide": Kind("RGBA PNG, 65,500 x 229 pixels", lambda: flat(65_500, 229, "RGBA", "PNG")),
    "grey": Kind("16-bit PNG, 15 megapixels", lambda: flat(4472, 3354, "I;16", "PNG")),
    "palette": Kind("palette PNG, 15 megapixels", lambda: flat(4472, 3354, "P", "PNG")),
    "webp": Kind("WebP, 8 megapixels", lambda: encoded(picture(8), "WEBP", quality=80, method=0)),
    "alpha": Kind("WebP with alpha, 6 megapixels", lambda: encoded(picture(6, "RGBA"), "WEBP", quality=80, method=0)),
    "lossless": Kind("lossless WebP, 6 megapixels", lambda: encoded(picture(6), "WEBP", lossless=True, quality=0)),
    "gif": Kind("GIF, 30 megapixels", lambda: encoded(picture(30, "RGB").quantize(64), "GIF")),
}  # fmt: skip


class Cost(NamedTuple):
    megabytes: float  # added to the resident memory at its peak, without the file itself
    seconds: float


def cost(content: bytes) -> Cost:
    """Decode a file in a new process and return what it costs there."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        command = [sys.executable, "-m", "tests.benchmarks.memory_of_files", file.name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)
    return Cost(*map(float, done.stdout.split()))


def measure(path: str) -> None:
    """Print the cost of decoding a file in this process."""
    content = Path(path).read_bytes()
    read_image(encoded(Image.new("RGB", (8, 8)), "PNG"))  # what the first call imports
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak is counted from here
    before, start = resident("VmRSS"), time.perf_counter()
    read_image(content)
    print((resident("VmHWM") - before) / 1e6, time.perf_counter() - start)


def resident(field: str) -> int:
    """Return a field of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def main() -> None:
    print("| file | its bytes | added memory at the peak | time |\n|---|---|---|---|")
    for kind in KINDS.values():
        content = kind.make()
        megabytes, seconds = cost(content)
        print(f"| {kind.title} | {len(content) / 1e6:.1f} MB | {megabytes:.0f} MB | {seconds:.2f} s |", flush=True)


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
