"""Scores of outliers, their ROC curve, and the corruptions they are tested on."""

import numpy as np
import pytest
import torch

import vae
from vae import metrics, objectives
from vae.data import DATASETS
from vae.evaluation import corruptions


def test_auroc_is_the_share_of_pairs_in_their_order():
    rng = np.random.default_rng(0)
    inliers, outliers = rng.normal(size=300), np.round(rng.normal(0.7, 1, 200), 1)
    inliers = np.round(inliers, 1)  # with ties
    pairs = outliers[:, None] - inliers[None, :]
    expected = (pairs > 0).mean() + 0.5 * (pairs == 0).mean()
    found = metrics.roc(inliers, outliers)
    assert found.auroc == pytest.approx(expected, abs=1e-12)
    assert np.trapezoid(found.true_positive_rates, metrics.FALSE_POSITIVE_RATES) == pytest.approx(expected, abs=0.01)


def test_known_curves():
    zeros, ones = np.zeros(10), np.ones(10)
    assert metrics.roc(zeros, ones).auroc == 1 and metrics.roc(ones, zeros).auroc == 0
    same = metrics.roc(zeros, zeros)
    assert same.auroc == 0.5
    np.testing.assert_allclose(same.true_positive_rates, metrics.FALSE_POSITIVE_RATES)
    # one outlier of two above all, one below all: half are found at once, the rest at the end
    half = metrics.roc(np.array([0.0, 0.0]), np.array([1.0, -1.0]))
    assert half.auroc == 0.5
    assert half.true_positive_rates[0] == 0.5 and half.true_positive_rates[-2] < 1 == half.true_positive_rates[-1]


def test_scores_are_the_errors_and_the_bound():
    model = vae.load("mnist-vae-2d")
    x, _ = DATASETS["mnist"].load("test").batch(range(5))
    found = metrics.outlier_scores(model, x, torch.Generator().manual_seed(3))
    decoded = model.decode(model.encode(x).mean)
    np.testing.assert_allclose(found.squared_error, ((x - decoded) ** 2).sum((1, 2, 3)), rtol=1e-5)
    out = model(x, generator=torch.Generator().manual_seed(3))
    np.testing.assert_allclose(found.negative_elbo, -objectives.elbo(out, x).elbo, rtol=1e-5)
    # what is left is the divergence of the decoded pixels from the image's, and the KL
    p = out.likelihood.mean
    divergence = torch.special.xlogy(x, x / p) + torch.special.xlogy(1 - x, (1 - x) / (1 - p))
    expected = divergence.double().sum((1, 2, 3)) + objectives.elbo(out, x).kl
    np.testing.assert_allclose(found.excess, expected, rtol=1e-3)
    white = metrics.outlier_scores(model, (x > 0.5).float(), torch.Generator().manual_seed(3))
    np.testing.assert_allclose(white.excess, white.negative_elbo)  # black and white are certain


def test_a_point_code_has_no_bound_and_a_score_that_is_not_finite_is_the_highest():
    x, _ = DATASETS["mnist"].load("test").batch(range(3))
    assert metrics.outlier_scores(vae.load("mnist-ae-2d"), x)[1:] == (None, None)
    model = vae.load("mnist-vae-2d")
    broken = type(model)(model.config)
    broken.load_state_dict({k: v * float("nan") for k, v in model.state_dict().items()})
    assert np.isfinite(metrics.outlier_scores(broken.eval(), x).squared_error).all()
    assert metrics.roc(np.arange(3), metrics.outlier_scores(broken, x).squared_error).auroc == 1


def test_corruptions_by_hand():
    x = torch.zeros(2, 1, 28, 28)
    x[:, :, 10, 10] = 1
    generator = torch.Generator().manual_seed(0)
    moved = corruptions.off_centre(x)
    assert moved[0, 0, 10, 15] == 1 and moved.sum() == 2
    assert corruptions.off_centre(moved.flip(3)).sum() == 2
    assert corruptions.inverted(x)[0, 0, 10, 10] == 0 and corruptions.inverted(x).sum() == 2 * (784 - 1)
    soft = corruptions.blurred(x)
    assert float(soft[0].sum()) == pytest.approx(1, abs=1e-5)  # light is spread, not lost
    assert soft[0, 0, 10, 10] == soft[0].max()
    assert float(soft[0, 0, 10, 11] / soft[0, 0, 10, 10]) == pytest.approx(np.exp(-0.5 / corruptions.BLUR**2),
        rel=1e-5)
    holes = corruptions.cut(torch.ones(200, 3, 28, 28), generator)
    side = round(corruptions.PATCH * 28)
    assert ((1 - holes).sum((1, 2, 3)) == 3 * side**2).all()  # a whole square in every image, in every channel
    assert (1 - holes).amax(1).flatten(1).unique(dim=0).shape[0] > 20  # at places of their own
    grain = corruptions.noisy(torch.full((50, 1, 28, 28), 0.5), generator)
    assert float(grain.std()) == pytest.approx(corruptions.NOISE, abs=0.02)
    for corrupt in corruptions.CORRUPTIONS.values():
        y = corrupt(torch.rand(3, 3, 64, 64), generator)
        assert y.shape == (3, 3, 64, 64) and y.min() >= 0 and y.max() <= 1
