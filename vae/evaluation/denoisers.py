"""Denoisers without a model, which a model must beat: ridge regression and Gaussian blur."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from ..data import DATASETS
from ..metrics import psnr
from ..models.dvae import add_noise

IMAGES = 10_000  # training images; the last fifth chooses the penalty and the width
PENALTIES = (1.0, 10.0, 100.0, 1000.0)
WIDTHS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)  # standard deviations of the blur, in pixels

Denoiser = Callable[[Tensor], Tensor]  # noisy (B, C, H, W) -> (B, C, H, W), both in [0, 1]


@functools.cache  # the same for every model of a data set
def denoisers(data: str, std: float, seed: int) -> dict[str, Denoiser]:
    """Return {"ridge": ..., "blur": ...}, fitted to a data set's training images with Gaussian noise.

    std: of the noise; seed: of the noise, another than that of test images should be.
    """
    info = DATASETS[data]
    train = info.load(info.offline[0]).first(IMAGES)
    clean = torch.cat([x for x, _ in train.batches()])
    noisy = add_noise(clean, std, torch.Generator().manual_seed(seed))
    cut = len(clean) * 4 // 5
    tried: dict[str, list[Denoiser]] = {
        "ridge": [ridge(noisy[:cut], clean[:cut], penalty) for penalty in PENALTIES],
        "blur": [fitted_blur(noisy[:cut], clean[:cut], width) for width in WIDTHS],
    }

    def quality(denoise: Denoiser) -> float:
        return float(psnr(clean[cut:], denoise(noisy[cut:])).mean())

    return {name: max(variants, key=quality) for name, variants in tried.items()}


def ridge(noisy: Tensor, clean: Tensor, penalty: float) -> Denoiser:
    """Return a linear map from all noisy pixels to each clean pixel, fitted to images (N, C, H, W) by least squares
    with a penalty on the squared weights; the intercept has none."""
    x, y = noisy.flatten(1).double(), clean.flatten(1).double()
    mean_x, mean_y = x.mean(0), y.mean(0)
    centred = x - mean_x
    gram = centred.T @ centred + penalty * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(gram, centred.T @ (y - mean_y))

    def denoise(images: Tensor) -> Tensor:
        predicted = (images.flatten(1).double() - mean_x) @ weights + mean_y
        return predicted.view(images.shape).to(images.dtype).clamp(0, 1)

    return denoise


def fitted_blur(noisy: Tensor, clean: Tensor, width: float) -> Denoiser:
    """Return a Gaussian blur whose contrast and brightness are fitted to images (N, C, H, W) by least squares: noise
    that is clipped to [0, 1] makes black grey."""
    blurred = blur(noisy, width)
    x, y = blurred.double() - blurred.double().mean(), clean.double()
    contrast = float((x * (y - y.mean())).sum() / x.square().sum())
    brightness = float(y.mean() - contrast * blurred.double().mean())
    return lambda images: (contrast * blur(images, width) + brightness).clamp(0, 1)


def blur(images: Tensor, width: float) -> Tensor:
    """Return images (B, C, H, W) blurred by a Gaussian of a standard deviation in pixels; edges are mirrored."""
    radius = min(int(4 * width + 0.5), min(images.shape[2:]) - 1)
    line = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / width) ** 2).to(images.dtype)
    line = line / line.sum()
    b, c, h, w = images.shape
    padded = torch.nn.functional.pad(images.reshape(b * c, 1, h, w), (radius,) * 4, mode="reflect")
    rows = torch.nn.functional.conv2d(padded, line.view(1, 1, -1, 1))
    return torch.nn.functional.conv2d(rows, line.view(1, 1, 1, -1)).view(images.shape)
