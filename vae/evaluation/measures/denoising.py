"""PSNR of images denoised by a model, with the same noise for every model."""

from __future__ import annotations

import functools

import torch

from ... import metrics
from ...data import DATASETS, DatasetInfo
from ...models import LatentModel
from ...models.dvae import add_noise
from .. import denoisers
from ..figures import Figure
from .base import BATCH, MEASURES, Context, Measure

PSNR = Figure(
    "psnr_denoised",
    "PSNR of denoised images",
    "dB",
    ".2f",
    better="higher",
    baseline="psnr_ridge",
    baseline_label="ridge regression",
    # std: of the noise, on images in [0, 1]
    protocol={"std": 0.5, "seed": 0, "images": None, "given": ""},
    sentence="mean PSNR of the reconstructions of {images:,} test images with Gaussian noise of standard deviation "
    "{std} (seed {seed}); baselines: the noisy images themselves, and the mean image of the test set{given}",
)


RIVALS = ("ridge", "blur")  # of denoisers.denoisers
RIDGE = Figure(
    "psnr_ridge",
    "PSNR of ridge regression",
    "dB",
    ".2f",
    shown=False,
    protocol={"training": denoisers.IMAGES},
    sentence="the same noisy images, denoised by ridge regression of all pixels and by Gaussian blur with fitted "
    "contrast, both chosen on {training:,} training images",
)


@MEASURES.register("denoising")
class Denoising(Measure):
    figures = (
        PSNR,
        Figure("psnr_noisy", "PSNR of noisy images", "dB", ".2f", of="psnr_denoised", shown=False),
        Figure("psnr_mean_image", "PSNR of the mean image", "dB", ".2f", of="psnr_denoised", shown=False),
        RIDGE,
        Figure("psnr_blur", "PSNR of Gaussian blur", "dB", ".2f", of="psnr_ridge", shown=False),
    )
    position = 50

    def applies(self, model: LatentModel, info: DatasetInfo) -> bool:
        return info.denoising

    @torch.no_grad()
    def measure(self, context: Context) -> dict:
        model, parameters = context.model, context.parameters_of(PSNR)
        generator = torch.Generator().manual_seed(parameters["seed"])
        mean = sum((x.sum(0, keepdim=True) for x, _ in context.batches()), torch.zeros(1)) / context.n
        found: dict[str, list[torch.Tensor]] = {"psnr_denoised": [], "psnr_noisy": [], "psnr_mean_image": []}
        for x, _ in context.batches():
            noisy = add_noise(x, parameters["std"], generator)
            # a conditional model infers the class from the noisy image
            for values, x_hat in zip(found.values(), (model.reconstruct(noisy), noisy, mean), strict=True):
                values.append(metrics.psnr(x, x_hat))
        inferred = "; the model infers the class from the noisy image" if model.num_classes else ""
        context.describe(PSNR, given=inferred)
        figures = {key: float(torch.cat(values).double().mean()) for key, values in found.items()}
        if not context.whole or context.info.name not in DATASETS or not context.info.offline:
            return figures  # fitting the rivals takes a minute
        return figures | _of_rivals(context.info.name, context.on, context.n, parameters["std"], parameters["seed"])


@functools.cache  # the same for every model of a data set
def _of_rivals(data: str, split: str, n: int, std: float, seed: int) -> dict[str, float]:
    """Return the PSNR of the rivals on the first n images of a split, with the noise that models get."""
    generator = torch.Generator().manual_seed(seed)
    fitted = denoisers.denoisers(data, std, seed + 1)
    found: dict[str, list[torch.Tensor]] = {f"psnr_{name}": [] for name in RIVALS}
    for x, _ in DATASETS[data].load(split).batches(BATCH, range(n)):
        noisy = add_noise(x, std, generator)
        for name in RIVALS:
            found[f"psnr_{name}"].append(metrics.psnr(x, fitted[name](noisy)))
    return {key: float(torch.cat(values).double().mean()) for key, values in found.items()}
