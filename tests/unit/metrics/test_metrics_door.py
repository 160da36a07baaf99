"""What comes in at the metrics' door: codes, factors and images that a measure cannot answer for are refused in one
sentence, never scored as if they were others."""

import numpy as np
import pytest
import torch

from tests.unit.models.test_conformance import build
from vae import metrics
from vae.metrics import disentanglement

SCORES = {
    "mig": metrics.mig, "sap": metrics.sap, "modularity": metrics.modularity, "dci": metrics.dci,
    "factor_vae_score": metrics.factor_vae_score, "beta_vae_score": metrics.beta_vae_score,
    "infomec": metrics.infomec,
}  # fmt: skip
ALONE = {"active_units": metrics.active_units, "total_correlation": metrics.total_correlation}


def known(n=300):
    """Codes (n, 2) that each hold one of two factors (n, 2)."""
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 3, (n, 2))
    return factors + 0.1 * rng.normal(size=(n, 2)), factors


def put(array, row, column, value):
    array = array.astype(float).copy()
    array[row, column] = value
    return array


CODES, FACTORS = known()
MISSING = FACTORS.astype(object)
MISSING[7, 1] = None
REFUSED = {
    "codes with NaN": (put(CODES, 3, 1, np.nan), FACTORS, "dimension 1"),
    "infinite codes": (put(CODES, 3, 1, -np.inf), FACTORS, "dimension 1"),
    "factors with NaN": (CODES, put(FACTORS, 3, 1, np.nan), "factor 1 is NaN or infinite in 1 of 300 rows"),
    "infinite factors": (CODES, put(FACTORS, 3, 1, np.inf), "factor 1"),
    "missing factors": (CODES, MISSING, "factor 1 is NaN"),
    "masked factors": (CODES, np.ma.masked_equal(FACTORS, 1), "masked"),
    "words and numbers": (CODES, np.array([["red", 1]] * 300, dtype=object), "factors must be real numbers"),
    "words for codes": (np.full((300, 2), "x"), FACTORS, "codes must be real"),
    "words and nothing": (CODES, np.array([["red", None]] * 300, dtype=object), "factors must be real numbers"),
    "complex codes": (CODES + 1j, FACTORS, "codes must be real numbers"),
    "other lengths": (CODES[:299], FACTORS, "with the same N"),
    "one axis": (CODES[:, 0], FACTORS, "with the same N"),
    "one axis of factors": (CODES, FACTORS[:, 0], "with the same N"),
    "three axes": (CODES[None], FACTORS, "with the same N"),
    "one image": (CODES[:1], FACTORS[:1], "every factor is constant"),
    "no images": (CODES[:0], FACTORS[:0], "(N, D)"),
    "no dimensions": (CODES[:, :0], FACTORS, "(N, D)"),
    "no factors": (CODES, FACTORS[:, :0], "(N, K)"),
    "continuous factors": (CODES, CODES, "bins="),
    "one continuous factor": (CODES, np.c_[FACTORS[:, 0], CODES[:, 0]], "factor 1 looks continuous"),
    "continuous factors, half precision": (CODES, CODES.astype(np.float16), "bins="),
    "whole numbers that never recur": (CODES, np.random.default_rng(0).permutation(600).reshape(300, 2), "bins="),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("name", SCORES)
def test_what_cannot_be_scored_is_refused(name, what):
    codes, factors, part = REFUSED[what]
    with pytest.raises(ValueError) as caught:
        SCORES[name](codes, factors)
    assert part in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ALONE)
def test_codes_alone_are_looked_at_too(name):
    others = {
        "dimension 1": (put(CODES, 3, 1, np.nan), put(CODES, 3, 1, np.inf)), "real numbers": (CODES + 1j,),
        "(N, D)": (CODES[:, 0], CODES[:1], CODES[:0], CODES[:, :0]),
    }  # fmt: skip
    for part, codes in others.items():
        for other in codes:
            with pytest.raises(ValueError) as caught:
                ALONE[name](other)
            assert part in str(caught.value)


@pytest.mark.parametrize("name", [name for name in SCORES if name != "dci"])
def test_factors_of_any_kind_are_classes(name):
    """Whole numbers as floats, fractions, words, objects, lists: the score is that of class numbers."""
    expected = SCORES[name](CODES, FACTORS, baseline=False)[0]
    words = np.array(["blue", "green", "red"])[FACTORS]
    for factors in (FACTORS.astype(float), FACTORS / 4 + 0.5, words, words.astype(object), FACTORS.astype(object),
        FACTORS.tolist(), FACTORS - 5, FACTORS + 2**60):
        assert SCORES[name](CODES, factors, baseline=False)[0] == expected
    assert SCORES[name](CODES.astype(object), torch.from_numpy(FACTORS), baseline=False)[0] == expected


@pytest.mark.parametrize("bins", [1, 0, -3, 2.5, None])
def test_impossible_bins_are_refused(bins):
    for score in (metrics.mig, metrics.modularity):
        with pytest.raises(ValueError, match="bins must be a whole number, 2 or more"):
            score(CODES, FACTORS, bins)


