"""A data set of one's own that trains in a moment."""


import pytest

from tests.unit.data.own.images import named, zipped
from vae.data import own


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """240 small images in two classes, as a data set in a folder."""
    path = tmp_path_factory.mktemp("data") / "boxes"
    source = own.open_source([("a.zip", zipped(named(240)))])
    own.build(source, own.check(source, 28), path, "Boxes", 28)
    return path


@pytest.fixture
def info(folder):
    return own.read(folder)
