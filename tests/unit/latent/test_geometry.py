import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from vae import latent
from vae.latent import geometry

codes = st.lists(st.floats(-20, 20, width=32), min_size=5, max_size=5).map(torch.tensor)


@given(codes, codes)
def test_lines_pass_exactly_through_their_ends(a, b):
    t = torch.tensor([0.0, 1.0])
    for line in (latent.lerp, latent.slerp):
        ends = line(a, b, t)
        assert torch.equal(ends[0], a) and torch.equal(ends[1], b)


@given(codes, codes)
def test_slerp_is_finite_and_symmetric(a, b):
    t = torch.linspace(0, 1, 7)
    there, back = latent.slerp(a, b, t), latent.slerp(b, a, 1 - t)
    assert torch.isfinite(there).all()
    torch.testing.assert_close(there, back, atol=1e-2, rtol=1e-2)


def test_slerp_by_hand():
    a, b = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 4.0])
    half = latent.slerp(a, b, torch.tensor([0.5]))[0]
    # 45 degrees, at the mean of the lengths
    assert half.tolist() == pytest.approx([3 / 2**0.5, 3 / 2**0.5], abs=1e-5)


def test_slerp_keeps_the_length_where_lerp_does_not():
    a, b = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0])
    t = torch.linspace(0, 1, 9)
    torch.testing.assert_close(latent.slerp(a, b, t).norm(dim=1), torch.ones(9))
    assert latent.lerp(a, b, t)[4].norm() == pytest.approx(0.5**0.5)


def test_traversal_moves_one_dimension():
    z = torch.tensor([1.0, 2.0, 3.0])
    moved = latent.traversal(z, 1, torch.tensor([-1.0, 0.5]))
    assert moved.tolist() == [[1, -1, 3], [1, 0.5, 3]]
    with pytest.raises(IndexError):
        latent.traversal(z, 3, torch.zeros(1))


def test_grid_is_by_quantiles():
    quantiles = latent.prior_quantiles(4)
    np.testing.assert_allclose(quantiles, norm.ppf([0.125, 0.375, 0.625, 0.875]), atol=1e-6)
    z = torch.tensor([9.0, 9.0, 5.0])
    grid = latent.prior_grid(4, z, dims=(1, 0))
    assert grid.shape == (4, 4, 3)
    assert (grid[:, :, 2] == 5).all()
    torch.testing.assert_close(grid[2, :, 1], quantiles)  # to the right dims[0] rises
    torch.testing.assert_close(grid[:, 3, 0], quantiles.flip(0))  # downwards dims[1] falls


def test_grid_follows_another_prior():
    mu, sigma = torch.tensor([1.0, -2.0]), torch.tensor([2.0, 0.5])
    grid = latent.prior_grid(3, mu, (0, 1), mu, sigma)
    assert grid[1, 1].tolist() == pytest.approx([1.0, -2.0])
    assert grid[0, 2].tolist() == pytest.approx(
        [norm.ppf(5 / 6, 1, 2), norm.ppf(5 / 6, -2, 0.5)], abs=1e-5
    )


def test_attribute_direction():
    g = torch.Generator().manual_seed(0)
    codes = torch.randn(2000, 4, generator=g)
    has = torch.arange(2000) % 2 == 0
    codes[has, 2] += 3
    found = latent.attribute_direction(codes, has)
    assert found.vector.tolist() == pytest.approx([0, 0, 3, 0], abs=0.2)
    # differences are N((0, 0, 3, 0), 2 I): their cosines agree; those of random groups do not
    assert found.agreement > 0.4
    assert abs(found.random_agreement) < 0.05
    with pytest.raises(ValueError):
        latent.attribute_direction(codes, torch.ones(2000, dtype=torch.bool))


def test_random_groups_as_small_as_the_given_ones_are_the_baseline_of_agreement():
    codes = torch.randn(500, 8, generator=torch.Generator().manual_seed(0))
    found = latent.attribute_direction(codes, torch.arange(500) == 7)
    # all pairs end at one code, so their differences agree although there is no direction
    assert found.agreement > 0.3
    assert found.random_agreement > 0.3


def test_mean_cosine_by_hand():
    differences = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    # cosines of the three pairs: 1, 0, 0
    assert geometry._mean_cosine(differences) == pytest.approx(1 / 3)


def test_nearest_equals_brute_force():
    rng = np.random.default_rng(0)
    codes, z = rng.normal(size=(300, 5)), rng.normal(size=(7, 5))
    found, distances = latent.nearest(z, codes, 4)
    brute = np.linalg.norm(codes[None] - z[:, None], axis=2)
    np.testing.assert_array_equal(found, np.argsort(brute, axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(brute, axis=1)[:, :4])


def test_support_is_high_among_data_and_zero_far_away():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(1000, 2)).astype(np.float32)
    reference = latent.local_distances(codes, k=15)
    support = latent.support(np.array([[0.0, 0.0], [8.0, 8.0]]), codes, reference, k=15)
    assert support[0] > 0.8 and support[1] == 0
    # of the data itself about half lies in denser places than the median
    own = latent.support(codes, codes, reference, k=16)
    assert np.median(own) == pytest.approx(0.5, abs=0.02)


def test_the_distances_of_some_codes_tell_of_all():
    # sorted by how dense their region is, so that the first ones alone would mislead
    rng = np.random.default_rng(0)
    codes = (rng.normal(size=(3000, 2)) * np.linspace(0.1, 3, 3000)[:, None]).astype(np.float32)
    brute = np.linalg.norm(codes[:, None] - codes[None], axis=2)
    every = np.sort(np.sort(brute, axis=1)[:, 15])
    np.testing.assert_allclose(latent.local_distances(codes, n=3000), every, rtol=1e-4, atol=1e-6)
    some = latent.local_distances(codes, n=600)
    assert len(some) == 600
    shares = [0.1, 0.25, 0.5, 0.75, 0.9]
    assert np.abs(np.searchsorted(every, np.quantile(some, shares)) / 3000 - shares).max() < 0.04


def test_swap_takes_dimensions_over_one_by_one():
    a, b = torch.zeros(4), torch.arange(1.0, 5)
    steps = latent.swap(a, b, torch.tensor([-0.25, 0.0, 0.25, 0.5, 1.0, 1.25]))
    expected = [[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 2, 0, 0], [1, 2, 3, 4], [1, 2, 3, 4]]
    assert steps.tolist() == expected
