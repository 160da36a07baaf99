"""A small model of images that only its card describes, as a visitor's training leaves it."""

import dataclasses

import numpy as np
import torch

from vae import project, store
from vae.encoded import EncodedImages
from vae.models import FAMILIES, NetworkConfig

CLASSES = ("bars", "rings & <b>dots</b>")
N, D = 120, 2


def images(seed=0):
    """Bars and squares (N, 28, 28) uint8, and their classes (N,)."""
    rng = np.random.default_rng(seed)
    pictures, labels = np.zeros((N, 28, 28), np.uint8), np.arange(N) % 2
    for picture, label, (x, y) in zip(pictures, labels, rng.integers(3, 17, (N, 2)), strict=True):
        picture[y : y + 8, x : x + (8 if label else 3)] = 255
    return pictures, labels


def make(root, name="mine", data="shapes", seed=0, title="Shapes in 2-D"):
    """Write an untrained model with its map, pictures and test images to a folder of models. Returns its card."""
    pictures, labels = images(seed)
    (root / "galleries").mkdir(parents=True, exist_ok=True)
    np.savez_compressed(root / "galleries" / f"{data}.npz", images=pictures, labels=labels)
    torch.manual_seed(seed)
    config = NetworkConfig((1, 28, 28), latent_dim=D, encoder=(16,), decoder=(16,))
    model = FAMILIES["vae"](config).eval().requires_grad_(False)
    kept = store.Store([root])
    card = kept.save(model, store.ModelCard(
        name=name, title=title, description="A VAE of shapes.", family="vae", data=data, image_shape=(1, 28, 28),
        latent_dim=D, config=dataclasses.asdict(config), recipe={"steps": 30, "seed": seed}, licence="none",
        weights_sha256="", figures={"kl_per_dim": [1.5, 0.5], "active_units": 2},
        dataset={"title": "Shapes of mine", "classes": list(CLASSES), "noun": "shapes"},
    ))  # fmt: skip
    x = torch.from_numpy(pictures)[:, None].float() / 255
    q = model.encode(x)
    codes, rng = q.mean.numpy(), np.random.default_rng(seed)
    kept.write_map(name, EncodedImages(
        np.arange(N), codes, q.stddev.numpy(), -model.likelihood(q.mean).log_prob(x).numpy(), codes.copy(),
        codes + rng.normal(0, 0.01, codes.shape).astype(np.float32), codes.copy(),
    ))  # fmt: skip
    model.card = card
    project.write_network(kept, model)
    return card
