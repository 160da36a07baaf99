"""A small classifier of images, by which samples and reconstructions are judged."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ..models.blocks import halvings, smallest_map
from ..models.checks import check_images

CLASSIFIERS = Path(__file__).parents[2] / "pretrained" / "classifiers"
CHANNELS = {28: (16, 32), 32: (16, 32), 64: (16, 32, 32, 32)}  # by image height; other heights use the nearest
CONFIDENCE_PROTOCOL = (
    "mean largest probability of a classifier (test accuracy {accuracy:.3f}) over {samples:,} samples from the prior "
    "and {images:,} test images"
)


class Classifier(nn.Module):
    """A convolutional classifier with K heads: images (B, C, H, W) in [0, 1] -> a list of logits (B, V_k).

    num_classes: V_k for each head. Each head classifies one factor, or a single head the class.
    """

    def __init__(self, image_shape: tuple[int, int, int], num_classes: tuple[int, ...]):
        super().__init__()
        channels = CHANNELS[min(CHANNELS, key=lambda height: abs(height - image_shape[1]))]
        c, h, w = smallest_map(image_shape, channels)
        self.body = nn.Sequential(
            *halvings((image_shape[0], *channels)), nn.Flatten(), nn.Linear(c * h * w, 128), nn.ReLU()
        )
        self.heads = nn.ModuleList(nn.Linear(128, n) for n in num_classes)
        self.accuracy: tuple[float, ...] = ()  # on the test split, one for each head

    def features(self, x: Tensor) -> Tensor:
        """Return what the heads read of images (B, C, H, W): (B, 128)."""
        return self.body(x)

    def forward(self, x: Tensor) -> list[Tensor]:
        h = self.features(x)
        return [head(h) for head in self.heads]


def load_classifier(
    data: str, image_shape: tuple[int, int, int], num_classes: tuple[int, ...], root: Path | None = None
) -> Classifier:
    """Return the shipped classifier of a data set in eval mode, with its test accuracies on .accuracy.

    num_classes: the number of classes of each head. Raises OSError where the file is missing or damaged.
    """
    path = (root or CLASSIFIERS) / f"{data}.safetensors"
    classifier = Classifier(image_shape, num_classes)
    try:
        with safe_open(path, framework="pt") as file:
            classifier.load_state_dict({k: file.get_tensor(k) for k in file.keys()})
            classifier.accuracy = tuple(map(float, file.metadata()["accuracy"].split(",")))
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise OSError(f"the classifier {path.name} is missing or damaged ({error})") from error
    return classifier.eval().requires_grad_(False)


class Confidence(NamedTuple):
    """A classifier's confidence: its largest probability, averaged over images and heads.

    1 / V is not a baseline: a classifier is overconfident on images unlike its training images.
    """

    of_samples: float
    of_test_images: float
    accuracy: float  # of the classifier, on the test split, mean over its heads
    protocol: str


@torch.no_grad()
def confidence(classifier: Classifier, samples: Tensor, test_images: Tensor) -> Confidence:
    """Return a classifier's confidence in samples (N, C, H, W) and in test_images (M, C, H, W), both in [0, 1].

    It is NaN if the images are not finite. Raises ValueError for images of another shape or range, and for none.
    """
    for x in (samples, test_images):
        check_images(x, test_images.shape[-3:], look=isinstance(x, Tensor) and bool(x.isfinite().all()))
        if not len(x):
            raise ValueError("there are no images to measure")

    def mean_confidence(x: Tensor) -> float:
        found = [logits.softmax(1).amax(1) for part in x.split(500) for logits in classifier(part)]
        return float(torch.cat(found).mean())

    accuracy = sum(classifier.accuracy) / len(classifier.accuracy)
    protocol = CONFIDENCE_PROTOCOL.format(accuracy=accuracy, samples=len(samples), images=len(test_images))
    return Confidence(mean_confidence(samples), mean_confidence(test_images), accuracy, protocol)
