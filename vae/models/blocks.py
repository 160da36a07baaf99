"""Encoder and decoder networks shared by the families.

Each is a flat nn.Sequential of ordinary layers, so that a decoder can be read layer by
layer and run elsewhere.
"""

from __future__ import annotations

from math import prod

from torch import nn

from .base import Config

ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU}


def mlp_encoder(config: Config, outputs: int) -> nn.Sequential:
    """(B, C*H*W + num_classes) -> (B, outputs)."""
    widths = (prod(config.image_shape) + config.num_classes, *config.encoder)
    return nn.Sequential(*_dense(widths), nn.Linear(widths[-1], outputs))


def mlp_decoder(config: Config) -> nn.Sequential:
    """(B, D + num_classes) -> logits (B, C, H, W)."""
    widths = (config.latent_dim + config.num_classes, *config.decoder)
    last = nn.Linear(widths[-1], prod(config.image_shape))
    return nn.Sequential(*_dense(widths), last, nn.Unflatten(1, config.image_shape))


def _dense(widths: tuple[int, ...]) -> list[nn.Module]:
    layers = []
    for width_in, width_out in zip(widths, widths[1:]):
        layers += [nn.Linear(width_in, width_out), nn.SiLU()]
    return layers


def conv_encoder(config: Config, outputs: int) -> nn.Sequential:
    """(B, C, H, W) -> (B, outputs): halvings, then dense layers (Burgess et al. 2018)."""
    activation = ACTIVATIONS[config.activation]
    layers = [*halvings((config.image_shape[0], *config.channels), activation), nn.Flatten()]
    width = prod(smallest_map(config))
    for hidden in config.encoder:
        layers += [nn.Linear(width, hidden), activation()]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def conv_decoder(config: Config) -> nn.Sequential:
    """(B, D + num_classes) -> logits (B, C, H, W), the mirror of conv_encoder."""
    activation = ACTIVATIONS[config.activation]
    layers = []
    width = config.latent_dim + config.num_classes
    for hidden in (*config.decoder, prod(smallest_map(config))):
        layers += [nn.Linear(width, hidden), activation()]
        width = hidden
    layers += [nn.Unflatten(1, smallest_map(config))]
    channels = (*config.channels[::-1], config.image_shape[0])
    return nn.Sequential(*layers, *doublings(channels, activation))


def halvings(channels: tuple[int, ...], activation: type[nn.Module] = nn.ReLU) -> list[nn.Module]:
    """Layers from channels[0] maps to channels[-1], each halving height and width."""
    layers = []
    for channels_in, channels_out in zip(channels, channels[1:]):
        layers += [nn.Conv2d(channels_in, channels_out, 4, stride=2, padding=1), activation()]
    return layers


def doublings(channels: tuple[int, ...], activation: type[nn.Module] = nn.ReLU) -> list[nn.Module]:
    """The mirror of halvings, but that nothing follows the last layer."""
    layers = []
    for channels_in, channels_out in zip(channels, channels[1:]):
        layers += [nn.ConvTranspose2d(channels_in, channels_out, 4, stride=2, padding=1), activation()]
    return layers[:-1]


def smallest_map(config: Config) -> tuple[int, int, int]:
    """(C, H, W) of the smallest feature map."""
    _, height, width = config.image_shape
    shrunk = 2 ** len(config.channels)
    return config.channels[-1], height // shrunk, width // shrunk


def discriminator(latent_dim: int, width: int = 256, layers: int = 5) -> nn.Sequential:
    """z (B, D) -> logits (B, 2): drawn from q(z), or from the product of its marginals
    (Kim & Mnih 2018, who take width 1000)."""
    parts = []
    for width_in in (latent_dim, *[width] * (layers - 1)):
        parts += [nn.Linear(width_in, width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts, nn.Linear(width, 2))


def encoder(config: Config, outputs: int) -> nn.Sequential:
    """Images (B, C, H, W) -> (B, outputs). Raises ValueError for an unknown network."""
    if config.network == "mlp":
        return nn.Sequential(nn.Flatten(), *mlp_encoder(config, outputs))
    if config.network == "conv":
        return conv_encoder(config, outputs)
    raise ValueError(f"unknown network {config.network!r}: expected 'mlp' or 'conv'")


def decoder(config: Config) -> nn.Sequential:
    """z (B, D) -> logits (B, C, H, W). Raises ValueError for an unknown network."""
    if config.network == "mlp":
        return mlp_decoder(config)
    if config.network == "conv":
        return conv_decoder(config)
    raise ValueError(f"unknown network {config.network!r}: expected 'mlp' or 'conv'")
