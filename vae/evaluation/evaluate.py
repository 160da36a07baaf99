"""The figures of a card, each with its protocol: of the test split to report, of the validation split to choose."""

from __future__ import annotations

import copy
import functools
import math

import numpy as np
import torch
from tqdm import tqdm

from .. import metrics
from ..data import DATASETS, DatasetInfo, Split
from ..models import LatentModel
from ..models.dvae import add_noise
from ..training.loop import mean_codes
from . import downstream
from .judge import answers

BATCH = 500
NLL_STRIDE, NLL_BATCH = 5, 10  # every fifth image has its NLL measured, ten at a time
JUDGED = 2000  # draws from a prior over codes
NOISE = 0.5  # standard deviation, on images in [0, 1]
USES = ("anomalies", "labels", "augmentation", "samples")  # what a recipe may ask for
FLIP_STEPS = (1.5, 1.75, 2.0)  # of an attribute's direction: the one that flips most is chosen on validation images


def evaluate(
    model: LatentModel,
    data: str,
    limit: int | None = None,
    with_dci: bool = True,
    nll_samples: int = 5000,
    progress: bool = False,
    for_uses: tuple[str, ...] = (),
    on: str = "test",
) -> tuple[dict, dict]:
    """Return (figures, protocol) of a model on a split of a data set, or on its first `limit` images.

    Nats, sums over pixels and dimensions, means over images. with_dci: DCI takes minutes where
    the data's factors are known. nll_samples: importance samples an image where pixels are
    binary, minutes too; 0 leaves the NLL out. for_uses: a recipe's `uses`, measured on test images
    alone; where there is a limit by one choice of labels instead of five. on: "test", or
    "validation" for whatever chooses. Raises ValueError for an unknown use.
    """
    info = DATASETS[data]
    split = info.load(on)
    n = min(limit or len(split), len(split))

    batches = split.batches(BATCH, range(n))
    bar = tqdm(batches, "evaluate", math.ceil(n / BATCH), unit="batch", disable=not progress)
    terms = metrics.average_terms(model, bar)
    given = ", given the true label: log p(x|y) is what is bounded" if model.num_classes else ""
    figures = {f"{on}_images": n, "recon": terms.recon, "recon_floor": terms.recon_floor}
    protocol = {
        "recon": f"-log p(x|z) in nats, {n} {on} images, one posterior draw each (seed 0){given}",
        "recon_floor": "what recon would be if x_hat were x: more than 0 for pixels between 0 and 1",
    }
    if model.latent_kind != "point":
        figures |= {"kl": terms.kl, "negative_elbo": terms.recon + terms.kl}
        if terms.kl_per_dim is not None:
            figures["kl_per_dim"] = terms.kl_per_dim.tolist()
        how = {
            "gaussian": "KL(q(z|x) || p(z)) in nats, analytic"
            + (", the lower level's at one draw of the upper" if model.groups else ""),
            "flow": "log q(z|x) - log p(z) in nats at the draw",
            "codes": "-log p(z) in nats under the autoregressive prior",
        }[model.latent_kind]
        protocol["kl"] = f"{how}, {n} {on} images"
    found = [
        _codes(model, data, terms.means, split, n) if model.latent_kind == "codes" else _units(model, terms.means, on),
        _likelihood(model, split, terms.negative_elbo, nll_samples) if info.binary and nll_samples else None,
        _labels(model, split, n) if hasattr(model, "classify") else None,
        _denoising(model, split, n) if info.denoising else None,
        _style(model, info, on) if info.by_style and limit is None else None,
        _attributes(model, info, terms.means, split, n) if info.attributes else None,
        *_uses(model, info, terms.means, n, for_uses, draws=downstream.DRAWS if limit is None else 1),
    ]
    if split.factors is not None and model.latent_kind != "codes":
        found.append(disentanglement(terms.means, split.factors[:n], with_dci, progress))
    for measured, told in filter(None, found):
        figures |= measured
        protocol |= told
    return figures, protocol


