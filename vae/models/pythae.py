"""The autoencoders of pythae (Chadebec et al. 2022), whose layers are those of its own networks.

Tensors have the names that they have there, so that a checkpoint of pythae is loaded as it is, see
vae/checkpoints/pythae.py. All networks have ReLU, and a sigmoid at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .ae import Autoencoder
from .base import FAMILIES, NetworkConfig
from .vae import VAE

HIDDEN = 512  # units of the MLP
CHANNELS = (128, 256, 512, 1024)  # of the convolutional encoders: each layer halves height and width
MLP = "mlp"


class Upsampling(NamedTuple):
    """A transposed convolution."""

    channels: int
    kernel: int
    stride: int
    padding: int
    output_padding: int


class ConvNet(NamedTuple):
    """One of pythae's convolutional networks, named after the data that it is for."""

    image_shape: tuple[int, int, int]
    side: int  # height and width of the decoder's smallest feature map
    upsamplings: tuple[Upsampling, ...]
    nested: bool = False  # whether the decoder's linear layer has the name layers.0.0 and not layers.0


CONV_NETS = {
    "mnist": ConvNet((1, 28, 28), 4, (
        Upsampling(512, 3, 2, 1, 0), Upsampling(256, 3, 2, 1, 1), Upsampling(1, 3, 2, 1, 1),
    )),
    "cifar": ConvNet((3, 32, 32), 8, (
        Upsampling(512, 4, 2, 1, 0), Upsampling(256, 4, 2, 1, 1), Upsampling(3, 4, 1, 2, 0),
    )),
    "celeba": ConvNet((3, 64, 64), 8, (
        Upsampling(512, 5, 2, 2, 0), Upsampling(256, 5, 2, 1, 0), Upsampling(128, 5, 2, 2, 1),
        Upsampling(3, 5, 1, 1, 0),
    ), nested=True),
}  # fmt: skip


@dataclass(frozen=True)
class PythaeConfig(NetworkConfig):
    """encoder_network, decoder_network: MLP or a key of CONV_NETS. The widths of NetworkConfig are not used."""

    encoder_network: str = MLP
    decoder_network: str = MLP

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in (self.encoder_network, self.decoder_network):
            if name != MLP and name not in CONV_NETS:
                raise ValueError(f"unknown network {name!r}: expected one of {', '.join((MLP, *CONV_NETS))}")
            if name != MLP and CONV_NETS[name].image_shape != self.image_shape:
                expected = CONV_NETS[name].image_shape
                raise ValueError(f"the network {name!r} takes images {expected}, not {self.image_shape}")


class Encoder(nn.Module):
    """x (B, C, H, W) -> codes (B, D), or mu and logvar (B, 2D) if gaussian."""

    def __init__(self, config: PythaeConfig, gaussian: bool):
        super().__init__()
        channels, height, width = config.image_shape
        if config.encoder_network == MLP:
            layers: list[nn.Module] = [nn.Sequential(nn.Linear(prod(config.image_shape), HIDDEN), nn.ReLU())]
            features = HIDDEN
        else:
            layers = []
            for channels_in, channels_out in zip((channels, *CHANNELS), CHANNELS, strict=False):
                layer = nn.Conv2d(channels_in, channels_out, 4, stride=2, padding=1)
                layers.append(nn.Sequential(layer, nn.BatchNorm2d(channels_out), nn.ReLU()))
            features = CHANNELS[-1] * (height // 2 ** len(CHANNELS)) * (width // 2 ** len(CHANNELS))
        self.flat = config.encoder_network == MLP
        self.layers = nn.Sequential(*layers)
        self.embedding = nn.Linear(features, config.latent_dim)
        self.log_var = nn.Linear(features, config.latent_dim) if gaussian else None

    def forward(self, x: Tensor) -> Tensor:
        h = self.layers(x.flatten(1) if self.flat else x).flatten(1)
        return self.embedding(h) if self.log_var is None else torch.cat([self.embedding(h), self.log_var(h)], 1)


class Decoder(nn.Module):
    """z (B, D) -> logits (B, C, H, W)."""

    def __init__(self, config: PythaeConfig):
        super().__init__()
        if config.decoder_network == MLP:
            hidden = nn.Sequential(nn.Linear(config.latent_dim, HIDDEN), nn.ReLU())
            layers: list[nn.Module] = [hidden, nn.Sequential(nn.Linear(HIDDEN, prod(config.image_shape)))]
            self.smallest: tuple[int, ...] = (HIDDEN,)
        else:
            net = CONV_NETS[config.decoder_network]
            self.smallest = (CHANNELS[-1], net.side, net.side)
            linear = nn.Linear(config.latent_dim, prod(self.smallest))
            layers, channels = [nn.Sequential(linear) if net.nested else linear], CHANNELS[-1]
            for up in net.upsamplings:
                layer = nn.ConvTranspose2d(channels, *up[:4], output_padding=up.output_padding)
                last = up is net.upsamplings[-1]
                layers.append(nn.Sequential(layer, *([] if last else [nn.BatchNorm2d(up.channels), nn.ReLU()])))
                channels = up.channels
        self.layers = nn.ModuleList(layers)
        self.image_shape = config.image_shape

    def forward(self, z: Tensor) -> Tensor:
        h = self.layers[0](z).unflatten(1, self.smallest)
        for layer in self.layers[1:]:
            h = layer(h)
        return h.reshape(-1, *self.image_shape)


@FAMILIES.register("pythae_vae")
class PythaeVAE(VAE):
    """A VAE of pythae: q(z|x) is a diagonal Gaussian, and p(z) = N(0, I)."""

    Config = PythaeConfig

    def _networks(self, config: NetworkConfig) -> tuple[nn.Module, nn.Module]:
        assert isinstance(config, PythaeConfig)
        return Encoder(config, gaussian=True), Decoder(config)


@FAMILIES.register("pythae_ae")
class PythaeAutoencoder(Autoencoder):
    """A deterministic autoencoder of pythae, also a regularised one (RAE) or a Wasserstein autoencoder."""

    Config = PythaeConfig

    def _networks(self, config: NetworkConfig) -> tuple[nn.Module, nn.Module]:
        assert isinstance(config, PythaeConfig)
        return Encoder(config, gaussian=False), Decoder(config)
