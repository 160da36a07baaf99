"""MNIST: 60,000 + 10,000 handwritten digits, 28x28 grey (LeCun, Cortes & Burges 1998)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from . import idx
from .base import DATASETS, DatasetInfo, Split
from .preparing import Preparation

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
CONTENT_MD5 = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}

INFO = DATASETS.register("mnist")(DatasetInfo(
    name="mnist",
    title="MNIST digits",
    image_shape=(1, 28, 28),
    classes=tuple("0123456789"),
    licence="CC BY-SA 3.0",
    source="Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits",
    load=partial(idx.load, "mnist", mirrors=MIRRORS, content_md5=CONTENT_MD5),
    noun="digits",
    preparation=Preparation("digit", light_on_dark=True, longer_side=20, stroke=2.1, by_mass=True),
    denoising=True,
    out_of_distribution=("fashion-mnist",),
    shipped=idx.SHIPPED,
    offline=(idx.TRAIN, idx.VALIDATION),
    raw_files=idx.raw_files("mnist"),
))  # fmt: skip


def load_binary(split: str, download: bool = True) -> Split:
    """Return one of MNIST's splits. In those for testing and validation every pixel is white or black, sampled once
    with its grey value as probability. Others have the grey values, which training samples again at every step.

    This is the dynamic binarisation of Salakhutdinov & Murray (2008), as used by Burda et al. (2016).
    """
    grey = INFO.load(split, download=download)
    if split not in ("test", "validation", idx.VALIDATION):
        return grey
    return replace(grey, render=partial(_binarised, grey.render))


def _binarised(render: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Render rows (B,), each pixel white with its grey value as probability: (B, 1, 28, 28), 0 or 255."""
    grey = render(rows)
    # seeded by row, so that an image is the same in every batch
    noise = [np.random.RandomState(int(row)).random_sample((1, 28, 28)) for row in rows]
    return (255 * (np.reshape(noise, grey.shape) < grey / 255)).astype(np.uint8)


# computed from the grey images, so it has no gallery of its own
BINARY = DATASETS.register("mnist-binary")(replace(
    INFO, name="mnist-binary", title="MNIST digits, black and white", load=load_binary, binary=True,
    preparation=replace(INFO.preparation, binary=True), denoising=False, out_of_distribution=(), shipped=(),
    gallery_of="mnist",
))  # fmt: skip