def _uses(model, info: DatasetInfo, means, n, for_uses: tuple[str, ...], draws: int) -> list[tuple[dict, dict]]:
    if unknown := set(for_uses) - set(USES):
        raise ValueError(f"there is no use {unknown.pop()!r}; there are {', '.join(USES)}")
    if unfit := set(for_uses) - set(info.uses):
        raise ValueError(f"{info.title} does not allow the use {unfit.pop()!r}; it allows {', '.join(info.uses)}")
    found = []
    if not for_uses:
        return found
    split = info.load("test")
    lent = info.load("labelled") if {"labels", "augmentation"} & set(for_uses) else None
    if "anomalies" in for_uses:
        found.append(downstream.anomalies(model, info, n))
    if "labels" in for_uses and hasattr(model, "classifier"):
        found.append(downstream.labels_alone(model, lent, split, n, draws))
    elif "labels" in for_uses:
        found.append(downstream.few_labels(mean_codes(model, lent), lent, means, split, n, draws))
    if "augmentation" in for_uses:
        found.append(downstream.augmentation(model, lent, split, n, draws))
    if "samples" in for_uses:
        found.append(downstream.from_samples(model, split, n))
    return found


def _units(model: LatentModel, means: np.ndarray, on: str) -> tuple[dict, dict]:
    active = metrics.active_units(means)
    told = f"variance of the {model.centre_name} above 0.01, {len(means)} {on} images"
    return {"active_units": active.active_units}, {"active_units": told}


def _likelihood(
    model: LatentModel, split: Split, negative_elbo: np.ndarray, samples: int
) -> tuple[dict, dict]:
    """The NLL of all images from that of every fifth: the others have their bound, less the mean
    distance between bound and NLL, which varies little from image to image."""
    rows = np.arange(0, len(negative_elbo), NLL_STRIDE)
    # layout alone: what is computed is the same, sooner
    laid_out = copy.deepcopy(model).to(memory_format=torch.channels_last)
    batches = split.batches(NLL_BATCH, rows)
    bar = tqdm(batches, "importance sampling", math.ceil(len(rows) / NLL_BATCH), unit="batch")
    found = metrics.importance_nll(laid_out, bar, samples)
    distance = negative_elbo[rows] - found.per_image
    figures = {
        "nll": float(negative_elbo.mean(dtype=float) - distance.mean(dtype=float)),
        # of the mean over images, and of the distance, which every fifth image tells
        "nll_standard_error": float(found.per_image.std(ddof=1) / len(negative_elbo) ** 0.5),
        "nll_distance_error": float(distance.std(ddof=1) / len(rows) ** 0.5),
    }
    told = (
        f"-log p(x) in nats: the bound of {len(negative_elbo):,} test images less its mean distance "
        f"from the NLL, by {found.protocol}, every fifth one; the first error is that of the mean over "
        "images, the second that of the distance"
    )
    return figures, {"nll": told}


@torch.no_grad()
def _codes(model: LatentModel, data: str, codes: np.ndarray, split: Split, n: int) -> tuple[dict, dict]:
    """How the codebook is used, and how a classifier likes what the prior draws."""
    usage = metrics.code_usage(codes, model.config.codebook)
    judge = metrics.load_classifier(data, model.image_shape, answers(DATASETS[data]))
    z = model.sample(min(JUDGED, n), generator=torch.Generator().manual_seed(0))
    samples = torch.cat([model.decode(part) for part in z.split(BATCH)])
    test_images = split.batch(range(min(JUDGED, n)))[0]
    sure = metrics.confidence(judge, samples, test_images)
    figures = {
        "codes_used": usage.used, "perplexity": usage.perplexity,
        "sample_confidence": sure.of_samples, "test_confidence": sure.of_test_images,
    }  # fmt: skip
    return figures, {"perplexity": usage.protocol, "sample_confidence": sure.protocol}


def _labels(model: LatentModel, split: Split, n: int) -> tuple[dict, dict]:
    right = [model.most_likely_class(x) == y for x, y in split.batches(BATCH, range(n))]
    figures = {"accuracy": float(torch.cat(right).double().mean())}
    return figures, {"accuracy": f"share of {n} test images whose label q(y|x) holds likeliest"}


@torch.no_grad()
def _denoising(model: LatentModel, split: Split, n: int) -> tuple[dict, dict]:
    """Noisy digits in, decibels of what comes out; the same noise for every model. A conditional
    one has to find the class in the noise."""
    generator = torch.Generator().manual_seed(0)
    mean = sum(x.sum(0, keepdim=True) for x, _ in split.batches(BATCH, range(n))) / n
    found, before, constant = [], [], []
    for x, _ in split.batches(BATCH, range(n)):
        noisy = add_noise(x, NOISE, generator)
        found.append(metrics.psnr(x, model.reconstruct(noisy)))
        before.append(metrics.psnr(x, noisy))
        constant.append(metrics.psnr(x, mean))
    figures = {
        "psnr_denoised": float(torch.cat(found).double().mean()),
        "psnr_noisy": float(torch.cat(before).double().mean()),
        "psnr_mean_image": float(torch.cat(constant).double().mean()),
    }
    told = (
        f"decibels, mean over {n} test images with noise of standard deviation {NOISE} (seed 0), beside "
        "those of the noisy images and of the mean image, which is what knowing nothing gets"
    )
    if model.num_classes:
        told += "; the class is the one that the model finds in the noise"
    return figures, {"psnr_denoised": told}


