import numpy as np
import pytest

from vae.latent.directions import principal_directions


def test_principal_directions_of_known_variances():
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    stretched = rng.standard_normal((20_000, 5)) * [4, 3, 2, 1, 0]
    codes = stretched @ rotation.T + 7
    found = principal_directions(codes, 3)
    assert np.allclose(found.axes @ found.axes.T, np.eye(3), atol=1e-9)
    assert np.allclose(found.explained, np.array([16, 9, 4]) / 30, atol=0.02)
    assert np.allclose(np.abs(np.sum(found.axes * rotation.T[:3], axis=1)), 1, atol=0.01)
    assert np.allclose(found.place(codes).mean(0), 0, atol=1e-9)


def test_all_directions_lose_nothing_and_there_are_no_more_than_the_codes_span():
    codes = np.random.default_rng(0).standard_normal((4, 10))
    found = principal_directions(codes, 64)
    assert len(found.axes) == 3 and np.isclose(found.explained.sum(), 1)
    assert np.allclose(found.inverse(found.place(codes)), codes)


def test_the_sign_of_a_direction_does_not_depend_on_the_order_of_the_codes():
    codes = np.random.default_rng(0).standard_normal((50, 6))
    assert np.allclose(principal_directions(codes, 4).axes, principal_directions(codes[::-1], 4).axes)


def test_equal_codes_are_refused():
    with pytest.raises(ValueError, match="all codes are equal"):
        principal_directions(np.ones((5, 3)), 2)
