import subprocess
import sys

import numpy as np
import pytest

from vae import maps, zoo


def test_placing_a_code_on_its_own_place():
    rng = np.random.default_rng(0)
    codes, xy = rng.normal(size=(200, 5)), rng.normal(size=(200, 2))
    np.testing.assert_allclose(maps.place(codes[:3], codes, xy), xy[:3], atol=1e-6)


def test_place_is_the_weighted_mean_of_the_nearest():
    codes = np.array([[0.0], [3.0], [100.0]])
    xy = np.array([[0.0, 0.0], [1.0, 2.0], [50.0, 50.0]])
    # distances 1 and 2: weights 2/3 and 1/3
    np.testing.assert_allclose(maps.place(np.array([[1.0]]), codes, xy, k=2), [[1 / 3, 2 / 3]])


def test_pca_finds_the_directions_of_most_variance():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(2000, 3)) * [0.1, 5, 2] + [7, 8, 9]
    xy = maps.fit_pca(codes)
    np.testing.assert_allclose(xy.std(0), [5, 2], rtol=0.1)
    np.testing.assert_allclose(xy.mean(0), 0, atol=1e-4)


def test_trustworthiness():
    codes = np.random.default_rng(0).normal(size=(300, 2))
    assert maps.map_trustworthiness(codes, codes) == 1
    assert maps.map_trustworthiness(codes, codes[::-1]) < 0.7


def test_the_web_process_never_imports_umap():
    script = "import sys, pages.components.cached, pages.components.live_panel; sys.exit('umap' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


@pytest.mark.slow
def test_umap_keeps_neighbours_and_its_seed_and_place_agrees_with_its_transform():
    import umap

    codes = zoo.read_map("mnist-vae-16d").codes
    fitted, held_out = codes[:2500], codes[2500:2700]
    reducer = umap.UMAP(
        n_neighbors=maps.N_NEIGHBORS, min_dist=maps.MIN_DIST, random_state=0, n_jobs=1,
        force_approximation_algorithm=True,
    ).fit(fitted)  # fmt: skip
    xy = maps.fit_umap(fitted, seed=0)
    np.testing.assert_allclose(xy, reducer.embedding_, atol=1e-4)
    assert maps.map_trustworthiness(fitted, xy) > 0.9
    distance = np.linalg.norm(maps.place(held_out, fitted, xy) - reducer.transform(held_out), axis=1)
    span = np.ptp(xy, axis=0).max()
    assert np.median(distance) < 0.03 * span  # measured: 0.021
