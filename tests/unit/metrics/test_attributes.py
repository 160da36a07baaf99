import numpy as np
import pytest
import torch

from vae.metrics import attribute_flips, lost_by_group


class Painter:
    """Decodes code (N, 3) to images whose first two pixels are bright where the first two numbers
    are positive; the third number does nothing."""

    def decode(self, z):
        x = torch.zeros(len(z), 1, 1, 4)
        x[:, 0, 0, :2] = (z[:, :2] > 0).float()
        return x


def judge(x):
    return x[:, 0, 0, :2].long()  # (B, 2) answers


def world(n=2000, noise=0.3):
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 2, (n, 2))
    codes = np.concatenate([2.0 * factors - 1, np.zeros((n, 1))], 1) + noise * rng.normal(size=(n, 3))
    return torch.from_numpy(codes).float(), factors


def test_directions_that_carry_an_attribute_flip_it_and_leave_the_other():
    codes, factors = world()
    found = attribute_flips(
        Painter(), codes, factors, {"first": (0, (1,)), "second": (1, (1,))}, judge, fit=1000, steps=1.5
    )
    assert found.rates["first"] > 0.98 and found.rates["second"] > 0.98
    assert found.unmoved["first"] < 0.02
    assert found.others_kept["first"] > 0.9
    assert "1,000 codes" in found.protocol and "1.5 times" in found.protocol


def test_a_step_of_nothing_flips_nothing():
    codes, factors = world()
    found = attribute_flips(Painter(), codes, factors, {"first": (0, (1,))}, judge, fit=1000, steps=0.0)
    assert found.rates == found.unmoved and found.rates["first"] < 0.02


def test_an_attribute_that_the_code_does_not_know_flips_by_chance():
    codes, _ = world()
    factors = np.random.default_rng(1).integers(0, 2, (2000, 2))
    found = attribute_flips(Painter(), codes, factors, {"first": (0, (1,))}, judge, fit=1000, steps=1.5)
    assert found.rates["first"] == pytest.approx(0.5, abs=0.06)


def test_attributes_may_be_several_values_of_a_factor():
    codes, factors = world()
    three = factors.copy()
    three[factors[:, 0] == 1, 0] = np.random.default_rng(2).integers(1, 3, (factors[:, 0] == 1).sum())
    found = attribute_flips(
        Painter(), codes, three, {"bright": (0, (1, 2))}, judge, fit=1000, steps=1.5
    )
    assert found.rates["bright"] > 0.98


def test_the_share_that_loses_an_attribute_is_of_those_of_a_group_that_had_it():
    # columns: hair (long is 2 or 3), smile, group; of group 0 three smile and one stops, of group 1 one smiles and
    # stops, group 2 has no smile to lose
    factors = np.array([[0, 1, 0], [2, 1, 0], [3, 1, 0], [0, 0, 0], [2, 1, 1], [2, 0, 1], [1, 0, 2]])
    read = np.array([[2, 1, 0], [3, 1, 0], [3, 0, 0], [0, 1, 0], [1, 0, 1], [2, 0, 0], [1, 0, 2]])
    found = lost_by_group(read, factors, {"smile": (1, (1,)), "long hair": (0, (2, 3))}, group=2)
    assert found == {"smile": {0: pytest.approx(1 / 3), 1: 1.0}, "long hair": {0: 0.0, 1: 0.5}}
    kept = lost_by_group(factors, factors, {"smile": (1, (1,))}, group=2)
    assert kept == {"smile": {0: 0.0, 1: 0.0}}
