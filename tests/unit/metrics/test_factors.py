"""What reconstructions keep and codes hold of each factor, and which dimension owns it, where the answer is known."""

import numpy as np
import pytest

from vae import metrics
from vae.data import DATASETS
from vae.data.base import Cycle, Factors
from vae.metrics.factors import chance, parts

# an angle of eight steps, on shapes that look the same once, twice and four times in a turn
TURNS = tuple(np.arange(8) / 8)
FACTORS = Factors(
    ("shape", "angle", "size", "colour"),
    (("heart", "ellipse", "square"), tuple("01234567"), tuple("abcdef"), ("red",)),
    ordered=frozenset({"size"}), cycles={"angle": Cycle(TURNS, "shape", {"ellipse": 2, "square": 4})},
)  # fmt: skip
RNG = np.random.default_rng(0)
VALUES = np.c_[RNG.integers(0, 3, 3000), RNG.integers(0, 8, 3000), RNG.integers(0, 6, 3000), np.zeros(3000, int)]
ANGLES = ("angle (heart)", "angle (ellipse)", "angle (square)")
NAMES = ("shape", *ANGLES, "size")


def certain(values, sizes=(3, 8, 6, 1)):
    """The probabilities of a classifier that is sure of these values (N, K)."""
    return [np.eye(size)[values[:, k]] for k, size in enumerate(sizes)]


def test_a_factor_with_symmetries_has_a_part_for_each_shape_and_a_constant_one_has_none():
    found = {part.name: part for part in parts(FACTORS, VALUES)}
    assert tuple(found) == NAMES
    np.testing.assert_array_equal(found["angle (ellipse)"].rows, np.flatnonzero(VALUES[:, 0] == 1))
    # an ellipse turned by half a turn is itself; a square turned by two eighths too
    np.testing.assert_allclose(found["angle (ellipse)"].table[1], found["angle (ellipse)"].table[5], atol=1e-12)
    np.testing.assert_allclose(found["angle (square)"].table[1], found["angle (square)"].table[3], atol=1e-12)
    assert not np.allclose(found["angle (heart)"].table[1], found["angle (heart)"].table[5])


def test_what_a_sure_and_right_classifier_reads_is_kept():
    assert metrics.kept(certain(VALUES), FACTORS, VALUES) == pytest.approx(dict.fromkeys(NAMES, 1.0))


def test_a_symmetric_angle_is_kept_and_a_hearts_is_not():
    turned = VALUES.copy()
    turned[:, 1] = (turned[:, 1] + 4 * RNG.integers(0, 2, 3000)) % 8  # by half a turn, or not
    found = metrics.kept(certain(turned), FACTORS, VALUES)
    assert found["angle (ellipse)"] == pytest.approx(1) and found["angle (square)"] == pytest.approx(1)
    assert found["angle (heart)"] < 0.1


def test_what_a_classifier_cannot_see_is_not_kept():
    """Of discs: every image has the most frequent shape, and other factors have the probabilities of all images."""
    share = [np.bincount(VALUES[:, k], minlength=size) / 3000 for k, size in enumerate((3, 8, 6, 1))]
    found = metrics.kept([np.tile(p, (3000, 1)) for p in share], FACTORS, VALUES)
    by_chance = chance(FACTORS, VALUES)
    assert by_chance["shape"] == pytest.approx(1 / 3, abs=0.02) and by_chance["size"] == 0
    assert found == pytest.approx(by_chance, abs=0.01)


def test_trees_find_what_codes_hold():
    angle = 2 * np.pi * np.array(TURNS)[VALUES[:, 1]]
    codes = np.c_[VALUES[:, 0], np.cos(angle), np.sin(angle), VALUES[:, 2]] + 0.02 * RNG.normal(size=(3000, 4))
    found = metrics.held(codes, FACTORS, VALUES)
    assert tuple(found) == NAMES and min(found.values()) > 0.95
    # the size is gone, and so is the side that a heart's tip points to
    double = np.c_[VALUES[:, 0], np.cos(2 * angle), np.sin(2 * angle)] + 0.02 * RNG.normal(size=(3000, 3))
    less = metrics.held(double, FACTORS, VALUES)
    assert less["size"] < 0.1 and less["angle (heart)"] < 0.1 and less["angle (ellipse)"] > 0.95
    nothing = metrics.held(RNG.normal(size=(3000, 3)), FACTORS, VALUES)
    assert max(nothing[name] for name in (*ANGLES, "size")) < 0.1 and nothing["shape"] < 0.45


def test_an_owner_has_twice_the_information_of_the_second():
    nmi = np.array([[0.8, 0.5, 0.0, np.nan, 0.1], [0.4, 0.3, 0.0, np.nan, 0.3], [0.0, 0.0, 0.0, np.nan, 0.9]])
    assert metrics.owners(nmi, (0, 1, 2)) == (0, None, None, None, 2)
    assert metrics.owners(nmi, (0, 1)) == (0, None, None, None, 1)  # an inactive dimension owns nothing
    assert metrics.owners(nmi, (1,)) == (1, 1, None, None, 1)
    assert metrics.owners(nmi, ()) == (None,) * 5


@pytest.mark.parametrize("name, expected", [
    ("sprites", ["shape", "scale", "orientation (square)", "orientation (ellipse)", "orientation (heart)", "x", "y"]),
    ("rooms", ["floor hue", "wall hue", "object hue", "scale", "shape", "yaw"]),
])  # fmt: skip
def test_the_parts_of_shipped_data(name, expected):
    split = DATASETS[name].load("test")
    found = parts(DATASETS[name].factors, split.factors)
    assert [part.name for part in found] == expected
    assert all(part.table is None or len(part.table) == DATASETS[name].factors.sizes[part.factor] for part in found)


def test_symmetries_of_sprites_are_those_of_their_images():
    """Images are alike exactly where their angles are, up to what a shape's symmetry does not show."""
    grid = DATASETS["sprites"].grid
    cycle = grid.cycles["orientation"]
    for v, shape in enumerate(grid.values[0]):
        images = grid.render(np.array([[v, 5, o, 16, 16] for o in range(40)]))[:, 0] > 127
        different = (images[:, None] != images[None]).mean((2, 3))
        turns = cycle.repeats.get(shape, 1) * np.array(cycle.turns)
        apart = np.abs((turns[:, None] - turns + 0.5) % 1 - 0.5)
        assert different[apart < 0.03].max() < different[apart > 0.2].min(), shape
