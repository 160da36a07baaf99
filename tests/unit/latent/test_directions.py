import numpy as np
import pytest
import torch

import vae
from vae.latent.directions import local_directions, principal_directions


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


def test_local_directions_of_a_linear_decoder_are_its_singular_vectors():
    rng = np.random.default_rng(0)
    left, _ = np.linalg.qr(rng.standard_normal((12, 3)))
    right, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    matrix = left * [5.0, 2.0, 0.5] @ right.T  # (12, 3)
    found = local_directions(lambda zs: (zs @ matrix.T).reshape(-1, 1, 3, 4), rng.standard_normal(3))
    assert np.allclose(found.change, [5, 2, 0.5], rtol=1e-4)
    assert np.allclose(np.abs(np.sum(found.axes * right.T, axis=1)), 1, atol=1e-4)
    assert np.allclose(found.shares, np.array([25, 4, 0.25]) / 29.25, atol=1e-4)


def test_local_directions_of_a_model_agree_with_its_derivative():
    model = vae.load("mnist-vae-16d")
    z = model.encode(torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))).mean[0].detach()
    with torch.no_grad():
        found = local_directions(lambda zs: model.decode(torch.from_numpy(zs)).numpy(), z.numpy())
    jacobian = torch.autograd.functional.jacobian(lambda one: model.decode(one[None]).flatten(), z)
    _, change, axes = torch.linalg.svd(jacobian, full_matrices=False)
    assert np.allclose(found.change, change, rtol=1e-2)
    assert np.allclose(np.abs((found.axes[:3] * axes.numpy()[:3]).sum(1)), 1, atol=1e-2)


def test_a_decoder_that_ignores_its_code_has_no_shares_and_one_that_fails_is_refused():
    found = local_directions(lambda zs: np.ones((len(zs), 1, 4, 4)), np.zeros(3))
    assert not found.change.any() and not found.shares.any()
    with pytest.raises(ValueError, match="not finite"):
        local_directions(lambda zs: np.full((len(zs), 1, 4, 4), np.nan), np.zeros(3))
