"""diffusers: config.json of an AutoencoderKL, and its state dict in diffusion_pytorch_model.safetensors."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import torch
from torch import Tensor

from .. import extras
from ..latent.directions import principal_directions
from ..models import LatentModel
from ..models.autoencoder_kl import AutoencoderKL
from ..models.foreign import MIN_SIGMA, ImagePixels
from .base import MAX_COUNT, READERS, Checkpoint, CheckpointError, Source, build, fill, number

CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model"
MAX_DIRECTIONS = 64
MAX_BLOCKS, MAX_LAYERS = 8, 16  # the latter of one block
MAX_SIDE = 256  # pixels of an image, as a project file takes them
TRIED = 100  # images that the standard deviation of pixels is measured on
# names of attention layers in files of diffusers before 0.15
OLD_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
FLAGS = ("mid_block_add_attention", "use_quant_conv", "use_post_quant_conv")


@READERS.register("diffusers")
def read(source: Source) -> Checkpoint | None:
    """Read the folder of an AutoencoderKL. image_shape of the source decides which size of images it takes."""
    if source.json("model_index.json") is not None:
        raise CheckpointError("this is a whole pipeline of diffusers: name its folder vae")
    config = source.json(CONFIG)
    kind = None if config is None else config.get("_class_name")
    if config is None or kind is None:
        return None
    if kind != "AutoencoderKL":
        raise CheckpointError(f"its config.json is of the class {kind!r:.60}; of diffusers only AutoencoderKL is read")
    extras.require("AutoencoderKL models", *AutoencoderKL.packages)
    for key, expected in (("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")):
        blocks = config.get(key) or [expected]
        if not isinstance(blocks, list) or any(block != expected for block in blocks):
            raise CheckpointError(f"its {key} are {blocks!r:.60}; only {expected} is read")
    if config.get("act_fn", "silu") != "silu":
        raise CheckpointError(f"its activation is {config['act_fn']!r:.60}, but only silu is read")
    channels = config.get("block_out_channels")
    if not isinstance(channels, list) or not channels or not all(type(width) is int for width in channels):
        raise CheckpointError(f"its block_out_channels must be a list of widths, not {channels!r:.60}")
    if len(channels) > MAX_BLOCKS:
        raise CheckpointError(f"it has {len(channels)} blocks, more than {MAX_BLOCKS}")
    in_channels = number(config, "in_channels", CONFIG)
    if in_channels not in (1, 3):
        raise CheckpointError(f"it takes images with {in_channels} channels, but only 1 or 3 can be shown")
    side = min(config["sample_size"], MAX_SIDE) if type(config.get("sample_size")) is int else MAX_SIDE
    shape = source.image_shape or (in_channels, side, side)
    fields: dict[str, Any] = {"layers_per_block": 1, "latent_channels": 4, "norm_num_groups": 32}
    fields = {
        key: number(config, key, CONFIG, MAX_LAYERS if key == "layers_per_block" else MAX_COUNT)
        if key in config else default for key, default in fields.items()
    }  # fmt: skip
    fields |= {key: config.get(key, True) is True for key in FLAGS}
    if shape[0] != in_channels:
        raise CheckpointError(f"it takes images with {in_channels} channels, not {shape[0]}")
    try:
        parsed = AutoencoderKL.Config(shape, 1, channels=tuple(channels), **fields)
    except ValueError as error:
        raise CheckpointError(f"images {shape} do not fit its config.json: {error}") from error
    model = build("autoencoder_kl", parsed)
    assert isinstance(model, AutoencoderKL)
    fill(model.network, {_renamed(key): tensor for key, tensor in source.tensors(WEIGHTS).items()})
    return AlongDirections("diffusers", shape, model)


class AlongDirections(Checkpoint):
    """An AutoencoderKL whose directions are fitted to the codes of images."""

    def model(self, images: Tensor | None) -> LatentModel:
        model = self.network
        assert isinstance(model, AutoencoderKL)
        size = prod(model.config.code_shape)
        if images is None:
            raise CheckpointError(
                f"sliders move its code of {size:,} values along principal directions, which need images: add --data"
            )
        codes = model.code(images)
        try:
            found = principal_directions(codes.numpy(), MAX_DIRECTIONS)
        except ValueError as error:
            raise CheckpointError(f"these images give no directions: {error}") from error
        model.origin, model.axes = (torch.from_numpy(part.copy()) for part in (found.origin, found.axes))
        coordinates = torch.from_numpy(found.place(codes.numpy()))
        model.code_mu, model.code_sigma = torch.zeros(len(found.axes)), torch.ones(len(found.axes))
        model.fit_prior(coordinates)
        difference = model.decode_logits(coordinates[:TRIED]) - images[:TRIED]
        sigma = max(MIN_SIGMA, round(float(difference.square().mean().sqrt()), 6))
        model.config = replace(model.config, latent_dim=len(found.axes), sigma=sigma)
        model.pixels = ImagePixels(sigma).eval()
        self.notes.append(
            f"A code has {size:,} values. Sliders move it along {len(found.axes)} principal directions, which explain "
            f"{100 * found.explained.sum():.3g} % of the variance of the codes of {len(images):,} images."
        )
        self.dimensions |= {str(k): f"direction {k + 1}, {100 * v:.2g} %" for k, v in enumerate(found.explained)}
        return model


def _renamed(key: str) -> str:
    """Return the present name of a tensor."""
    if ".attentions." not in key:
        return key
    return ".".join(OLD_NAMES.get(part, part) for part in key.split("."))
