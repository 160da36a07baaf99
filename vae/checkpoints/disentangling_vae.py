"""disentangling-vae (github.com/YannDubs/disentangling-vae): specs.json, and a state dict in model.pt.

Its one architecture is that of Burgess et al. (2018), which is family "vae" with network "conv" here. Its encoder
interleaves mu and logvar: the rows of the last layer are mu_0, logvar_0, mu_1, logvar_1, ...
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..models import LatentModel, NetworkConfig
from .base import READERS, Checkpoint, CheckpointError, Source, build, fill, image_shape_of, number

SPECS = "specs.json"
CHANNELS, HIDDEN = 32, 256
HALVINGS = {32: 3, 64: 4}  # by the side of an image
# Its Gaussian loss is 255 times the squared error, which is 1 / (2 sigma^2). It also has a Laplace loss.
LIKELIHOODS = {"bernoulli": ("bernoulli", 0.1), "gaussian": ("gaussian", 510**-0.5), "laplace": ("gaussian", 0.1)}
TRAINING = ("loss", "dataset", "epochs", "batch_size", "lr")  # specs that the card repeats


@READERS.register("disentangling-vae")
def read(source: Source) -> Checkpoint | None:
    """Read the folder of one of its experiments."""
    specs = source.json(SPECS)
    if specs is None:
        return None
    if str(kind := specs.get("model_type", "Burgess")).lower() != "burgess":
        raise CheckpointError(f"its model_type is {kind!r:.60}, but only Burgess networks are read")
    image_shape = image_shape_of(specs.get("img_size"), "img_size", SPECS)
    if image_shape[1] != image_shape[2] or image_shape[1] not in HALVINGS:
        raise CheckpointError(f"its images are {image_shape}, but a Burgess network takes 32 x 32 or 64 x 64 pixels")
    loss = str(specs.get("rec_dist", "bernoulli"))
    if loss not in LIKELIHOODS:
        raise CheckpointError(f"its rec_dist is {loss!r:.60}, which is none of {', '.join(LIKELIHOODS)}")
    likelihood, sigma = LIKELIHOODS[loss]
    model = build("vae", NetworkConfig(
        image_shape, number(specs, "latent_dim", SPECS), "conv", (HIDDEN, HIDDEN), (HIDDEN, HIDDEN),
        (CHANNELS,) * HALVINGS[image_shape[1]], "relu", likelihood, sigma,
    ))  # fmt: skip
    layers = by_their_names(model)
    fill(layers, source.tensors("model"))
    for tensor in layers["encoder"]["mu_logvar_gen"].parameters():  # type: ignore[index]
        tensor.copy_(separated(tensor))
    notes = []
    if known := [f"{key} {specs[key]}" for key in TRAINING if isinstance(specs.get(key), (str, int, float))]:
        notes.append(f"Its {SPECS} says how it was trained: {', '.join(known)}.")
    if loss == "laplace":
        notes.append(f"Its Laplace likelihood is replaced by a Gaussian of standard deviation {sigma}.")
    return Checkpoint("disentangling-vae", image_shape, model, notes)


def by_their_names(model: LatentModel) -> nn.ModuleDict:
    """Return the layers of a VAE under the names that they have in disentangling-vae."""
    extra = model.image_shape[1] == 64  # a fourth convolution
    encoder = ["conv1", "conv2", "conv3", *["conv_64"] * extra, "lin1", "lin2", "mu_logvar_gen"]
    decoder = ["lin1", "lin2", "lin3", *["convT_64"] * extra, "convT1", "convT2", "convT3"]
    found = nn.ModuleDict()
    for part, names in (("encoder", encoder), ("decoder", decoder)):
        layers = [layer for layer in getattr(model, part) if hasattr(layer, "weight")]
        found[part] = nn.ModuleDict(dict(zip(names, layers, strict=True)))
    return found


def separated(rows: Tensor) -> Tensor:
    """Return rows (2D, ...) of mu_0, logvar_0, mu_1, ... as those of mu, then those of logvar."""
    return torch.cat([rows[0::2], rows[1::2]])
