import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from vae import metrics
from vae.models import FAMILIES, Config
from vae.objectives import elbo


def factors(n=4000, sizes=(3, 5, 8), seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, size, n) for size in sizes], axis=1)


def test_one_code_per_factor_gives_one():
    v = factors()
    found = metrics.mig(v.astype(float), v)
    # what is left of the gap is what two independent factors share by chance
    assert found.mig == pytest.approx(1, abs=0.02)
    assert found.gaps == pytest.approx((1, 1, 1), abs=0.02)


def test_duplicated_codes_have_no_gap():
    v = factors()
    assert metrics.mig(np.concatenate([v, v], axis=1).astype(float), v).mig == pytest.approx(0)


def test_permuting_dimensions_changes_nothing():
    v = factors()
    codes = np.random.default_rng(1).normal(size=(4000, 3)) + v
    assert metrics.mig(codes[:, [2, 0, 1]], v).mig == pytest.approx(metrics.mig(codes, v).mig)


def test_rotation_mixes_and_lowers():
    v = factors(sizes=(8, 8))
    codes = v - 3.5
    c = np.cos(np.pi / 4)
    rotated = codes @ np.array([[c, -c], [c, c]])
    assert metrics.mig(rotated, v).mig < 0.1 < 0.95 < metrics.mig(codes, v).mig


def test_random_codes_are_near_zero():
    codes = np.random.default_rng(2).normal(size=(4000, 6))
    assert metrics.mig(codes, factors()).mig < 0.01


def test_constant_factors_are_left_out():
    v = factors()
    with_constant = np.concatenate([v, np.full((4000, 1), 7)], axis=1)
    found = metrics.mig(v.astype(float), with_constant)
    assert found.gaps[3] is None and found.entropy[3] == 0
    assert found.mig == pytest.approx(metrics.mig(v.astype(float), v).mig)
    with pytest.raises(ValueError, match="every factor is constant"):
        metrics.mig(v.astype(float), np.zeros((4000, 2), int))


def test_mutual_information_equals_scikit_learn_on_disentanglement_libs_bins():
    rng = np.random.default_rng(3)
    v = factors()
    codes = rng.normal(size=(4000, 4)) + v[:, [0, 1, 2, 0]]
    found = metrics.mig(codes, v, bins=20)
    for d in range(4):
        edges = np.histogram(codes[:, d], 20)[1][:-1]
        binned = np.digitize(codes[:, d], edges)
        for k in range(3):
            expected = mutual_info_score(v[:, k], binned)
            assert found.mutual_information[d, k] == pytest.approx(expected, abs=1e-10)
    expected = [mutual_info_score(f, f) for f in v.T]
    np.testing.assert_allclose(found.entropy, expected)
    ordered = np.sort(found.mutual_information, axis=0)
    assert found.mig == pytest.approx(np.mean((ordered[-1] - ordered[-2]) / expected))


def test_bad_codes_are_named():
    v = factors(100)
    codes = v.astype(float)
    codes[3, 1] = np.nan
    with pytest.raises(ValueError, match="dimension 1"):
        metrics.mig(codes, v)
    with pytest.raises(ValueError, match="go together"):
        metrics.mig(codes[:50], v)
    with pytest.raises(ValueError, match="two dimensions"):
        metrics.mig(v[:, :1].astype(float), v)


def test_active_units_by_hand():
    means = np.zeros((1000, 3))
    means[::2, 0], means[1::2, 0] = 1, -1  # variance 1
    means[::2, 1], means[1::2, 1] = 0.05, -0.05  # variance 0.0025
    found = metrics.active_units(means)
    assert found.active_units == 1
    np.testing.assert_allclose(found.variances, [1, 0.0025, 0])


def test_average_terms_are_means_of_the_objectives_terms():
    torch.manual_seed(0)
    model = FAMILIES["vae"](Config((1, 6, 6), latent_dim=2, encoder=(8,), decoder=(8,))).eval()
    x = torch.rand(10, 1, 6, 6)
    y = torch.zeros(10, dtype=torch.long)
    found = metrics.average_terms(model, [(x[:4], y[:4]), (x[4:], y[4:])], seed=5)
    g = torch.Generator().manual_seed(5)
    with torch.no_grad():
        parts = [elbo(model(part, generator=g), part) for part in (x[:4], x[4:])]
        at_mean = -model.likelihood(model.encode(x).mean).log_prob(x)
    recon = torch.cat([part.recon for part in parts])
    kl = torch.cat([part.kl for part in parts])
    assert found.recon == pytest.approx(recon.mean().item(), rel=1e-6)
    assert found.kl == pytest.approx(kl.mean().item(), rel=1e-6)
    assert found.kl == pytest.approx(found.kl_per_dim.sum())
    np.testing.assert_allclose(found.recon_at_mean, at_mean, rtol=1e-5)
    assert found.means.shape == found.sigmas.shape == (10, 2)
