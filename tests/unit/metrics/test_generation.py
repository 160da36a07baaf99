"""Frechet distance, precision and recall where the answer is known."""

import numpy as np
import pytest

from vae import metrics


def gaussian(mean, covariance, n=20_000, seed=0):
    return np.random.default_rng(seed).multivariate_normal(mean, covariance, n)


def exactly(mean, covariance, n=1000, seed=0):
    """Points whose mean and covariance are exactly these."""
    points = np.random.default_rng(seed).normal(size=(n, len(mean)))
    points -= points.mean(0)
    white = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points, rowvar=False))).T
    return white @ np.linalg.cholesky(np.asarray(covariance, float)).T + mean


def test_frechet_distance_of_two_known_gaussians():
    # diagonal covariances commute: |mean|^2 + sum (s - t)^2 of the standard deviations
    a, b = exactly([0, 0], np.diag([1, 4])), exactly([3, 4], np.diag([9, 1]), seed=1)
    assert metrics.frechet_distance(a, b) == pytest.approx(25 + (1 - 3) ** 2 + (2 - 1) ** 2)
    # and for covariances that do not, the trace of the square root of their product is known for 2 x 2 matrices
    one, two = np.array([[2, 1], [1, 2]]), np.array([[3, 0], [0, 1]])
    product = one @ two
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    found = metrics.frechet_distance(exactly([1, 0], one), exactly([0, 0], two, seed=1))
    assert found == pytest.approx(1 + 4 + 4 - 2 * root)


def test_frechet_distance_of_a_set_to_itself_is_zero_and_it_is_symmetric():
    a, b = gaussian([0, 0], np.eye(2), 500), gaussian([1, 0], np.eye(2), 500, 1)
    assert metrics.frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(a, b) == pytest.approx(metrics.frechet_distance(b, a))
    # a feature that never varies, as a dead unit is one, changes nothing
    constant = np.ones((500, 1))
    assert metrics.frechet_distance(np.c_[a, constant], np.c_[b, constant]) == pytest.approx(
        metrics.frechet_distance(a, b)
    )


# four real points on a line, one apart: with one neighbour, each has the radius 1
REAL = np.array([[0.0], [1.0], [2.0], [3.0]])


def test_precision_and_recall_on_hand_made_sets():
    # 3.5 is among the real ones and 9 and 11 are not; their radii are 5.5, 2 and 2, so that 3.5 reaches 0 to 9
    found = metrics.precision_recall(REAL, np.array([[3.5], [9.0], [11.0]]), neighbours=1)
    assert found == pytest.approx((1 / 3, 1))
    # samples of one point and its close neighbours: precise, and half of the real ones are out of reach
    found = metrics.precision_recall(REAL, np.array([[0.4], [0.9], [1.4]]), neighbours=1)
    assert found == pytest.approx((1, 2 / 4))
    # nothing in common
    assert metrics.precision_recall(REAL, REAL + 100, neighbours=1) == (0, 0)
    assert metrics.precision_recall(REAL, REAL + 1, neighbours=1) == pytest.approx((1, 1))


def test_a_set_compared_with_itself_is_complete():
    points = gaussian([0, 0, 0], np.eye(3), 200)
    assert metrics.precision_recall(points, points) == (1, 1)


def test_a_narrow_set_is_precise_and_incomplete():
    real = gaussian(np.zeros(4), np.eye(4), 1000)
    narrow = gaussian(np.zeros(4), 0.04 * np.eye(4), 1000, 1)
    found = metrics.precision_recall(real, narrow)
    assert found.precision > 0.95 and found.recall < 0.2
    wide = metrics.precision_recall(real, gaussian(np.zeros(4), 9 * np.eye(4), 1000, 2))
    assert wide.precision < 0.3 < wide.recall


def test_sets_that_cannot_be_compared_are_refused():
    a = np.zeros((5, 2))
    for score in (metrics.frechet_distance, metrics.precision_recall):
        with pytest.raises(ValueError, match="same features, not 2 and 3"):
            score(a, np.zeros((5, 3)))
        with pytest.raises(ValueError, match="dimension 0 are not all finite"):
            score(a, np.full((5, 2), np.nan))
        with pytest.raises(ValueError, match="N 2 or more"):
            score(a[:1], a)
    with pytest.raises(ValueError, match="3 neighbours need more than 3 images"):
        metrics.precision_recall(a[:3], a)
