"""Encoder and decoder networks shared by the families.

Each is a flat nn.Sequential of ordinary layers, so that a decoder can be read layer by
layer and run elsewhere.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod

from torch import nn

from .base import ACTIVATIONS, NetworkConfig


def mlp_encoder(config: NetworkConfig, outputs: int, hidden: tuple[int, ...]) -> nn.Sequential:
    """Return a network (B, C*H*W + num_classes) -> (B, outputs)."""
    widths = (prod(config.image_shape) + config.num_classes, *hidden)
    return nn.Sequential(*_dense(widths), nn.Linear(widths[-1], outputs))


def mlp_decoder(config: NetworkConfig) -> nn.Sequential:
    """Return a network (B, D + num_classes) -> logits (B, C, H, W)."""
    widths = (config.latent_dim + config.num_classes, *config.decoder)
    last = nn.Linear(widths[-1], prod(config.image_shape))
    return nn.Sequential(*_dense(widths), last, nn.Unflatten(1, config.image_shape))


def _dense(widths: tuple[int, ...]) -> list[nn.Module]:
    layers = []
    for width_in, width_out in pairwise(widths):
        layers += [nn.Linear(width_in, width_out), nn.SiLU()]
    return layers


def conv_encoder(config: NetworkConfig, outputs: int, hidden: tuple[int, ...], channels_in: int) -> nn.Sequential:
    """Return a network (B, channels_in, H, W) -> (B, outputs): halvings, then dense layers (Burgess et al. 2018)."""
    activation = ACTIVATIONS[config.activation]
    widths = (prod(smallest_map(config.image_shape, config.channels)), *hidden)
    layers = [*halvings((channels_in, *config.channels), activation), nn.Flatten()]
    for width_in, width_out in pairwise(widths):
        layers += [nn.Linear(width_in, width_out), activation()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


def conv_decoder(config: NetworkConfig) -> nn.Sequential:
    """Return a network (B, D + num_classes) -> logits (B, C, H, W), the mirror of conv_encoder."""
    activation = ACTIVATIONS[config.activation]
    smallest = smallest_map(config.image_shape, config.channels)
    widths = (config.latent_dim + config.num_classes, *config.decoder, prod(smallest))
    layers = []
    for width_in, width_out in pairwise(widths):
        layers += [nn.Linear(width_in, width_out), activation()]
    layers += [nn.Unflatten(1, smallest)]
    channels = (*config.channels[::-1], config.image_shape[0])
    return nn.Sequential(*layers, *doublings(channels, activation))


def halvings(channels: tuple[int, ...], activation: type[nn.Module] = nn.ReLU) -> list[nn.Module]:
    """Return layers from channels[0] feature maps to channels[-1], each halving height and width."""
    layers = []
    for channels_in, channels_out in pairwise(channels):
        layers += [nn.Conv2d(channels_in, channels_out, 4, stride=2, padding=1), activation()]
    return layers


def doublings(channels: tuple[int, ...], activation: type[nn.Module] = nn.ReLU) -> list[nn.Module]:
    """Return the mirror of halvings, without an activation after the last layer."""
    layers = []
    for channels_in, channels_out in pairwise(channels):
        layers += [nn.ConvTranspose2d(channels_in, channels_out, 4, stride=2, padding=1), activation()]
    return layers[:-1]


def smallest_map(image_shape: tuple[int, int, int], channels: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (C, H, W) of the smallest feature map of `halvings`. Raises ValueError where no pixel is left."""
    _, height, width = image_shape
    shrunk = 2 ** len(channels)
    if not channels or min(height, width) < shrunk:
        raise ValueError(
            f"an image of {height} x {width} cannot be halved {len(channels)} times, once for each of channels"
        )
    return channels[-1], height // shrunk, width // shrunk


def discriminator(latent_dim: int, width: int = 256, layers: int = 5) -> nn.Sequential:
    """Return a network z (B, D) -> logits (B, 2) of q(z) and of the product of its marginals (Kim & Mnih 2018, who
    take width 1000)."""
    parts = []
    for width_in in (latent_dim, *[width] * (layers - 1)):
        parts += [nn.Linear(width_in, width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts, nn.Linear(width, 2))


def encoder(
    config: NetworkConfig, outputs: int, hidden: tuple[int, ...] | None = None, channels_in: int | None = None
) -> nn.Sequential:
    """Return a network from images (B, C, H, W) to (B, outputs).

    hidden: widths of the dense layers, by default config.encoder. channels_in: input channels of network "conv", by
    default C.
    """
    hidden = config.encoder if hidden is None else hidden
    if config.network == "mlp":
        return nn.Sequential(nn.Flatten(), *mlp_encoder(config, outputs, hidden))
    return conv_encoder(config, outputs, hidden, channels_in or config.image_shape[0])


def decoder(config: NetworkConfig) -> nn.Sequential:
    """Return a network z (B, D) -> logits (B, C, H, W)."""
    return mlp_decoder(config) if config.network == "mlp" else conv_decoder(config)
