"""PSNR of images denoised by a model, with the same noise for every model."""

from __future__ import annotations

import torch

from ... import metrics
from ...data import DatasetInfo
from ...models import LatentModel
from ...models.dvae import add_noise
from ..figures import Figure
from .base import MEASURES, Context, Measure

PSNR = Figure(
    "psnr_denoised",
    "PSNR of denoised images",
    "dB",
    ".2f",
    better="higher",
    baseline="psnr_mean_image",
    baseline_label="the mean image",
    # std: of the noise, on images in [0, 1]
    protocol={"std": 0.5, "seed": 0, "images": None, "given": ""},
    sentence="mean PSNR of the reconstructions of {images:,} test images with Gaussian noise of standard deviation "
    "{std} (seed {seed}); baselines: the noisy images themselves, and the mean image of the test set{given}",
)


@MEASURES.register("denoising")
class Denoising(Measure):
    figures = (
        PSNR,
        Figure("psnr_noisy", "PSNR of noisy images", "dB", ".2f", of="psnr_denoised", shown=False),
        Figure("psnr_mean_image", "PSNR of the mean image", "dB", ".2f", of="psnr_denoised", shown=False),
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
        return {key: float(torch.cat(values).double().mean()) for key, values in found.items()}
