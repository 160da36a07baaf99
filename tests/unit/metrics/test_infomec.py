"""InfoMEC on codes whose scores are known: one dimension a factor, mixtures, copies, and codes without information."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from vae import metrics
from vae.metrics.infomec import ACTIVE_RANGE


def factors(n=4000, sizes=(4, 4, 4), seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, size, n) for size in sizes], axis=1)


V = factors()


def noisy(codes, noise=0.05, seed=1):
    return codes + noise * np.random.default_rng(seed).normal(size=codes.shape)


def scores(codes, v=V, **options):
    return metrics.infomec(codes, v, baseline=False, **options)[:3]


@pytest.mark.parametrize("codes", [V, V * 0.25 - 0.5, noisy(V)], ids=["symbols", "fractions", "continuous"])
def test_one_dimension_a_factor_gives_one(codes):
    found = metrics.infomec(codes, V, baseline=False)
    assert found[:3] == pytest.approx((1, 1, 1), abs=0.03)
    assert found.active == (0, 1, 2) and found.constant == ()
    np.testing.assert_allclose(found.nmi, np.eye(3), atol=0.03)


def test_a_rotation_of_two_factors_mixes_them_and_keeps_them_linear():
    v = factors(sizes=(8, 8))
    c = np.cos(np.pi / 4)
    turned = noisy((v - 3.5) @ np.array([[c, -c], [c, c]]))
    modular, compact, explicit = scores(turned, v)
    assert modular < 0.1 and compact < 0.1
    # a linear classifier undoes the rotation
    assert explicit == pytest.approx(scores(noisy(v), v)[2], abs=0.02) and explicit > 0.9


@pytest.mark.parametrize("codes", [np.c_[V, V], noisy(np.c_[V, V])], ids=["symbols", "continuous"])
def test_copies_stay_modular_and_are_not_compact(codes):
    # two equal shares among six dimensions: (1/2 - 1/6) / (1 - 1/6)
    assert scores(codes) == pytest.approx((1, 0.4, 1), abs=0.03)


def test_one_dimension_with_two_factors_is_half_modular():
    # of three factors, shares of 1/2, 1/2 and 0: (1/2 - 1/3) / (1 - 1/3), beside a dimension that scores 1
    v = factors()
    both = np.c_[v[:, 0] * 4 + v[:, 1], v[:, 2]]
    modular, compact, explicit = scores(both, v)
    assert modular == pytest.approx((0.25 + 1) / 2, abs=0.02)
    assert compact == pytest.approx(1, abs=0.02) and explicit == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("discrete", [True, False])
def test_constant_codes_have_no_information(discrete):
    found = metrics.infomec(np.ones((4000, 3)), V, discrete)
    assert found[:3] == pytest.approx((0, 0, 0), abs=1e-3)
    assert found.active == () and not found.nmi.any()


def test_constant_dimensions_do_not_count():
    for codes in (V, noisy(V)):
        with_constant = np.c_[codes, np.full(4000, 3)]
        found = metrics.infomec(with_constant, V, baseline=False)
        assert found[:3] == pytest.approx(scores(codes), abs=1e-4) and found.active == (0, 1, 2)


def test_a_narrow_dimension_is_inactive():
    wide = noisy(V)
    narrow = 0.9 * ACTIVE_RANGE * np.ptp(wide, 0).max() * np.random.default_rng(2).random((4000, 1))
    assert metrics.infomec(np.c_[wide, narrow], V, baseline=False).active == (0, 1, 2)
    assert metrics.infomec(np.c_[wide, 2 * narrow], V, baseline=False).active == (0, 1, 2, 3)


def test_constant_factors_are_left_out():
    found = metrics.infomec(V, np.c_[V, np.full(4000, 7)], baseline=False)
    assert found.constant == (3,) and found.explicitness[3] is None and np.isnan(found.nmi[:, 3]).all()
    assert found[:3] == pytest.approx(scores(V))


@pytest.mark.parametrize("codes", [V, noisy(V)], ids=["symbols", "continuous"])
def test_the_baseline_has_no_information(codes):
    found = metrics.infomec(codes, V)
    assert abs(found.random[2]) < 0.02 and all(0 <= score < 0.9 for score in found.random)
    uninformative = np.random.default_rng(3).permuted(codes, axis=0)
    assert abs(scores(uninformative)[2]) < 0.02


def test_information_of_symbols_equals_scikit_learn():
    codes = (V + np.random.default_rng(4).integers(0, 2, V.shape)) % 4
    found = metrics.infomec(codes, V, baseline=False)
    for d in range(3):
        for k in range(3):
            expected = mutual_info_score(codes[:, d], V[:, k]) / mutual_info_score(V[:, k], V[:, k])
            assert found.nmi[d, k] == pytest.approx(expected, abs=1e-9)


def test_information_of_continuous_codes_is_estimated():
    """A standard normal code, shifted by one of two equally frequent classes: the information has an integral."""
    shift = 2.0
    z = np.linspace(-10, 10, 20_001)
    density = np.stack([np.exp(-((z - m) ** 2) / 2) / np.sqrt(2 * np.pi) for m in (0, shift)])
    mixture = density.mean(0)
    exact = (density * np.log(density / mixture)).mean(0).sum() * (z[1] - z[0])
    v = factors(10_000, (2, 2))
    codes = np.random.default_rng(5).normal(size=(10_000, 2)) + shift * v
    found = metrics.infomec(codes, v, baseline=False)
    assert np.diag(found.nmi) == pytest.approx(exact / np.log(2), abs=0.03)


def test_it_needs_two_factors():
    with pytest.raises(ValueError, match="two that vary"):
        metrics.infomec(V, V[:, :1])
