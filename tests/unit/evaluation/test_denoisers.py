"""The denoisers that a model must beat, where the best one is known."""

import pytest
import torch

from vae.evaluation.denoisers import blur, fitted_blur, ridge
from vae.metrics import psnr


def images(n=400):
    return torch.rand(n, 1, 4, 4, generator=torch.Generator().manual_seed(0))


def test_ridge_undoes_a_linear_map_and_a_penalty_shrinks_it_to_the_mean():
    clean = images()
    mixed = 0.25 + 0.5 * clean.flip(3)
    denoise = ridge(mixed, clean, penalty=1e-9)
    torch.testing.assert_close(denoise(mixed), clean, atol=1e-5, rtol=0)
    shrunk = ridge(mixed, clean, penalty=1e12)(mixed)
    torch.testing.assert_close(shrunk, clean.mean(0, keepdim=True).expand_as(clean), atol=1e-5, rtol=0)


def test_ridge_approaches_the_best_linear_estimate():
    """Of independent pixels with variance v and noise of variance s, that is the mean plus v / (v + s) of the rest."""
    clean = images(20_000)
    noisy = clean + 0.2 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    share = (1 / 12) / (1 / 12 + 0.04)
    best = (0.5 + share * (noisy - 0.5)).clamp(0, 1)
    found = ridge(noisy, clean, penalty=1.0)(noisy)
    assert float(psnr(clean, found).mean()) == pytest.approx(float(psnr(clean, best).mean()), abs=0.05)


def test_blur_keeps_the_mean_and_spreads_a_point_as_a_gaussian():
    flat = torch.full((2, 3, 9, 9), 0.3)
    torch.testing.assert_close(blur(flat, 1.5), flat)
    point = torch.zeros(1, 1, 21, 21)
    point[0, 0, 10, 10] = 1
    spread = blur(point, 1.25)
    assert float(spread.sum()) == pytest.approx(1, abs=1e-5)
    row = spread[0, 0, 10]
    assert float(row[11] / row[10]) == pytest.approx(float(torch.exp(torch.tensor(-0.5 / 1.25**2))), abs=1e-5)


def test_a_fitted_blur_restores_contrast_and_brightness():
    clean = images().repeat_interleave(8, 2).repeat_interleave(8, 3)  # flat squares, which a narrow blur keeps
    grey = 0.3 + 0.4 * clean
    fitted = fitted_blur(grey, clean, 0.5)(grey)
    assert float(psnr(clean, fitted).mean()) > float(psnr(clean, blur(grey, 0.5)).mean()) + 5
