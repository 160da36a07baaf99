"""Settings that must precede torch, and data that every test can have without a download."""

import importlib
import os
import shutil
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["VAE_HOME"] = tempfile.mkdtemp()  # no test reads or writes the user's own folder
# The workers of xdist and the apps that tests start inherit this; pytest -n 0 itself started too early.
os.environ["PYTHONWARNDEFAULTENCODING"] = "1"

import hypothesis
import numpy as np
import pytest

import vae.data
from vae.data import DATASETS, Split
from vae.registry import import_all

USER_FOLDER = os.environ["VAE_HOME"]

hypothesis.settings.register_profile("no-deadline", deadline=None)  # this machine may be busy
hypothesis.settings.load_profile("no-deadline")


def pytest_unconfigure():
    shutil.rmtree(USER_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def browser():
    """Chromium, one for all tests of a process: Playwright allows no second one beside it."""
    from .browser.app_server import CHROMIUM, chromium

    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Chromium: .ci/run must install it")
        pytest.skip("no Chromium on this machine: browser tests are left out")
    with chromium() as browser:
        yield browser


@pytest.fixture
def tiny_split():
    """Stands in for a data set: n random images of a shape, with classes 0 to 9."""

    def make(image_shape, n=64):
        images = np.random.default_rng(0).integers(0, 256, (n, *image_shape), dtype=np.uint8)
        return Split(lambda indices: images[indices], np.arange(n) % 10)

    return make


STRIPES = """
import numpy as np
from vae.data.base import DATASETS, DatasetInfo, Split, check_split
from vae.data.preparing import Preparation

def render(rows):
    images = np.zeros((len(rows), 1, 28, 28), np.uint8)
    for image, row in zip(images, rows):
        image[0, :, 2 * (row % 10) : 2 * (row % 10) + 3] = 100 + row % 150
    return images

def load(split, download=True):
    check_split(split)
    return Split(render, np.arange(6000) % 10, name=split)

DATASETS.register("stripes")(DatasetInfo(
    name="stripes", title="Stripes", image_shape=(1, 28, 28), classes=tuple("abcdefghij"),
    licence="MIT", source="this test", load=load, noun="stripes",
    preparation=Preparation(light_on_dark=True),
))
"""


@pytest.fixture
def stripes(tmp_path, monkeypatch):
    """A data set that is one new file, and that nothing else knows of."""
    (tmp_path / "stripes.py").write_text(STRIPES, encoding="utf-8")
    monkeypatch.setattr(vae.data, "__path__", [*vae.data.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    import_all(vae.data)
    yield DATASETS["stripes"]
    del DATASETS["stripes"], DATASETS.files["stripes"], sys.modules["vae.data.stripes"], vae.data.stripes
