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

from vae.models import FAMILIES, LatentModel
from vae.models.portable import portable_decoder

SCRIPT = Path(__file__).parents[2] / "js/decode.mjs"


def in_node(models: list[LatentModel], zs: list[torch.Tensor], ys: list[torch.Tensor]) -> list[np.ndarray]:
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


def random_model(rng: np.random.Generator) -> LatentModel:
    """Return a model whose decoder has random sizes, with one layer of each kind around a random convolution."""
    channels = [int(n) for n in rng.integers(1, 7, 4)]
    height, width = int(rng.integers(4, 8)), int(rng.integers(4, 8))
    kernels, strides = rng.integers(2, 6, 2).tolist(), rng.integers(1, 4, 2).tolist()
    padding = int(rng.integers(kernels[0] // 2, kernels[0]))
    latent_dim, num_classes = int(rng.integers(1, 5)), int(rng.choice([0, 2, 3]))
    activations = [nn.ReLU(), nn.LeakyReLU(0.2), nn.SiLU(), nn.Sigmoid()]
    rng.shuffle(activations)
    family = FAMILIES["cvae" if num_classes else "vae"]
    given = {"num_classes": num_classes} if num_classes else {}
    model = family(family.Config((1, 8, 8), latent_dim, encoder=(4,), decoder=(4,), **given)).eval()
    model.decoder = nn.Sequential(
        nn.Linear(latent_dim + num_classes, channels[0] * height * width, bias=bool(rng.integers(2))), activations[0],
        nn.Unflatten(1, (channels[0], height, width)),
        nn.Conv2d(channels[0], channels[1], kernels[0], 1, padding, bias=bool(rng.integers(2))), activations[1],
        nn.Upsample(scale_factor=2),
        nn.ConvTranspose2d(channels[1], channels[2], kernels[1], strides[0], int(rng.integers(3))), activations[2],
        nn.Conv2d(channels[2], channels[3], 3, strides[1], 1), activations[3],
    )  # fmt: skip
    return model


@torch.no_grad()
def test_layers_of_random_sizes_decode_as_in_torch():
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    models = [random_model(rng) for _ in range(60)]
    zs = [2 * torch.randn(3, model.latent_dim) for model in models]
    ys = [torch.randint(max(1, model.num_classes), (3,)) for model in models]
    for model, z, y, found in zip(models, zs, ys, in_node(models, zs, ys), strict=True):
        expected = model.decode(z, y if model.num_classes else None).permute(0, 2, 3, 1).flatten(1)
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=str(model))