def _style(model: LatentModel, info: DatasetInfo, on: str) -> tuple[dict, dict]:
    found = metrics.style_consistency(model, info.by_style(on)[1])
    figures = {k: v for k, v in found._asdict().items() if k not in ("protocol", "chance")}
    return figures | {"style_retrieval_chance": found.chance}, {"style_distance": found.protocol}


@torch.no_grad()
def _attributes(model: LatentModel, info: DatasetInfo, means: np.ndarray, split: Split, n: int) -> tuple[dict, dict]:
    """How sharp reconstructions are, and whether attributes are directions."""
    sharp, true = [], []
    codes = torch.from_numpy(means)
    for z, (x, _) in zip(codes.split(BATCH), split.batches(BATCH, range(n))):
        sharp.append(metrics.sharpness(model.decode(z)))
        true.append(metrics.sharpness(x))
    classifier = metrics.load_classifier(info.name, model.image_shape, split.grid.sizes)

    def judge(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([logits.argmax(1) for logits in classifier(x)], 1)

    attributes = info.attribute_values()

    def flipped(codes: torch.Tensor, factors: np.ndarray, steps: float) -> metrics.Flips:
        return metrics.attribute_flips(model, codes, factors, attributes, judge, fit=len(codes) // 2, steps=steps)

    chosen_on = info.load("validation").first(n)
    known = torch.from_numpy(mean_codes(model, chosen_on))
    steps = max(FLIP_STEPS, key=lambda steps: min(flipped(known, chosen_on.factors, steps).rates.values()))
    flips = flipped(codes, split.factors[:n], steps)
    figures = {
        "sharpness": float(torch.cat(sharp).double().mean()),
        "sharpness_of_images": float(torch.cat(true).double().mean()),
        "attribute_flips_least": min(flips.rates.values()),
        "attribute_flips": flips.rates, "attribute_unmoved": flips.unmoved, "attribute_steps": steps,
        "attribute_others_kept": flips.others_kept,
    }  # fmt: skip
    protocol = {
        "sharpness": f"variance of the Laplacian of x_hat at the posterior mean, mean over {n} test images",
        "attribute_flips": flips.protocol + f"; of {', '.join(map(str, FLIP_STEPS))} times, what flips most on validation images",
    }
    return figures, protocol


def disentanglement(
    codes: np.ndarray, factors: np.ndarray, with_dci: bool = True, progress: bool = False
) -> tuple[dict, dict]:
    """(figures, protocol) of mean codes (N, D) against factors (N, K); <name>_random is what
    standard normal codes get."""
    found = {
        "mig": metrics.mig(codes, factors),
        "sap": metrics.sap(codes, factors),
        "modularity": metrics.modularity(codes, factors),
        "factor_vae_score": metrics.factor_vae_score(codes, factors),
        "beta_vae_score": metrics.beta_vae_score(codes, factors),
    }
    figures = {}
    for name, result in found.items():
        figures |= {name: result[0], f"{name}_random": result.random}
    figures |= {
        "mig_gaps": list(found["mig"].gaps),
        "mutual_information": found["mig"].mutual_information.tolist(),  # (D, K) nats
        "factor_entropy": found["mig"].entropy.tolist(),  # (K,) nats
    }
    correlation = metrics.total_correlation(codes)
    figures["total_correlation"] = correlation.total_correlation
    protocol = {name: result.protocol for name, result in found.items()}
    protocol["total_correlation"] = correlation.protocol
    if with_dci:
        trees = metrics.dci(codes, factors, baseline=False, progress=progress, jobs=-1)
        figures |= {
            "dci": trees.disentanglement,
            "dci_completeness": trees.completeness,
            "dci_informativeness": trees.informativeness,
            "dci_random": _dci_of_random_codes(codes.shape, factors.tobytes(), factors.shape),
        }
        protocol["dci"] = trees.protocol
    return figures, protocol


@functools.cache  # minutes, and the same for every model of a data set
def _dci_of_random_codes(shape: tuple, factors: bytes, factors_shape: tuple) -> float:
    codes = np.random.RandomState(0).standard_normal(shape)
    values = np.frombuffer(factors, np.int64).reshape(factors_shape)
    return metrics.dci(codes, values, baseline=False, jobs=-1).disentanglement
