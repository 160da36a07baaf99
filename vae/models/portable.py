"""A decoder as plain data, a layer list and its tensors, for a runtime other than torch."""

from __future__ import annotations

import json

from safetensors.torch import save
from torch import nn

from .base import LatentModel


def portable_decoder(model: LatentModel) -> bytes | None:
    """Return the decoder in the safetensors format, or None where it is more than plain layers.

    The metadata hold "layers", a JSON list in the order of computation, beginning at
    [z, one_hot(y)] and ending with the sigmoid; "latent_dim" and "num_classes". Shapes of
    tensors are torch's.
    """
    if not model.plain_decoder or not model.pixels.is_sigmoid:
        return None
    assert isinstance(model.decoder, nn.Sequential)  # which plain_decoder promises
    layers = [_describe(layer, f"{i}") for i, layer in enumerate(model.decoder)]
    if None in layers:
        return None
    tensors = {name: t.detach().contiguous() for name, t in model.decoder.state_dict().items()}
    return save(tensors, {
        "layers": json.dumps([*layers, {"type": "sigmoid"}]),
        "latent_dim": str(model.latent_dim),
        "num_classes": str(model.num_classes),
    })  # fmt: skip


def _describe(layer: nn.Module, name: str) -> dict | None:
    """Return a layer as JSON, or None for one that is not supported."""
    if isinstance(layer, nn.Linear):
        return {"type": "linear", "weight": f"{name}.weight", "bias": _bias(layer, name)}
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        if isinstance(layer.padding, str):
            return None
        square = all(a == b for a, b in (layer.kernel_size, layer.stride, layer.padding))
        transposed = isinstance(layer, nn.ConvTranspose2d)
        plain = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
        if not square or not plain or (transposed and layer.output_padding != (0, 0)):
            return None
        return {
            "type": "conv_transpose2d" if transposed else "conv2d", "weight": f"{name}.weight",
            "bias": _bias(layer, name), "stride": layer.stride[0], "padding": layer.padding[0],
        }  # fmt: skip
    if isinstance(layer, nn.Upsample) and layer.mode == "nearest" and layer.scale_factor:
        scale = layer.scale_factor
        if isinstance(scale, (int, float)) and float(scale).is_integer():
            return {"type": "upsample", "scale": int(scale)}
        return None
    if isinstance(layer, nn.LeakyReLU):
        return {"type": "leaky_relu", "slope": layer.negative_slope}
    if isinstance(layer, nn.Unflatten):
        return {"type": "reshape", "shape": list(layer.unflattened_size)}
    for kind, name in ((nn.ReLU, "relu"), (nn.SiLU, "silu"), (nn.Sigmoid, "sigmoid")):
        if isinstance(layer, kind):
            return {"type": name}
    return None


def _bias(layer: nn.Module, name: str) -> str | None:
    return None if layer.bias is None else f"{name}.bias"
