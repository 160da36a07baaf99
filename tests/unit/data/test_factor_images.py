import numpy as np
import pytest

from vae.data.base import FactorGrid, Split
from vae.data.factor_images import FactorImages

FACTORS = np.array([[0, 0, 2], [0, 1, 0], [1, 3, 1], [1, 0, 0], [1, 3, 2]])


@pytest.fixture
def images():
    pixels = np.arange(5, dtype=np.uint8)[:, None, None, None]
    split = Split(pixels.__getitem__, np.zeros(5, int), FACTORS)
    return FactorImages(("a", "b", "c"), (("0", "1"), tuple("0123"), tuple("012")), split)


def test_an_image_is_found_by_its_factors(images):
    assert images.sizes == (2, 4, 3)
    assert images.render(FACTORS).ravel().tolist() == [0, 1, 2, 3, 4]
    # one factor differs; of two such images the one that differs by less
    assert images.render(np.array([[1, 2, 1], [0, 0, 0], [1, 2, 2]])).ravel().tolist() == [2, 1, 4]


def test_a_factor_that_is_set_is_kept_where_an_image_has_it(images):
    assert images.nearest(np.array([0, 3, 2]), 1).tolist() == [1, 3, 2]
    assert images.nearest(np.array([0, 3, 1]), 0).tolist() == [0, 1, 0]
    assert images.nearest(np.array([0, 2, 2]), 1)[1] == 3  # no image has value 2


def test_a_sweep_has_one_image_for_each_value_that_there_is(images):
    swept = images.sweep(np.array([1, 3, 2]), 1)
    assert swept[:, 1].tolist() == [0, 1, 3]
    assert all(row in FACTORS.tolist() for row in swept.tolist())
    assert swept[0].tolist() == [0, 0, 2] or swept[0].tolist() == [1, 0, 0]
    assert images.sweep(np.array([1, 3, 2]), 0)[1].tolist() == [1, 3, 2]


def test_a_full_grid_has_every_image_itself():
    grid = FactorGrid(("a",), (("0", "1"),), lambda factors: np.zeros((len(factors), 1, 2, 2), np.uint8))
    assert grid.nearest(np.array([1]), 0).tolist() == [1]
