import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae.data.area import area_average, area_average_of_blocks


def by_hand(values, size, box):
    """The mean over each rectangle, from the part of every pixel that lies in it."""
    left, top, right, bottom = box

    def parts(n, to, start, end):
        edges = start + (end - start) * np.arange(to + 1) / to
        inside = np.minimum(edges[1:, None], np.arange(n) + 1) - np.maximum(edges[:-1, None], np.arange(n))
        return np.clip(inside, 0, None) * to / (end - start)

    rows = np.tensordot(parts(values.shape[0], size[1], top, bottom), values, 1)
    return np.moveaxis(np.tensordot(parts(values.shape[1], size[0], left, right), rows, (1, 1)), 0, 1)


@st.composite
def pictures(draw):
    side = st.integers(1, 40)
    shape = (draw(side), draw(side), draw(st.integers(1, 4)))
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, shape)
    return values.astype(np.float64), (draw(side), draw(side))


@given(pictures(), st.tuples(*[st.floats(0, 0.45)] * 4))
def test_every_pixel_is_the_mean_over_its_rectangle(picture, cut):
    values, size = picture
    height, width = values.shape[:2]
    box = (cut[0] * width, cut[1] * height, (1 - cut[2]) * width, (1 - cut[3]) * height)
    np.testing.assert_allclose(area_average(values, size, box), by_hand(values, size, box), atol=1e-9)


@given(pictures(), st.integers(1, 50))
def test_blocks_give_the_same_as_the_whole(picture, rows):
    values, size = picture
    blocks = (values[y : y + rows] for y in range(0, len(values), rows))
    averaged = area_average_of_blocks(blocks, len(values), size)
    np.testing.assert_allclose(averaged, area_average(values, size), atol=1e-9)


def test_the_mean_of_the_picture_stays_and_so_does_one_tone():
    values = np.random.default_rng(0).integers(0, 256, (997, 641, 3))
    assert area_average(values, (64, 96)).mean() == pytest.approx(values.mean(), abs=1e-9)
    assert np.abs(area_average(np.full((997, 641), 245), (64, 96)) - 245).max() < 1e-9


def test_grey_pictures_have_no_channels_and_a_lost_block_is_noticed():
    values = np.arange(16).reshape(4, 4)
    np.testing.assert_array_equal(area_average(values, (2, 2)), [[2.5, 4.5], [10.5, 12.5]])
    with pytest.raises(ValueError, match="blocks of 2 rows for a picture of 4"):
        area_average_of_blocks([values[:2]], 4, (2, 2))
