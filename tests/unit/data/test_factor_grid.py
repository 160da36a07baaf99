import numpy as np
import pytest

from vae.data import DATASETS

GRIDS = {name: info.grid for name, info in DATASETS.items() if info.grid is not None}


@pytest.mark.parametrize("name", GRIDS)
def test_every_value_has_a_word_of_its_own(name):
    grid = GRIDS[name]
    assert len(grid.names) == len(grid.values) == len(set(grid.names))
    for values in grid.values:
        assert len(set(values)) == len(values)


@pytest.mark.parametrize("name", GRIDS)
def test_numbers_and_factors_are_two_names_for_an_image(name):
    grid = GRIDS[name]
    numbers = np.array([0, 1, 12345, len(grid) - 1])
    np.testing.assert_array_equal(grid.numbers(grid.factors_of(numbers)), numbers)
    assert grid.factors_of(np.array([0]))[0].tolist() == [0] * len(grid.sizes)
    assert grid.factors_of(np.array([1]))[0].tolist() == [0] * (len(grid.sizes) - 1) + [1]


@pytest.mark.parametrize("name", GRIDS)
def test_sampling_is_uniform_and_holds_what_is_fixed(name):
    grid = GRIDS[name]
    drawn = grid.sample(20_000, np.random.default_rng(0), {grid.names[1]: 2})
    assert (drawn[:, 1] == 2).all()
    for k in set(range(len(grid.sizes))) - {1}:
        expected = 20_000 / grid.sizes[k]
        counts = np.bincount(drawn[:, k], minlength=grid.sizes[k])
        assert (abs(counts - expected) < 5 * expected**0.5).all()
    with pytest.raises(ValueError, match="no factor 'colour'"):
        grid.sample(1, np.random.default_rng(0), {"colour": 0})
    with pytest.raises(ValueError, match=f"{grid.names[0]} has values 0 to {grid.sizes[0] - 1}"):
        grid.sample(1, np.random.default_rng(0), {grid.names[0]: grid.sizes[0]})


@pytest.mark.parametrize("name", GRIDS)
def test_partners_differ_in_exactly_k_factors_each_as_often(name):
    grid = GRIDS[name]
    rng = np.random.default_rng(0)
    first = grid.sample(6000, rng)
    for k in range(len(grid.sizes) + 1):
        second = grid.partners(first, k, rng)
        changed = first != second
        assert (changed.sum(1) == k).all()
        assert changed.mean(0) == pytest.approx(k / len(grid.sizes), abs=0.04)
        assert (second >= 0).all() and (second < grid.sizes).all()
    # a changed factor takes each other value as often
    jumps = (second - first)[:, 0] % grid.sizes[0]
    counts = np.bincount(jumps, minlength=grid.sizes[0])[1:]
    assert (abs(counts - counts.mean()) < 5 * counts.mean() ** 0.5).all()
    with pytest.raises(ValueError, match="not 99"):
        grid.partners(first, 99, rng)


@pytest.mark.parametrize("name", GRIDS)
def test_a_sweep_moves_one_factor_alone(name):
    grid = GRIDS[name]
    start = grid.sample(1, np.random.default_rng(0))[0]
    for k, size in enumerate(grid.sizes):
        swept = grid.sweep(start, k)
        assert swept[:, k].tolist() == list(range(size))
        others = np.delete(np.arange(len(grid.sizes)), k)
        assert (swept[:, others] == start[others]).all()
