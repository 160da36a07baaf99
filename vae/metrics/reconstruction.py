"""Averages of the ELBO's terms over a data set, and measures of reconstructed images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..models import LatentModel
from ..models.checks import check_images
from ..objectives import elbo


class Terms(NamedTuple):
    """Means over N images, in nats; means and sigmas are those of the N posteriors."""

    recon: float  # -log p(x | z) at one sample of each posterior
    # minimum of recon, reached where x_hat = x; None unless the pixels' likelihood is a cross-entropy
    recon_floor: float | None
    kl: float
    kl_per_dim: np.ndarray | None  # (D,); None where the KL is estimated at the samples
    negative_elbo: np.ndarray  # (N,) recon + kl at that sample, per image
    recon_at_mean: np.ndarray  # (N,) -log p(x | z = posterior mean), per image
    means: np.ndarray  # (N, D) float32
    sigmas: np.ndarray  # (N, D) float32


@torch.no_grad()
def average_terms(
    model: LatentModel, batches: Iterable[tuple[Tensor, Tensor]], seed: int = 0
) -> Terms:
    """Average the ELBO's terms over batches (x (B, C, H, W), y (B,)), with one posterior sample per image, by seed.

    Raises ValueError where there are no images.
    """
    generator = torch.Generator().manual_seed(seed)
    recon, floor, kl, kl_per_dim, recon_at_mean, means, sigmas = [], [], [], [], [], [], []
    for x, y in batches:
        labels = y if model.num_classes else None
        out = model(x, labels, generator=generator)
        terms = elbo(out, x)
        recon.append(terms.recon)
        if model.pixels.is_cross_entropy:
            floor.append(pixel_entropy(x))
        kl.append(terms.kl)
        if terms.kl_per_dim is not None:
            kl_per_dim.append(terms.kl_per_dim)
        recon_at_mean.append(-model.likelihood(out.posterior.mean, labels).log_prob(x))
        means.append(out.posterior.mean)
        sigmas.append(out.posterior.stddev)
    if not sum(map(len, recon)):
        raise ValueError("there are no images to average over")
    # float64: a float32 mean over 10,000 terms of some hundred nats loses its last digit
    per_dim = torch.cat(kl_per_dim).double().mean(0).numpy() if kl_per_dim else None
    return Terms(
        float(torch.cat(recon).double().mean()),
        float(torch.cat(floor).double().mean()) if floor else None,
        float(torch.cat(kl).double().mean()),
        per_dim,
        (torch.cat(recon) + torch.cat(kl)).numpy(),
        torch.cat(recon_at_mean).numpy(),
        torch.cat(means).numpy(),
        torch.cat(sigmas).numpy(),
    )


def pixel_entropy(x: Tensor) -> Tensor:
    """Return the entropy (B,) in nats of Bernoulli pixels with means x (B, C, H, W) in [0, 1].

    It is the minimum over x_hat, at x_hat = x, of the binary cross-entropy, which is -log p(x|z) of Bernoulli pixels;
    with other likelihoods -log p(x|z) may be lower. Raises ValueError for images outside [0, 1].
    """
    _check(x)
    x = x.clamp(0, 1)  # rounded values may lie just outside
    return (torch.special.entr(x) + torch.special.entr(1 - x)).sum((1, 2, 3))


def psnr(x: Tensor, x_hat: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio (B,) in decibels of images (B, C, H, W) in [0, 1].

    Infinite where they are equal. Raises ValueError for images of different shapes or another range.
    """
    _check_pair(x, x_hat)
    return -10 * ((x - x_hat) ** 2).mean((1, 2, 3)).log10()


def overlap(x: Tensor, x_hat: Tensor, threshold: float = 0.5) -> Tensor:
    """Return the intersection over the union (B,) of the pixels above a threshold in images (B, C, H, W) in [0, 1].

    It is 1 where both have none. Raises ValueError for images of different shapes or another range.
    """
    _check_pair(x, x_hat)
    one, other = x > threshold, x_hat > threshold
    union = (one | other).sum((1, 2, 3))
    return torch.where(union > 0, (one & other).sum((1, 2, 3)) / union.clamp(min=1), 1.0)


def sharpness(x: Tensor) -> Tensor:
    """Return the variance of the Laplacian (B,), a measure of focus (Pech-Pacheco et al. 2000), of x (B, C, H, W).

    The Laplacian is that of the channels' mean, by the five-point stencil, without the borders.
    Raises ValueError for images that are not in [0, 1].
    """
    _check(x)
    grey = x.mean(1)  # (B, H, W)
    middle = grey[:, 1:-1, 1:-1]
    laplacian = (
        grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * middle
    )
    return laplacian.flatten(1).var(1)


def _check(x: Tensor) -> None:
    if x.ndim != 4:
        raise ValueError(f"images must be (B, C, H, W), not {tuple(x.shape)}")
    # decoded images may be NaN or infinite; their measures then are too
    check_images(x, x.shape[1:], look=isinstance(x, Tensor) and bool(x.isfinite().all()))


def _check_pair(x: Tensor, x_hat: Tensor) -> None:
    _check(x)
    _check(x_hat)
    if x.shape[1:] != x_hat.shape[1:]:
        raise ValueError(f"images must have the same shape, not {tuple(x.shape)} and {tuple(x_hat.shape)}")
    if len(x) != len(x_hat) and 1 not in (len(x), len(x_hat)):
        raise ValueError(f"images must be compared one by one, not {len(x)} with {len(x_hat)}")


SCALES = (1, 2, 4, 8, 16, 32)  # sides of blocks, in pixels


def multiscale_distance(x: Tensor, y: Tensor) -> Tensor:
    """Return the perceptual distance (B,) of images (B, C, H, W) in [0, 1] on an image pyramid (Burt & Adelson 1983).

    It is the root mean squared difference of block means, averaged over the SCALES that divide the image; 0 for equal
    images. Unlike a pixel distance, it decreases as two shapes that do not overlap approach each other.
    Raises ValueError for images of different shapes or another range.
    """
    _check_pair(x, y)
    scales = [scale for scale in SCALES if x.shape[-1] % scale == 0 and x.shape[-2] % scale == 0]
    blocks = [torch.nn.functional.avg_pool2d(x - y, scale) for scale in scales]
    return torch.stack([(b**2).mean((1, 2, 3)).sqrt() for b in blocks]).mean(0)
