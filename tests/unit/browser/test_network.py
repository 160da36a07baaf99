"""The decoder's runtime in node, against torch."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from vae.models.likelihoods import LIKELIHOODS
from vae.models.portable import portable_decoder

SCRIPT = Path(__file__).parents[2] / "js/decode.mjs"


class Decoder(nn.Module):
    """A model that is a decoder alone. `layers` begin at [z, one_hot(y)]."""

    plain_decoder = True
    pixels = LIKELIHOODS["bernoulli"](0.1)

    def __init__(self, latent_dim: int, num_classes: int, *layers: nn.Module):
        super().__init__()
        self.latent_dim, self.num_classes = latent_dim, num_classes
        self.decoder = nn.Sequential(*layers)

    def decode(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """z (B, D), y (B,) -> (B, C, H, W)."""
        inputs = torch.cat([z, nn.functional.one_hot(y, self.num_classes).float()], 1) if self.num_classes else z
        return self.decoder(inputs).sigmoid()


def in_node(models: list[Decoder], zs: list[torch.Tensor], ys: list[torch.Tensor]) -> list[np.ndarray]:
    """Return what the browser's runtime decodes: for each model (B, H * W * C)."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no node: .ci/run must install it")
        pytest.skip("no node on this machine")
    jobs = [
        {"weights": base64.b64encode(portable_decoder(model)).decode(), "zs": z.tolist(), "ys": y.tolist()}
        for model, z, y in zip(models, zs, ys, strict=True)
    ]
    done = subprocess.run([node, SCRIPT], input=json.dumps(jobs).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return [np.array(pictures) for pictures in json.loads(done.stdout)]


def random_decoder(rng: np.random.Generator) -> Decoder:
    """Return a decoder of random sizes, with one layer of each kind around a random convolution."""
    channels = [int(n) for n in rng.integers(1, 7, 4)]
    height, width = int(rng.integers(4, 8)), int(rng.integers(4, 8))
    kernels, strides = rng.integers(2, 6, 2).tolist(), rng.integers(1, 4, 2).tolist()
    padding = int(rng.integers(kernels[0] // 2, kernels[0]))
    latent_dim, num_classes = int(rng.integers(1, 5)), int(rng.integers(0, 3))
    activations = [nn.ReLU(), nn.LeakyReLU(0.2), nn.SiLU(), nn.Sigmoid()]
    rng.shuffle(activations)
    return Decoder(
        latent_dim, num_classes,
        nn.Linear(latent_dim + num_classes, channels[0] * height * width, bias=bool(rng.integers(2))), activations[0],
        nn.Unflatten(1, (channels[0], height, width)),
        nn.Conv2d(channels[0], channels[1], kernels[0], 1, padding, bias=bool(rng.integers(2))), activations[1],
        nn.Upsample(scale_factor=2),
        nn.ConvTranspose2d(channels[1], channels[2], kernels[1], strides[0], int(rng.integers(3))), activations[2],
        nn.Conv2d(channels[2], channels[3], 3, strides[1], 1), activations[3],
    )  # fmt: skip


@torch.no_grad()
def test_layers_of_random_sizes_decode_as_in_torch():
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    models = [random_decoder(rng) for _ in range(60)]
    zs = [2 * torch.randn(3, model.latent_dim) for model in models]
    ys = [torch.randint(max(1, model.num_classes), (3,)) for model in models]
    for model, z, y, found in zip(models, zs, ys, in_node(models, zs, ys), strict=True):
        expected = model.decode(z, y).permute(0, 2, 3, 1).flatten(1)
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=str(model))
