"""Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28x28 grey (Xiao, Rasul & Vollgraf 2017)."""

from functools import partial

from . import idx
from .base import DATASETS, DatasetInfo
from .preparing import Preparation

MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
CONTENT_MD5 = {
    "train-images-idx3-ubyte.gz": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte.gz": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte.gz": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte.gz": "15d484375f8d13e6eb1aabb0c3f46965",
}

INFO = DATASETS.register("fashion-mnist")(DatasetInfo(
    name="fashion-mnist",
    title="Fashion-MNIST clothes",
    image_shape=(1, 28, 28),
    classes=(
        "T-shirt", "trouser", "pullover", "dress", "coat",
        "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    licence="MIT, (c) 2017 Zalando SE",
    source="H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST (Zalando Research)",
    load=partial(idx.load, "fashion-mnist", mirrors=MIRRORS, content_md5=CONTENT_MD5),
    noun="clothes",
    preparation=Preparation("garment", light_on_dark=True, longer_side=28),
    out_of_distribution=("mnist",),
    shipped=idx.SHIPPED,
    offline=(idx.TRAIN, idx.VALIDATION),
    raw_files=idx.raw_files("fashion-mnist"),
))  # fmt: skip
