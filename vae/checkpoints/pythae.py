"""pythae (github.com/clementchadebec/benchmark_VAE): model_config.json, and a state dict in model.pt.

Networks that are not its default MLP lie beside it as encoder.pkl and decoder.pkl, pickles of code, which are never
opened. The convolutional networks that pythae ships are recognised by the names and shapes of their tensors.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from ..models import LatentModel
from ..models.pythae import CONV_NETS, MLP, PythaeConfig
from .base import READERS, Checkpoint, CheckpointError, Source, below, build, fill, fits, image_shape_of, number

CONFIG = "model_config.json"
# by the name of the config: an encoder that returns mean and log-variance, with the prior N(0, I), or a point
GAUSSIAN = (
    "VAE", "BetaVAE", "BetaTCVAE", "DisentangledBetaVAE", "FactorVAE", "INFOVAE_MMD_", "IWAE", "CIWAE", "MIWAE",
    "PIWAE", "MSSSIM_VAE", "VAEGAN", "Adversarial_AE_",
)  # fmt: skip
POINT = ("AE", "WAE_MMD_", "RAE_L2_", "RAE_GP_")
# Its "mse" is half the squared error, so a pixel's standard deviation is 1.
LIKELIHOODS = {"bce": ("bernoulli", 0.1), "mse": ("gaussian", 1.0)}
PARTS = ("encoder", "decoder")  # others, such as a discriminator, serve training alone


@READERS.register("pythae")
def read(source: Source) -> Checkpoint | None:
    """Read a folder that a model of pythae was saved to."""
    config = source.json(CONFIG)
    if config is None:
        return None
    name = str(config.get("name")).removesuffix("Config")
    if name not in GAUSSIAN + POINT:
        raise CheckpointError(
            f"its model is {name.rstrip('_')!r:.40}, which is not read; of pythae AE, WAE, RAE, VAE, beta-VAE, "
            "FactorVAE, InfoVAE, IWAE and others with a plain code and the prior N(0, I) are"
        )
    tensors = source.tensors("model")
    dims = number(config, "latent_dim", CONFIG)
    likelihood, sigma = LIKELIHOODS.get(str(config.get("reconstruction_loss")), LIKELIHOODS["mse"])
    given = config.get("input_dim")
    shape = None if given is None else image_shape_of(given, "input_dim", CONFIG)
    family = "pythae_vae" if name in GAUSSIAN else "pythae_ae"
    networks = {part: MLP if config.get(f"uses_default_{part}", True) else _recognised(
        family, part, dims, below(tensors, f"{part}.")
    ) for part in PARTS}  # fmt: skip
    shapes = {CONV_NETS[network].image_shape for network in networks.values() if network != MLP}
    if len({*shapes, shape} - {None}) != 1:
        raise CheckpointError(
            f"its networks take images {', '.join(map(str, shapes))}, but {CONFIG} gives {given!r:.60} as input_dim"
        )
    model = build(family, PythaeConfig(
        shape or shapes.pop(), dims, likelihood=likelihood, sigma=sigma,
        encoder_network=networks["encoder"], decoder_network=networks["decoder"],
    ))  # fmt: skip
    fill(_parts(model), {key: t for key, t in tensors.items() if key.split(".")[0] in PARTS})
    notes = [f"Its name in pythae is {name.rstrip('_')}."]
    if custom := [f"{part}.pkl" for part, network in networks.items() if network != MLP]:
        notes.append(
            f"Code in {' and '.join(custom)} was not run: the names and shapes of its tensors are those of pythae's "
            "convolutional networks, whose activations are assumed."
        )
    return Checkpoint("pythae", model.image_shape, model, notes)


def _parts(model: LatentModel) -> nn.ModuleDict:
    return nn.ModuleDict({part: getattr(model, part) for part in PARTS})


def _recognised(family: str, part: str, dims: int, tensors: dict[str, Any]) -> str:
    """Return which of pythae's networks has these tensors. Raises CheckpointError for none."""
    for network, net in CONV_NETS.items():
        both: dict[str, Any] = {f"{name}_network": network for name in PARTS}
        if fits(getattr(build(family, PythaeConfig(net.image_shape, dims, **both)), part), tensors):
            return network
    raise CheckpointError(
        f"its {part} is custom code in {part}.pkl, which could do anything and is not run: load it with pythae and "
        "use vae.explore((encoder, decoder), images)"
    )