def test_continuous_factors_in_bins():
    continuous = np.random.default_rng(0).random((1000, 2))
    continuous[:2] = [[0, 0], [1, 1]]
    found = metrics.discretise(continuous, bins=5)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, np.minimum(continuous * 5, 4).astype(int))
    for score in (metrics.mig, metrics.modularity):
        assert score(continuous, metrics.discretise(continuous), baseline=False)[0] > 0.9
    assert metrics.sap(continuous, metrics.discretise(continuous, bins=3), baseline=False).sap > 0.2
    # what is no continuous column keeps its values, in ascending order
    mixed = np.c_[continuous[:, 0], np.arange(1000) % 3 * 0.25]
    np.testing.assert_array_equal(metrics.discretise(mixed, bins=4)[:, 1], np.arange(1000) % 3)
    np.testing.assert_array_equal(metrics.discretise(FACTORS), FACTORS)
    for bad in (0, 1):
        with pytest.raises(ValueError, match="two bins"):
            metrics.discretise(continuous, bins=bad)
    with pytest.raises(ValueError, match="factor 0 is NaN"):
        metrics.discretise(put(continuous, 0, 0, np.nan))


def test_dci_of_clean_codes_of_binary_factors_is_finite():
    """Trees give a dimension that tells nothing an importance of -3e-17, and its entropy is infinite."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        v = rng.integers(0, 2, (300, 3))
        z = np.c_[v, v[:, 0]] + 0.1 * rng.normal(size=(300, 4))
        found = metrics.dci(z, v, baseline=False)
        assert (found.importance >= 0).all() and 0 <= found.disentanglement <= 1 and 0 <= found.completeness <= 1


def test_rows_in_random_order_stay_and_others_are_shuffled():
    order = disentanglement._in_random_order
    codes = np.arange(600.0)[:, None]
    varying = np.array([True])
    rng = np.random.default_rng(0)
    mixed, late = rng.integers(0, 3, (600, 1)), np.r_[np.zeros(450, int), rng.integers(0, 2, 150)][:, None]
    found = order(codes, mixed, varying)
    assert np.array_equal(found[0], codes) and found[2:] == (400, "")
    for factors in (np.sort(mixed, 0), np.sort(mixed, 0)[::-1], late):
        z, v, cut, told = order(codes, factors, varying)
        assert cut == 400 and told and np.array_equal(factors[z[:, 0].astype(int)], v)
        assert len(np.unique(v[:cut])) == len(np.unique(v[cut:])) == factors.max() + 1
        assert all(np.array_equal(one, two) for one, two in zip((z, v), order(codes, factors, varying), strict=False))
    with pytest.raises(ValueError, match="factor 0 has one value in the 1 rows"):
        order(codes[:2], np.array([[0], [1]]), varying)


def test_a_factor_that_varies_only_in_the_last_rows_is_scored():
    late = np.r_[np.zeros(225, int), FACTORS[225:, 0] % 2][:, None]
    codes, factors = np.c_[CODES, late], np.c_[FACTORS, late]
    for score in (metrics.dci, metrics.sap):
        found = score(codes, factors, baseline=False)
        assert 0.2 < found[0] <= 1 and "rows shuffled (seed 0)" in found.protocol
        assert "shuffled" not in score(CODES, FACTORS, baseline=False).protocol
    # as if they had come in that order
    for score in (metrics.sap, metrics.mig):
        by_value = np.argsort(FACTORS[:, 0], kind="stable")
        assert score(CODES[by_value], FACTORS[by_value], baseline=False)[0] == pytest.approx(
            score(CODES, FACTORS, baseline=False)[0], abs=0.1
        )


def test_scores_leave_numpys_generator_alone():
    before = np.random.get_state()[1].copy()
    for score in SCORES.values():
        score(CODES[:100], FACTORS[:100])
    assert np.array_equal(np.random.get_state()[1], before)


def test_images_are_compared_with_images_alone():
    x = torch.rand(4, 1, 8, 8)
    pairs = ((x, x[:, 0]), (x[:, 0], x[:, 0]), (x, x[:3]), (x, x[..., :4]), (255 * x, x), (x, (255 * x).byte()))
    for one, other in pairs:
        for measure in (metrics.psnr, metrics.multiscale_distance):
            with pytest.raises(ValueError):
                measure(one, other)
    for other in (x[:, 0], 255 * x, (255 * x).byte()):
        with pytest.raises(ValueError):
            metrics.sharpness(other)
    assert metrics.psnr(x, x * torch.nan).isnan().all() and metrics.multiscale_distance(x, x * torch.nan).isnan().all()
    assert metrics.psnr(x, x.mean(0, keepdim=True)).shape == (4,)  # one image for all


def test_nothing_to_average_over_is_an_error(tiny_split):
    for call in (metrics.average_terms, metrics.importance_nll):
        with pytest.raises(ValueError, match="there are no images"):
            call(build("vae")[0], [])
    x = tiny_split((1, 8, 8), 5).batch([0])[0]
    with pytest.raises(ValueError, match=r"must have shape \(1, 1, 8, 8\)"):
        metrics.nearest_images(x[0], tiny_split((1, 8, 8), 5))
    with pytest.raises(ValueError, match="no images"):
        metrics.nearest_images(x, tiny_split((1, 8, 8), 5).first(0))
    for scores in ([1, np.nan], [], [[1.0]]):
        with pytest.raises(ValueError, match="finite"):
            metrics.roc(np.array(scores), np.ones(3))
    for codes in (np.zeros((0, 3)), np.zeros(3)):
        with pytest.raises(ValueError, match=r"\(N, D\)"):
            metrics.code_usage(codes, 8)
