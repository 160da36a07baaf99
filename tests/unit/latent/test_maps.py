import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import brentq

from tests.benchmarks import placing
from vae.latent import maps


def test_placing_a_code_on_its_own_place():
    rng = np.random.default_rng(0)
    codes, xy = rng.normal(size=(200, 5)), rng.normal(size=(200, 2))
    for push in (None, maps.umap_repulsion(xy)):
        np.testing.assert_allclose(maps.place(codes[:3], codes, xy, push), xy[:3], atol=1e-6)


def test_place_is_the_mean_weighted_by_memberships():
    codes = np.array([[0.0], [3.0], [4.0], [100.0]])
    xy = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0], [50.0, 50.0]])
    # from 1: distances 1, 2 and 3. exp(-2 / s) + exp(-3 / s) must be log2(3)
    s = brentq(lambda s: np.exp(-2 / s) + np.exp(-3 / s) - np.log2(3), 0.1, 100)
    weights = np.exp(-np.array([1, 2, 3]) / s)
    expected = weights @ xy[:3] / weights.sum()
    np.testing.assert_allclose(maps.place(np.array([[1.0]]), codes, xy, k=3), [expected], atol=1e-6)


def test_forces_are_the_gradient_of_umaps_loss():
    """Cross-entropy: the pull is the gradient of log w, the push that of log (1 - w), but for
    the 0.001 that keeps umap's from dividing by 0."""
    a, b = maps._curve(maps.MIN_DIST)
    apart = np.array([0.9, -1.3])
    w = lambda d: 1 / (1 + a * (d @ d) ** b)  # noqa: E731
    for force, energy in (
        (maps._attraction, lambda d: np.log(w(d))), (maps._repulsion, lambda d: np.log(1 - w(d)))
    ):  # fmt: skip
        step = 1e-6 * np.eye(2)
        gradient = [(energy(apart + h) - energy(apart - h)) / 2e-6 for h in step]
        np.testing.assert_allclose(force(apart), gradient, rtol=1e-3)


def test_the_curve_is_umaps():
    # the values that umap gives for a minimal distance of 0.1 and a spread of 1
    np.testing.assert_allclose(maps._curve(0.1), (1.57694, 0.89506), rtol=1e-4)


def test_the_grid_of_pushes_is_their_mean():
    rng = np.random.default_rng(0)
    xy, places = rng.uniform(0, 20, (30, 2)), rng.uniform(0, 20, (300, 2))
    exact = np.stack([maps._repulsion(p - xy).mean(0) for p in places])
    away = np.linalg.norm(places[:, None] - xy, axis=2).min(1) > 1  # beside a point it is steep
    assert away.sum() > 100
    found = maps.umap_repulsion(xy).at(places)
    np.testing.assert_allclose(found[away], exact[away], atol=0.002)  # of forces up to 0.2


def test_a_code_between_two_groups_is_not_left_between_them():
    """What the relaxation is for: a weighted mean alone falls into the gap."""
    rng = np.random.default_rng(0)
    codes = np.concatenate([rng.normal(size=(200, 2)) * 0.1, rng.normal(size=(200, 2)) * 0.1 + [1, 0]])
    xy = np.concatenate([rng.normal(size=(200, 2)), rng.normal(size=(200, 2)) + [20, 0]])
    z = np.array([[0.45, 0.0]])
    assert 2 < maps.place(z, codes, xy)[0, 0] < 18
    assert maps.place(z, codes, xy, maps.umap_repulsion(xy))[0, 0] < 2


def test_a_plane_there_and_back():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(2000, 3)) * [0.1, 5, 2] + [7, 8, 9]
    plane = maps.pca_plane(codes)
    xy = plane.place(codes)
    np.testing.assert_allclose(xy.std(0), [5, 2], rtol=0.1)  # the directions of most variance
    np.testing.assert_allclose(xy.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(plane.place(plane.inverse(xy)), xy, atol=1e-5)
    assert np.abs(plane.inverse(xy) - codes).max() < 0.5  # but for what stands off the plane


def test_the_plane_of_two_dimensions_goes_through_the_point():
    z = np.array([1.0, 2.0, 3.0])
    plane = maps.dimension_plane(z, (2, 0))
    np.testing.assert_allclose(plane.place(z[None]), [[3, 1]])
    np.testing.assert_allclose(plane.inverse(np.array([[5.0, 6.0]])), [[6, 2, 5]])


def test_a_place_between_points_is_a_mean_of_their_codes():
    places, codes = np.array([[0.0, 0.0], [3.0, 0.0], [99.0, 0.0]]), np.array([[0.0], [1.0], [50.0]])
    # distances 1 and 2: weights 4/5 and 1/5
    np.testing.assert_allclose(maps.inverse(np.array([[1.0, 0.0]]), places, codes, k=2), [[0.2]])
    np.testing.assert_allclose(maps.inverse(places, places, codes), codes, atol=1e-6)


def test_another_run_is_turned_not_bent():
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(50, 2)) * [3, 1]
    mirrored = (xy * [1, -1]) @ np.array([[0.6, 0.8], [-0.8, 0.6]]) + [5, 5]
    np.testing.assert_allclose(maps.align_to(mirrored, xy), xy, atol=1e-5)
    twice = maps.align_to(2 * xy, xy)
    np.testing.assert_allclose(np.ptp(twice, axis=0), 2 * np.ptp(xy, axis=0), rtol=1e-5)


def test_trustworthiness():
    codes = np.random.default_rng(0).normal(size=(300, 2))
    assert maps.map_trustworthiness(codes, codes) == 1
    assert maps.map_trustworthiness(codes, codes[::-1]) < 0.7


def test_the_web_process_never_imports_umap():
    script = "import sys, pages.components.map.scatter, pages.components.map.uploads, pages.components.live_panel.panel; sys.exit('umap' in sys.modules or 'numba' in sys.modules)"  # noqa: E501
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


@pytest.mark.slow
def test_umap_keeps_its_seed_and_place_agrees_with_its_transform():
    fitted, held_out, reducer, xy = placing.fit("mnist-vae-16d")
    np.testing.assert_allclose(xy, reducer.embedding_, atol=1e-4)
    assert maps.map_trustworthiness(fitted, xy) > 0.85
    off = placing.distances(fitted, held_out, reducer, xy, another_seed=False)["place"]
    assert np.quantile(off, 0.95) < 0.02
