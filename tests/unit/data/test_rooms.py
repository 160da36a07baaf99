import colorsys

import numpy as np
import pytest

from vae.data import rooms

# floor hue, wall hue, object hue, scale, shape, yaw
MIDDLE = [0, 3, 6, 4, 2, 7]


def one(*factors):
    return rooms.render(np.array([factors]))[0].astype(int)  # (3, 64, 64)


def hue(pixel):
    return colorsys.rgb_to_hsv(*(pixel / 255))[0] * 10


def test_each_surface_has_its_hue():
    image = one(*MIDDLE)
    assert hue(image[:, 60, 5]) % 10 == pytest.approx(0, abs=0.1)
    assert hue(image[:, 4, 32]) == pytest.approx(3, abs=0.1)
    assert hue(image[:, 36, 34]) == pytest.approx(6, abs=0.3)


@pytest.mark.parametrize("factor, touched", [(0, "floor"), (1, "wall"), (2, "object")])
def test_a_hue_changes_its_own_surface_alone(factor, touched):
    changed = list(MIDDLE)
    changed[factor] += 1
    moved = (one(*changed) != one(*MIDDLE)).any(0)
    places = {"floor": moved[60, 5], "wall": moved[4, 32], "object": moved[36, 34]}
    assert {place for place, is_moved in places.items() if is_moved} == {touched}


@pytest.mark.parametrize("shape", range(4))
def test_scale_grows_the_object(shape):
    def size(scale):  # pixels that change with the object's hue
        a, b = one(0, 3, 6, scale, shape, 7), one(0, 3, 1, scale, shape, 7)
        return (abs(a - b).max(0) > 40).sum()

    sizes = [size(scale) for scale in range(8)]
    assert sizes == sorted(sizes) and sizes[7] > 2 * sizes[0]


def test_shapes_and_yaws_all_differ():
    views = rooms.render(np.array([[0, 3, 6, 4, shape, yaw] for shape in range(4) for yaw in range(15)]))
    flat = views.reshape(60, -1).astype(int)
    distances = abs(flat[:, None] - flat[None]).mean(2) + 1e9 * np.eye(60)
    assert distances.min() > 0.5


def test_the_sphere_is_where_perspective_puts_it():
    """The sphere's centre, one radius above the floor, by a projection written anew."""
    scale, yaw = rooms.SCALE[0], rooms.YAW[12]
    camera = np.array([6 * np.sin(yaw), 3.4, 6 * np.cos(yaw)])
    forward = np.array([0, 0.75, 0]) - camera
    distance = np.linalg.norm(forward)
    forward /= distance
    up = np.array([0, 1, 0]) - forward[1] * forward
    up /= np.linalg.norm(up)
    to_centre = np.array([0, scale, 0]) - camera
    row = 31.5 - 32 * (to_centre @ up) / (to_centre @ forward) / np.tan(np.radians(21))
    a, b = one(0, 3, 6, 0, 2, 12), one(0, 3, 1, 0, 2, 12)
    rows, columns = np.nonzero(abs(a - b).max(0) > 30)
    assert columns.mean() == pytest.approx(31.5, abs=0.3)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(row, abs=0.7)


def test_distances_to_the_solids():
    centre, above = np.array([[0.0, 1.0, 0.0]]), np.array([[0.0, 5.0, 0.0]])
    assert rooms.distance(centre, 2, 1.0) == pytest.approx(-1)
    assert rooms.distance(above, 2, 1.0) == pytest.approx(3)
    assert rooms.distance(2 * above, 2, 2.0) == pytest.approx(6)
    assert rooms.distance(above, 0, 1.0) == pytest.approx(5 - 1.7)
    assert rooms.distance(above, 1, 1.0) == pytest.approx(5 - 2)
    assert rooms.distance(above, 3, 1.0) == pytest.approx(5 - 1.2)
    for shape in range(4):  # all stand on the floor
        floor = np.stack(np.meshgrid(np.linspace(-2, 2, 81), [0.0], np.linspace(-2, 2, 81)), -1)
        nearest = rooms.distance(floor.reshape(-1, 3), shape, 1.0).min()
        assert nearest == pytest.approx(0, abs=0.01), shape


def test_marching_meets_the_sphere_where_algebra_says():
    origins = np.array([[0.0, 1, 5], [0.5, 1, 5], [2.0, 1, 5]], np.float32)
    directions = np.tile(np.array([[0, 0, -1]], np.float32), (3, 1))
    t, clearance = rooms.march(origins, directions, 2, 1.0)
    assert t[:2] == pytest.approx([4, 5 - 0.75**0.5], abs=0.01) and np.isinf(t[2])
    assert clearance[2] > 0.1 and clearance[0] < 0.01


def test_the_stored_views_are_what_the_ray_marcher_draws():
    with np.load(rooms.GEOMETRY) as file:
        stored = file["amounts"]
    assert rooms.GEOMETRY.stat().st_size < 1_000_000 and stored.shape == (8, 4, 15, 4, 64, 64)
    for scale, shape, yaw in [(0, 0, 0), (7, 3, 12)]:
        drawn = rooms.view(shape, rooms.SCALE[scale], rooms.YAW[yaw])
        # rounding may differ from machine to machine
        assert abs(drawn.astype(int) - stored[scale, shape, yaw]).max() <= 2


@pytest.mark.parametrize("bad", [[[10, 0, 0, 0, 0, 0]], [[0, 0, 0, 0, -1, 0]], [[0, 0, 0, 0]], [0] * 6])
def test_foreign_factors_are_refused(bad):
    with pytest.raises(ValueError):
        rooms.render(np.array(bad))


def test_splits_are_disjoint_and_complete():
    parts = [rooms.load(name) for name in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [465_000, 5_000, 10_000]
    assert len(np.unique(np.concatenate([rooms.GRID.numbers(part.factors) for part in parts]))) == 480_000
    test = parts[2]
    x, y = test.batch([5, 17])
    assert x.shape == (2, 3, 64, 64) and y.tolist() == test.factors[[5, 17], 4].tolist()
    assert 0 <= x.min() and x.max() <= 1
