import numpy as np
import pytest
from PIL import Image, ImageDraw

from vae.data import sprites


def one(shape=0, scale=5, orientation=0, x=0, y=0):
    return sprites.render(np.array([[shape, scale, orientation, x, y]]))[0, 0] > 0


def in_frame_of_shape(scale, orientation, x, y):
    """u, v of every pixel, from the published geometry."""
    columns, rows = np.meshgrid(np.arange(64), np.arange(64))
    size, angle = np.linspace(0.5, 1, 6)[scale], np.linspace(0, 2 * np.pi, 40)[orientation]
    dx = (columns - (15.5 + 32 * np.linspace(0, 1, 32)[x])) / size
    dy = (rows - (15.5 + 32 * np.linspace(0, 1, 32)[y])) / size
    c, s = np.cos(angle), -np.sin(angle)
    return c * dx + s * dy, -s * dx + c * dy


FACTORS = [(5, 0, 0, 0), (0, 7, 31, 31), (3, 13, 10, 20), (5, 39, 31, 0), (2, 21, 16, 5)]


@pytest.mark.parametrize("factors", FACTORS)
def test_square_and_ellipse_pixel_by_pixel(factors):
    u, v = in_frame_of_shape(*factors)
    np.testing.assert_array_equal(one(0, *factors), np.maximum(abs(u), abs(v)) <= 9.6)
    np.testing.assert_array_equal(one(1, *factors), (u / 12.8) ** 2 + (v / 7.2) ** 2 <= 1)


@pytest.mark.parametrize("factors", FACTORS)
def test_heart_against_its_curve_drawn_as_a_polygon(factors):
    u, v = in_frame_of_shape(*factors)
    t = np.linspace(0, 2 * np.pi, 5000)
    x = 0.61 * 16 * np.sin(t) ** 3
    y = -(0.66 * (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) + 1.5)
    zoom, half = 100, 20  # the polygon is drawn 100 times as large, around the centre
    canvas = Image.new("1", (2 * half * zoom, 2 * half * zoom))
    ImageDraw.Draw(canvas).polygon([((a + half) * zoom, (b + half) * zoom) for a, b in zip(x, y, strict=False)], 1)
    drawn = np.asarray(canvas)
    column, row = (np.rint((w + half) * zoom).astype(int) for w in (u, v))
    near = (abs(u) < half - 1) & (abs(v) < half - 1)
    expected = np.zeros((64, 64), bool)
    expected[near] = drawn[row[near], column[near]]
    assert (one(2, *factors) != expected).sum() <= 3  # pixels that the outline itself touches


def test_known_areas_and_centres():
    square = one(0, 5, 0, 31, 0)
    rows, columns = np.nonzero(square)
    # |d| <= 9.6 around 47.5 and 15.5: 20 pixels each way
    assert square.sum() == 400
    assert (columns.mean(), rows.mean()) == (47.5, 15.5)
    assert one(1, 5).sum() == pytest.approx(np.pi * 12.8 * 7.2, rel=0.03)


def test_orientation_is_periodic_and_scale_grows():
    np.testing.assert_array_equal(one(2, 5, 0), one(2, 5, 39))  # 0 and 2 pi, as in dSprites
    areas = [one(2, scale).sum() for scale in range(6)]
    assert areas == sorted(areas) and areas[5] > 3 * areas[0]


def test_values_are_black_or_white():
    assert set(np.unique(sprites.render(np.array([[1, 2, 3, 4, 5]])))) == {0, 255}


@pytest.mark.parametrize("bad", [[[3, 0, 0, 0, 0]], [[0, 0, 0, 0, -1]], [[0, 0, 0, 0]], [0, 0, 0, 0, 0]])
def test_foreign_factors_are_refused(bad):
    with pytest.raises(ValueError):
        sprites.render(np.array(bad))


def test_splits_are_disjoint_complete_and_balanced():
    parts = {name: sprites.GRID.numbers(sprites.load(name).factors) for name in ("train", "validation", "test")}
    assert [len(part) for part in parts.values()] == [722_280, 5_000, 10_000]
    assert len(np.unique(np.concatenate(list(parts.values())))) == 737_280
    # what was "train" before there was a validation split, in its order
    before = sprites.GRID.numbers(sprites.load("train+validation").factors)
    assert np.array_equal(before, np.sort(np.concatenate([parts["train"], parts["validation"]])))
    test = sprites.load("test")
    for factor, size in zip(test.factors.T, sprites.FACTOR_SIZES, strict=False):
        counts = np.bincount(factor, minlength=size)
        expected = 10_000 / size
        assert (abs(counts - expected) < 5 * expected**0.5).all()
    # the split must never change: shipped figures depend on it
    assert test.factors[:3].tolist() == [[2, 2, 25, 3, 22], [1, 4, 35, 9, 1], [1, 0, 29, 2, 26]]
    assert sprites.load("validation").factors[:2].tolist() == [[0, 0, 23, 25, 11], [0, 5, 4, 20, 24]]


def test_batch_shows_what_its_factors_say():
    test = sprites.load("test")
    x, y = test.batch([5, 17])
    assert x.shape == (2, 1, 64, 64) and y.tolist() == test.factors[[5, 17], 0].tolist()
    np.testing.assert_array_equal(x[1, 0].numpy() > 0, one(*test.factors[17]))
